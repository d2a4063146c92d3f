"""`mmvae explain`: the section of the page on troubleshooting that a message names."""

from __future__ import annotations

from difflib import get_close_matches

from mmvae_controller.cli.errors import CliError
from mmvae_controller.cli.output import console_for
from mmvae_controller.guidance.help import COMMAND
from mmvae_controller.guidance.page import for_terminal, heading_of, PAGE, sections
from mmvae_controller.modality.shared_files import find_shared
from rich.markdown import Markdown
from rich.table import Table

FILE_COLUMNS = 100


def run(name: str | None) -> None:
    """Print a section; without a name list all.

    Raises:
        CliError: There is no such section.
        ModalityError: The page is not installed.

    """
    path = find_shared(PAGE)
    found = sections(path.read_text(encoding='utf-8'))
    console = console_for(FILE_COLUMNS)
    if name is None:
        table = Table(box=None, show_header=False)
        for anchor, text in found.items():
            table.add_row(f'{COMMAND} {anchor}', heading_of(text))
        console.print(table)
        return
    # As it stands in a link, too.
    wanted = name.rpartition('#')[2].lower()
    if wanted not in found:
        like = get_close_matches(wanted, found)
        meant = f'do you mean {" or ".join(like)}?' if like else f'there are {", ".join(found)}'
        raise CliError(f'no section {name!r}: {meant}')
    console.print(Markdown(for_terminal(found[wanted])))
    console.print(f'\n{path}', style='dim', markup=False, soft_wrap=True)
