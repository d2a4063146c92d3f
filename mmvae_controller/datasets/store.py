"""The data set on disk: shards of plain .npy arrays, one row per recorded moment.

    DATASET/dataset.yaml            modalities, timing, provenance; written last
    DATASET/shard-00000/NAME.npy    (N, *shape) values of each modality at t
                        label.npy   (N, D) the right command at t, as the demonstrator wanted it
                        known.npy   (N, M) mask at t
                        episode.npy (N,) number of the episode each row belongs to

Rows of an episode are consecutive and `period_s` apart. The values at t - dt are those of an
earlier row, so nothing is stored twice; they are missing at the start of an episode. What is kept
of a data set is where its episodes begin; all else is read when it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import math
import os
from pathlib import Path
import shutil
from typing import Any

from mmvae_controller.datasets.episodes import Episodes
from mmvae_controller.datasets.errors import DatasetError
from mmvae_controller.datasets.shards import Array as Array
from mmvae_controller.datasets.shards import Column, Shards
from mmvae_controller.datasets.spans import Rows, Spans
from mmvae_controller.modality.observation import CURRENT, Mask, PREVIOUS, STEPS
from mmvae_controller.modality.reader import read_yaml
from mmvae_controller.modality.spec import command_of, Modality
from mmvae_controller.modality.spec_data import modality_data, read_modality
from mmvae_controller.modality.whole_files import write_whole
import numpy as np
from numpy.typing import NDArray
import yaml

DATASET_FILE = 'dataset.yaml'
LABEL, KNOWN, EPISODE = 'label', 'known', 'episode'
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Description:
    """What dataset.yaml says.

    Args:
        modalities: In the order of the mask columns.
        step_s: The time dt between the two steps of a window.
        period_s: The time between two rows; dt is a multiple of it.
        provenance: How it came about, for people.
        continued: Episodes that are more of the one before them; a split keeps them together.

    """

    modalities: tuple[Modality, ...]
    step_s: float
    period_s: float
    provenance: Mapping[str, Any]
    continued: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Check that t - dt falls on a row."""
        command_of(self.modalities)
        taken = [m.name for m in self.modalities if m.name in (LABEL, KNOWN, EPISODE)]
        if taken:
            raise DatasetError(f'modality name {taken[0]!r} is that of another column')
        if self.stride < 1 or not math.isclose(self.stride * self.period_s, self.step_s):
            raise DatasetError(
                f'step_s {self.step_s} is no multiple of the recording period {self.period_s} s'
            )

    @property
    def stride(self) -> int:
        """By how many rows t - dt lies before t."""
        return round(self.step_s / self.period_s)


@dataclass(frozen=True, slots=True)
class Batch:
    """Two-step windows.

    Args:
        values: By modality, `(B, 2, *shape)` in its own unit.
        known: `(B, M, 2)`.
        label: `(B, D)` the right command at t.

    """

    values: Mapping[str, Array]
    known: NDArray[np.bool_]
    label: NDArray[np.float32]


def shard_path(folder: Path, number: int) -> Path:
    """Return the folder of a shard."""
    return folder / f'shard-{number:05d}'


def write_shard(folder: Path, number: int, arrays: Mapping[str, Array]) -> None:
    """Write one shard aside and then put it in place, so that none is ever half there.

    Raises:
        DatasetError: The disk is full or the folder cannot be written.

    """
    place = shard_path(folder, number)
    aside = place.with_name(f'.{place.name}.{os.getpid()}.part')
    try:
        # A killed process of the same number may have left one: containers count from 1 again.
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        for name, array in arrays.items():
            np.save(aside / f'{name}.npy', array)
        aside.rename(place)
    except OSError as error:
        shutil.rmtree(aside, ignore_errors=True)
        # What NumPy raises when the disk is full has no strerror.
        raise DatasetError(f'{place}: cannot be written: {error.strerror or error}') from error
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def write_description(folder: Path, description: Description) -> None:
    """Write dataset.yaml; a folder that has it is complete.

    Raises:
        DatasetError: The disk is full or the folder cannot be written.

    """
    data = {
        'format': FORMAT,
        'step_s': description.step_s,
        'period_s': description.period_s,
        'modalities': {m.name: modality_data(m) for m in description.modalities},
        'provenance': dict(description.provenance),
    }
    if description.continued:
        data['continued'] = list(description.continued)
    text = yaml.safe_dump(data, sort_keys=False, width=99)
    try:
        write_whole(folder / DATASET_FILE, text.encode())
    except OSError as error:
        raise DatasetError(
            f'{folder / DATASET_FILE}: cannot be written: {error.strerror or error}'
        ) from error


class OnDisk:
    """Which modalities were sensed, `(N, M)`: indexed by rows like an array, then read."""

    def __init__(self, shards: Shards, name: str) -> None:
        """Stand for a column."""
        self._shards, self._name = shards, name

    def __getitem__(self, rows: Rows) -> NDArray[np.bool_]:
        """Return it in some rows, `(B, M)`."""
        return np.asarray(self._shards.rows(self._name, rows), dtype=np.bool_)


class Dataset:
    """A data set on disk, read row by row as two-step windows; for one thread at a time."""

    def __init__(self, folder: Path) -> None:
        """Open every shard.

        Raises:
            DatasetError: The folder is no complete data set, or a shard does not fit it.

        """
        if not (folder / DATASET_FILE).is_file():
            raise DatasetError(f'{folder}: is no complete data set, it has no {DATASET_FILE}')
        root = read_yaml(folder / DATASET_FILE)
        if root.integer('format') != FORMAT:
            raise DatasetError(
                f'{root.where}: format {root.integer("format")}, this version reads {FORMAT}'
            )
        self.description = Description(
            modalities=tuple(read_modality(n, s) for n, s in root.sections('modalities').items()),
            step_s=root.number('step_s', low=0.001),
            period_s=root.number('period_s', low=0.001),
            provenance=root.section('provenance').data,
            continued=tuple(map(int, root.numbers('continued', default=()))),
        )
        # A recording knows no named masks, unlike data published with some.
        self.patterns: Mapping[str, Mask] = {}
        folders = sorted(folder.glob('shard-*'))
        if not folders:
            raise DatasetError(f'{folder}: has no shard')
        self._shards = Shards(folders, _columns(self.modalities))
        continued = self.description.continued
        self._episodes = Episodes(self._shards.each(EPISODE), continued)
        self.known = OnDisk(self._shards, KNOWN)

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self._shards)

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """In the order of the mask columns."""
        return self.description.modalities

    @property
    def episode(self) -> Rows:
        """The number of the episode of every row, `(N,)`: as many numbers as there are rows."""
        return self._episodes.number_of_each_row()

    def column(self, name: str, rows: Rows) -> Array:
        """Return the values at t of one modality, or the labels, for some rows."""
        return self._shards.rows(name, rows)

    def batch(self, rows: Rows) -> Batch:
        """Return the two-step windows that end in some rows."""
        source, known = self._steps(rows)
        values = {m.name: self._both(m.name, source, rows) for m in self.modalities}
        label = np.asarray(self.column(LABEL, rows), dtype=np.float32)
        return Batch(values, known, label)

    def pair(self, name: str, rows: Rows) -> tuple[Array, NDArray[np.bool_]]:
        """Return one modality at t - dt and t, `(B, 2, *shape)`, and which are known `(B, 2)`."""
        source, known = self._steps(rows)
        column = [m.name for m in self.modalities].index(name)
        return self._both(name, source, rows), known[:, column]

    def since_begin(self, rows: Rows) -> Rows:
        """Return how many rows of the same episode come before each of some rows."""
        return rows - self._episodes.begin(rows)

    def split(self, held_out: float, seed: int) -> tuple[Rows, Rows]:
        """Return the rows to train on and the rows to validate on, by whole episodes."""
        train, validation = self.spans(held_out, seed)
        return train[:], validation[:]

    def spans(self, held_out: float, seed: int) -> tuple[Spans, Spans]:
        """Return the same as `split`, as runs that need no memory for each row."""
        return self._episodes.split(held_out, seed)

    def _steps(self, rows: Rows) -> tuple[Rows, NDArray[np.bool_]]:
        """Return which rows to read for t - dt, and what is known at both steps `(B, M, 2)`."""
        stride = self.description.stride
        has_earlier = self.since_begin(rows) >= stride
        source = np.where(has_earlier, rows - stride, rows)
        known = np.zeros((len(rows), len(self.modalities), STEPS), dtype=bool)
        known[:, :, PREVIOUS] = self.known[source] & has_earlier[:, None]
        known[:, :, CURRENT] = self.known[rows]
        return source, known

    def _both(self, name: str, source: Rows, rows: Rows) -> Array:
        return np.stack([self.column(name, source), self.column(name, rows)], axis=1)


def _columns(modalities: tuple[Modality, ...]) -> dict[str, Column]:
    columns = {m.name: Column(tuple(m.shape), np.dtype(m.dtype).kind) for m in modalities}
    columns[LABEL] = Column(tuple(command_of(modalities).shape), 'f')
    columns[KNOWN] = Column((len(modalities),), 'b')
    columns[EPISODE] = Column((), 'i')
    return columns
