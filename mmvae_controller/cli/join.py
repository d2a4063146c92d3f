"""`mmvae join`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmvae_controller.cli.progress import progress_bar
from mmvae_controller.datasets.joining import joined, opened, write_joined
from mmvae_controller.datasets.repeats import Progress
from mmvae_controller.recordings.aside import Aside
from rich.progress import Progress as Bar


def run(folders: Sequence[Path], out: Path) -> None:
    """Write one data set of several, with a progress bar.

    Raises:
        DatasetError: They do not go together, or the place cannot be written.

    """
    with progress_bar() as bar, Aside(out) as aside:
        parts = opened(folders, _told(bar, 'compare'))
        description = joined(parts)
        write_joined(parts, aside.folder, _told(bar, 'rows'))
        aside.finish(description)
    rows = sum(len(part.dataset) for part in parts)
    episodes = sum(len(part.numbers) for part in parts)
    print(f'{out}: {rows} rows in {episodes} episodes, of {len(parts)} data sets')


def _told(bar: Bar, what: str) -> Progress:
    line = bar.add_task(what, total=None, figures='')
    return lambda done, total: bar.update(line, completed=done, total=total)
