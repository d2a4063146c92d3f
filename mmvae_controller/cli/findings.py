"""What a check found: each finding with what to do about it, and the verdict of all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

EXIT_READY, EXIT_MISSING = 0, 1
COLUMNS = 120


class Level(StrEnum):
    """How much a finding matters."""

    OK = 'ok'
    # Nothing is in the way, but somebody should know.
    NOTE = 'note'
    MISSING = 'missing'


STYLE = {Level.OK: 'green', Level.NOTE: 'yellow', Level.MISSING: 'bold red'}


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one thing.

    Args:
        subject: A sense, the command, a package.
        what: Of it was looked at.
        level: How much it matters.
        message: What was found.
        todo: What to do next; empty if nothing.

    """

    subject: str
    what: str
    level: Level
    message: str
    todo: str = ''

    def __str__(self) -> str:
        """Say it in a line."""
        todo = f'; {self.todo}' if self.todo else ''
        return f'{self.level}: {self.subject} {self.what}: {self.message}{todo}'


def exit_code(findings: Iterable[Finding]) -> int:
    """Return 1 if anything is missing, else 0."""
    missing = any(f.level is Level.MISSING for f in findings)
    return EXIT_MISSING if missing else EXIT_READY


def as_data(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return findings as plain data."""
    return [{**asdict(f), 'level': f.level.value} for f in findings]


def clean(text: str) -> str:
    """Return text of others without what a terminal would obey, such as escape codes."""
    return ''.join(c if c.isprintable() else ' ' for c in text)


def show(findings: Sequence[Finding], title: str, verdict: str) -> None:
    """Print a table, what to do, and the verdict; as plain lines where rich is not installed."""
    try:
        from mmvae_controller.cli.output import console_for
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        print('\n'.join([title, *(clean(str(f)) for f in findings), verdict]))
        return
    console = console_for(COLUMNS)
    table = Table(title=title, title_justify='left')
    for heading in ('', 'of', 'says', 'found'):
        table.add_column(heading, overflow='fold')
    last = ''
    for finding in findings:
        subject = '' if finding.subject == last else finding.subject
        last = finding.subject
        level = Text(finding.level.value, style=STYLE[finding.level])
        cells = (Text(clean(text)) for text in (subject, finding.what, finding.message))
        subject_cell, what_cell, message_cell = cells
        table.add_row(subject_cell, what_cell, level, message_cell)
    console.print(table)
    todo = [f for f in findings if f.todo]
    for number, finding in enumerate(todo, start=1):
        line = f'{number}. {finding.subject} {finding.what}: {finding.todo}'
        # Commands are there to be copied: nothing is wrapped in their middle.
        console.print(Text(clean(line), style=STYLE[finding.level]), soft_wrap=True)
    console.print(Text(clean(verdict), style='bold'), soft_wrap=True)
