"""Whether several data sets hold the same episodes: what is trained on would be validated on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path

from mmvae_controller.datasets.errors import DatasetError
from mmvae_controller.datasets.spans import Rows
from mmvae_controller.datasets.store import Dataset, KNOWN, LABEL
import numpy as np

# Of a row of a column that is compared as a whole. Of what is larger, the pictures, only the first
# and the last of an episode are: to read all of them takes as long as to copy them.
LARGE_BYTES = 4096
# Of an episode that are in memory at once.
ROWS = 1 << 14
DIGEST_BYTES = 16
# Is told how many rows are done, and of how many.
Progress = Callable[[int, int], None]


def require_different(parts: Sequence[tuple[Path, Dataset]], progress: Progress) -> None:
    """Refuse data sets of which one holds an episode of another, whatever its number there.

    So a copy is found, and what was joined before. An episode in which nothing changes does not
    count: an arm at rest in a simulation is the same each time.

    Args:
        parts: The data sets, and where they are.
        progress: Is told now and then.

    Raises:
        DatasetError: They hold the same.

    """
    seen: dict[bytes, tuple[Path, int]] = {}
    total, done = sum(len(dataset) for _, dataset in parts), 0
    for folder, dataset in parts:
        here: dict[bytes, tuple[Path, int]] = {}
        same: list[tuple[int, Path, int]] = []
        count = 0
        for number, rows in _episodes(dataset):
            count += 1
            digest = _digest(dataset, rows)
            if digest in seen:
                same.append((number, *seen[digest]))
            elif digest:
                here[digest] = folder, number
            done += len(rows)
            progress(done, total)
        if same:
            number, other, there = same[0]
            raise DatasetError(
                f'{folder}: {len(same)} of its {count} episodes are in the others as well, such '
                f'as {number}, which is {there} of {other}: their rows would be there twice; '
                'leave one of the two out'
            )
        seen |= here


def _episodes(dataset: Dataset) -> Iterator[tuple[int, Rows]]:
    """Yield the numbers and the rows of the episodes."""
    numbers = dataset.episode
    begins = np.flatnonzero(np.diff(numbers, prepend=numbers[:1] - 1))
    for rows in np.split(np.arange(len(numbers)), begins)[1:]:
        yield int(numbers[rows[0]]), rows


def _digest(dataset: Dataset, rows: Rows) -> bytes:
    """Return what episodes have in common that hold the same; empty if nothing changes in it."""
    digest = blake2b(digest_size=DIGEST_BYTES)
    changes = False
    columns = [(m.name, np.dtype(m.dtype).itemsize, m.shape) for m in dataset.modalities]
    for name, size, shape in columns:
        if size * int(np.prod(shape)) > LARGE_BYTES:
            digest.update(dataset.column(name, rows[[0, -1]]).tobytes())
    small = [n for n, size, shape in columns if size * int(np.prod(shape)) <= LARGE_BYTES]
    for name in (*small, LABEL, KNOWN):
        first = None
        for begin in range(0, len(rows), ROWS):
            piece = rows[begin : begin + ROWS]
            values = dataset.known[piece] if name == KNOWN else dataset.column(name, piece)
            first = values[:1] if first is None else first
            changes = changes or bool((values != first).any())
            digest.update(values.tobytes())
    return digest.digest() if changes else b''
