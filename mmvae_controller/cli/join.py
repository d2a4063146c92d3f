"""`mmvae join`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmvae_controller.cli.progress import progress_bar
from mmvae_controller.datasets.joining import joined, opened, write_joined
from mmvae_controller.recordings.aside import Aside


def run(folders: Sequence[Path], out: Path) -> None:
    """Write one data set of several, with a progress bar.

    Raises:
        DatasetError: They do not go together, or the place cannot be written.

    """
    parts = opened(folders)
    description = joined(parts)
    with Aside(out) as aside, progress_bar() as bar:
        line = bar.add_task('rows', total=None, figures='')
        write_joined(
            parts,
            aside.folder,
            lambda done, total: bar.update(line, completed=done, total=total),
        )
        aside.finish(description)
    rows = sum(len(part.dataset) for part in parts)
    episodes = sum(len(part.numbers) for part in parts)
    print(f'{out}: {rows} rows in {episodes} episodes, of {len(parts)} data sets')
