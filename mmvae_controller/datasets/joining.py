"""One data set of several: simulated and recorded ones, of robots in other namespaces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmvae_controller.datasets.errors import DatasetError
from mmvae_controller.datasets.repeats import Progress, require_different
from mmvae_controller.datasets.spans import Rows
from mmvae_controller.datasets.store import (
    Array,
    Dataset,
    Description,
    EPISODE,
    KNOWN,
    LABEL,
    write_shard,
)
from mmvae_controller.modality.spec_data import modality_data
import numpy as np

# Of a shard that is written, and of what is in memory.
SHARD_BYTES = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Part:
    """One of the data sets.

    Args:
        folder: Where it is.
        dataset: Its rows.
        numbers: Those of its episodes, in order.

    """

    folder: Path
    dataset: Dataset
    numbers: Array


def opened(folders: Sequence[Path], progress: Progress) -> list[Part]:
    """Open data sets that go together.

    Args:
        folders: Where they are.
        progress: Is told how far they are compared.

    Raises:
        DatasetError: One is named twice, is none, was recorded otherwise, or holds the same as
            another.

    """
    parts: list[Part] = []
    for folder in folders:
        if any(folder.samefile(part.folder) for part in parts if folder.exists()):
            raise DatasetError(f'{folder}: is named twice, its rows would be there twice')
        dataset = Dataset(folder)
        if parts:
            _require_alike(parts[0], folder, dataset.description)
        parts.append(Part(folder, dataset, np.unique(dataset.episode)))
    require_different([(part.folder, part.dataset) for part in parts], progress)
    return parts


def joined(parts: Sequence[Part]) -> Description:
    """Return what describes them together."""
    first = parts[0].dataset.description
    continued = [
        number
        for part, begin in zip(parts, _begins(parts), strict=True)
        for number in (_renumbered(part, np.array(part.dataset.description.continued)) + begin)
    ]
    return Description(
        first.modalities,
        first.step_s,
        first.period_s,
        _provenance(parts),
        tuple(map(int, continued)),
    )


def write_joined(parts: Sequence[Part], folder: Path, progress: Progress) -> None:
    """Write the rows of all of them as shards, in order, each with numbers of its own.

    Raises:
        DatasetError: The disk is full or the folder cannot be written.

    """
    total = sum(len(part.dataset) for part in parts)
    done = shards = 0
    for part, begin in zip(parts, _begins(parts), strict=True):
        for rows in _pieces(part.dataset):
            write_shard(folder, shards, _rows(part, rows, begin))
            shards, done = shards + 1, done + len(rows)
            progress(done, total)


def _begins(parts: Sequence[Part]) -> list[int]:
    """Return the number of the first episode of each."""
    counts = np.cumsum([0, *(len(part.numbers) for part in parts)])
    return [int(count) for count in counts[:-1]]


def _pieces(dataset: Dataset) -> Iterator[Rows]:
    values = sum(int(np.prod(m.shape)) * np.dtype(m.dtype).itemsize for m in dataset.modalities)
    size = max(1, SHARD_BYTES // values)
    for begin in range(0, len(dataset), size):
        yield np.arange(begin, min(begin + size, len(dataset)))


def _rows(part: Part, rows: Rows, begin: int) -> Mapping[str, Array]:
    dataset = part.dataset
    columns: dict[str, Array] = {
        name: dataset.column(name, rows) for name in (*(m.name for m in dataset.modalities), LABEL)
    }
    episode = _renumbered(part, dataset.column(EPISODE, rows)) + begin
    return columns | {KNOWN: dataset.known[rows], EPISODE: episode}


def _renumbered(part: Part, numbers: Array) -> Array:
    """Return numbers of episodes as counted from 0 on."""
    return np.searchsorted(part.numbers, numbers).astype(np.int64)


def _provenance(parts: Sequence[Part]) -> dict[str, Any]:
    """Return what all have in common, and each of them."""
    every = [dict(part.dataset.description.provenance) for part in parts]
    common = {
        key: value
        for key, value in every[0].items()
        if all(key in other and other[key] == value for other in every)
    }
    names = [part.folder.resolve().name for part in parts]
    return common | {
        'joined': [{'name': n, **about} for n, about in zip(names, every, strict=True)]
    }


def _require_alike(first: Part, folder: Path, other: Description) -> None:
    wanted = first.dataset.description
    ours = {m.name: modality_data(m) for m in wanted.modalities}
    theirs = {m.name: modality_data(m) for m in other.modalities}
    differ = [n for n in sorted({*ours, *theirs}) if ours.get(n) != theirs.get(n)]
    if list(ours) != list(theirs) and not differ:
        differ = ['the order of the modalities']
    differ += [
        f'{name} {getattr(other, name):g}, not {getattr(wanted, name):g}'
        for name in ('step_s', 'period_s')
        if getattr(other, name) != getattr(wanted, name)
    ]
    if differ:
        raise DatasetError(
            f'{folder}: does not go together with {first.folder}: {", ".join(differ)}; record or '
            'import both with one robot YAML and one --record-hz'
        )
