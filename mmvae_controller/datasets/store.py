"""The data set on disk: shards of plain .npy arrays, one row per recorded moment.

    DATASET/dataset.yaml            modalities, timing, provenance; written last
    DATASET/shard-00000/NAME.npy    (N, *shape) values of each modality at t
                        label.npy   (N, D) the right command at t, as the demonstrator wanted it
                        known.npy   (N, M) mask at t
                        episode.npy (N,) number of the episode each row belongs to

Rows of an episode are consecutive and `period_s` apart. The values at t - dt are those of an
earlier row, so nothing is stored twice; they are missing at the start of an episode. Arrays are
memory-mapped, never read whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import math
import os
from pathlib import Path
import shutil
from typing import Any, Literal

from mmvae_controller.datasets.errors import DatasetError
from mmvae_controller.modality.observation import CURRENT, Mask, PREVIOUS, STEPS
from mmvae_controller.modality.reader import read_yaml
from mmvae_controller.modality.spec import command_of, Modality
from mmvae_controller.modality.spec_data import modality_data, read_modality
import numpy as np
from numpy.typing import NDArray
import yaml

DATASET_FILE = 'dataset.yaml'
LABEL, KNOWN, EPISODE = 'label', 'known', 'episode'
FORMAT = 1
NAMES = {'u': 'unsigned integers', 'f': 'floats', 'b': 'booleans', 'i': 'integers'}
Array = NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class Description:
    """What dataset.yaml says.

    Args:
        modalities: In the order of the mask columns.
        step_s: The time dt between the two steps of a window.
        period_s: The time between two rows; dt is a multiple of it.
        provenance: How it came about, for people.

    """

    modalities: tuple[Modality, ...]
    step_s: float
    period_s: float
    provenance: Mapping[str, Any]

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
    aside = folder / f'.{DATASET_FILE}.part'
    try:
        aside.write_text(yaml.safe_dump(data, sort_keys=False, width=99), encoding='utf-8')
        aside.rename(folder / DATASET_FILE)
    except OSError as error:
        raise DatasetError(
            f'{folder / DATASET_FILE}: cannot be written: {error.strerror or error}'
        ) from error


class Dataset:
    """A data set on disk, read row by row as two-step windows."""

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
        )
        # A recording knows no named masks, unlike data published with some.
        self.patterns: Mapping[str, Mask] = {}
        self._shards = [self._open(p) for p in sorted(folder.glob('shard-*'))]
        if not self._shards:
            raise DatasetError(f'{folder}: has no shard')
        sizes = [len(s[EPISODE]) for s in self._shards]
        self._starts = np.concatenate([[0], np.cumsum(sizes)])
        self.episode: NDArray[np.int64] = np.concatenate([s[EPISODE] for s in self._shards])
        self.known: NDArray[np.bool_] = np.concatenate([s[KNOWN] for s in self._shards])
        self._earlier = self._previous_rows()
        self._columns = {m.name: column for column, m in enumerate(self.modalities)}
        begins = np.flatnonzero(np.diff(self.episode, prepend=self.episode[0] - 1))
        self._begin = np.repeat(begins, np.diff(begins, append=len(self.episode)))

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.episode)

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """In the order of the mask columns."""
        return self.description.modalities

    def column(self, name: str, rows: NDArray[np.int64]) -> Array:
        """Return the values at t of one modality, or the labels, for some rows."""
        shards = np.searchsorted(self._starts, rows, side='right') - 1
        sample = self._shards[0][name]
        out = np.empty((len(rows), *sample.shape[1:]), dtype=sample.dtype)
        for shard in np.unique(shards):
            here = shards == shard
            out[here] = self._shards[shard][name][rows[here] - self._starts[shard]]
        return out

    def batch(self, rows: NDArray[np.int64]) -> Batch:
        """Return the two-step windows that end in some rows."""
        known = np.zeros((len(rows), len(self.modalities), STEPS), dtype=bool)
        values = {}
        for row, modality in enumerate(self.modalities):
            values[modality.name], known[:, row] = self.pair(modality.name, rows)
        label = np.asarray(self.column(LABEL, rows), dtype=np.float32)
        return Batch(values, known, label)

    def pair(self, name: str, rows: NDArray[np.int64]) -> tuple[Array, NDArray[np.bool_]]:
        """Return one modality at t - dt and t, `(B, 2, *shape)`, and which are known `(B, 2)`."""
        earlier = self._earlier[rows]
        has_earlier = earlier >= 0
        source = np.where(has_earlier, earlier, rows)
        column = self._columns[name]
        known = np.zeros((len(rows), STEPS), dtype=bool)
        known[:, PREVIOUS] = self.known[source, column] & has_earlier
        known[:, CURRENT] = self.known[rows, column]
        return np.stack([self.column(name, source), self.column(name, rows)], axis=1), known

    def since_begin(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many rows of the same episode come before each of some rows."""
        return rows - self._begin[rows]

    def split(self, held_out: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows to train on and the rows to validate on, by whole episodes."""
        episodes = np.unique(self.episode)
        shuffled = np.random.default_rng(seed).permutation(episodes)
        validation = shuffled[: round(len(episodes) * held_out)]
        is_validation = np.isin(self.episode, validation)
        return np.flatnonzero(~is_validation), np.flatnonzero(is_validation)

    def _open(self, path: Path) -> dict[str, Array]:
        arrays: dict[str, Array] = {}
        shapes: dict[str, Sequence[int]] = {m.name: m.shape for m in self.modalities}
        shapes |= {LABEL: command_of(self.modalities).shape, KNOWN: (len(self.modalities),)}
        shapes |= {EPISODE: ()}
        kinds = {m.name: np.dtype(m.dtype).kind for m in self.modalities}
        kinds |= {LABEL: 'f', KNOWN: 'b', EPISODE: 'i'}
        for name, shape in shapes.items():
            # Whole, small columns are read; the large ones stay on disk until asked for.
            mode: Literal['r'] | None = None if name in (KNOWN, EPISODE) else 'r'
            try:
                array = np.load(path / f'{name}.npy', mmap_mode=mode, allow_pickle=False)
            except (OSError, ValueError, EOFError) as error:
                raise DatasetError(f'{path}/{name}.npy: cannot be read: {error}') from error
            if array.ndim == 0 or array.shape[1:] != tuple(shape):
                raise DatasetError(
                    f'{path}/{name}.npy: rows of shape {array.shape[1:]}, expected {tuple(shape)}'
                )
            if array.dtype.kind != kinds[name]:
                raise DatasetError(
                    f'{path}/{name}.npy: values of type {array.dtype}, expected '
                    f'{NAMES[kinds[name]]}'
                )
            arrays[name] = array
        lengths = {name: len(array) for name, array in arrays.items()}
        if len(set(lengths.values())) != 1:
            raise DatasetError(f'{path}: columns of different length {lengths}')
        return arrays

    def _previous_rows(self) -> NDArray[np.int64]:
        """Return for each row the one at t - dt, or -1 where its episode had not begun."""
        rows = np.arange(len(self.episode), dtype=np.int64)
        earlier = rows - self.description.stride
        same = (earlier >= 0) & (self.episode[np.maximum(earlier, 0)] == self.episode)
        return np.where(same, earlier, -1)
