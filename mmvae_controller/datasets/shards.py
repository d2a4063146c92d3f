"""Columns of rows in many files: mapped when they are read, and not all of them at once.

Of a mapped file only what was read lately is in memory, and the system takes that back when it
needs the room. But each holds a file open, and how many a process may have is limited.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmvae_controller.datasets.errors import DatasetError
from mmvae_controller.datasets.spans import Rows
import numpy as np
from numpy.typing import NDArray

# A process may have 1024 on most systems.
OPEN_FILES = 512
KINDS = {'u': 'unsigned integers', 'f': 'floats', 'b': 'booleans', 'i': 'integers'}
Array = NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class Column:
    """What a file must hold: the shape of a row, and the kind of its numbers (`KINDS`)."""

    shape: tuple[int, ...]
    kind: str


class Shards:
    """The columns of some folders, one folder's rows after the other's; for one thread at a time.

    Args:
        folders: Each with NAME.npy for every column.
        columns: By name.

    Raises:
        DatasetError: A file is missing or damaged, or holds something else.

    """

    def __init__(self, folders: Sequence[Path], columns: Mapping[str, Column]) -> None:
        """Open and check every file once."""
        self._folders, self._columns = tuple(folders), columns
        self._open: OrderedDict[tuple[int, str], Array] = OrderedDict()
        lengths = [self._check(shard) for shard in range(len(folders))]
        self._starts: Rows = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        self._types = {name: self._array(0, name).dtype for name in columns}

    def __len__(self) -> int:
        """How many rows there are."""
        return int(self._starts[-1])

    def rows(self, name: str, rows: Rows) -> Array:
        """Return some rows of a column, as a copy."""
        shards = np.searchsorted(self._starts, rows, side='right') - 1
        out = np.empty((len(rows), *self._columns[name].shape), dtype=self._types[name])
        for shard in np.unique(shards).tolist():
            here = shards == shard
            out[here] = self._array(shard, name)[rows[here] - self._starts[shard]]
        return out

    def each(self, name: str) -> Iterator[Array]:
        """Yield a whole column, shard by shard."""
        return (self._array(shard, name) for shard in range(len(self._folders)))

    def _array(self, shard: int, name: str) -> Array:
        """Return a mapped file, for which the one not used for longest may be closed."""
        key = (shard, name)
        if key not in self._open:
            self._open[key] = self._load(self._folders[shard] / f'{name}.npy', self._columns[name])
            if len(self._open) > OPEN_FILES:
                self._open.popitem(last=False)
        self._open.move_to_end(key)
        return self._open[key]

    def _load(self, path: Path, column: Column) -> Array:
        try:
            array: Array = np.load(path, mmap_mode='r', allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise DatasetError(f'{path}: cannot be read: {error}') from error
        if array.ndim == 0 or array.shape[1:] != column.shape:
            raise DatasetError(f'{path}: rows of shape {array.shape[1:]}, expected {column.shape}')
        if array.dtype.kind != column.kind:
            raise DatasetError(
                f'{path}: values of type {array.dtype}, expected {KINDS[column.kind]}'
            )
        return array

    def _check(self, shard: int) -> int:
        lengths = {name: len(self._array(shard, name)) for name in self._columns}
        if len(set(lengths.values())) != 1:
            raise DatasetError(f'{self._folders[shard]}: columns of different length {lengths}')
        return next(iter(lengths.values()))
