"""Which windows belong together: in time, by phase of the task, for the bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
import math

from mmvae_controller.evaluation.windows import Rows, truths, Windows
from mmvae_controller.importance.errors import ImportanceError
from mmvae_controller.modality.observation import CURRENT
import numpy as np
from numpy.typing import NDArray

TIME_BINS = 8
# Windows that follow each other, where the data has no episodes: many times the 5 over which the
# measures of the iCub's windows still correlate by up to .2.
BLOCK_ROWS = 40
ABOVE, BELOW = 'above', 'below'
OUTSIDE = -1


@dataclass(frozen=True, slots=True)
class Phase:
    """The windows in which some number of a sense at t is larger than a threshold, either way."""

    modality: str
    threshold: float

    def __str__(self) -> str:
        """As it was asked for."""
        return f'{self.modality}:{self.threshold:g}'


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Windows told apart.

    Args:
        what: What tells them apart, for a title.
        labels: Of each group, in order.
        of: `(N,)`: the group of each window, or `OUTSIDE`.

    """

    what: str
    labels: tuple[str, ...]
    of: Rows


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Windows that are drawn together; `of`: `(N,)`, `what`: one of them in words."""

    what: str
    of: Rows

    @property
    def count(self) -> int:
        """How many there are."""
        return len(np.unique(self.of))


def read_phase(text: str) -> Phase:
    """Return the phase that a user names.

    Raises:
        ImportanceError: It is no `MODALITY:THRESHOLD`.

    """
    name, _, number = text.rpartition(':')
    try:
        threshold = float(number)
    except ValueError:
        threshold = math.nan
    if not name or not (math.isfinite(threshold) and threshold >= 0):
        raise ImportanceError(
            f'phase {text!r}: expected MODALITY:THRESHOLD, such as touch:0.5, at least 0'
        )
    return Phase(name, threshold)


def blocks_of(windows: Windows, rows: Rows) -> Blocks:
    """Return blocks of windows that are like each other: episodes, else stretches in time."""
    episode = _episodes(windows)
    if episode is not None:
        return Blocks('an episode', episode[rows])
    place = _places(windows)[rows]
    return Blocks(f'a stretch of {BLOCK_ROWS} windows in the order of time', place // BLOCK_ROWS)


def periods_of(windows: Windows, rows: Rows) -> Groups:
    """Return windows by when they are: in an episode, or else in the whole of the rows."""
    episode = _episodes(windows)
    labels = tuple(f'{number}/{TIME_BINS}' for number in range(1, TIME_BINS + 1))
    if episode is None:
        rank = np.argsort(np.argsort(_places(windows)[rows]))
        return Groups('part of the trajectory', labels, rank * TIME_BINS // len(rows))
    _, first, number, length = np.unique(
        episode, return_index=True, return_inverse=True, return_counts=True
    )
    passed = rows - first[number[rows]]
    return Groups('part of an episode', labels, passed * TIME_BINS // length[number[rows]])


def phases_of(windows: Windows, rows: Rows, phase: Phase) -> Groups:
    """Return windows by whether a sense is larger than a threshold; without it, outside both.

    Raises:
        ImportanceError: There is no such modality, or one of the groups is empty.

    """
    modalities = windows.description.modalities
    names = [m.name for m in modalities]
    if phase.modality not in names:
        raise ImportanceError(f'phase {phase}: no modality {phase.modality!r}, there are {names}')
    index = names.index(phase.modality)
    found = []
    for truth in truths(windows, rows):
        now = truth.values[phase.modality][:, CURRENT].astype(np.float64)
        largest = np.abs(now).reshape(len(now), -1).max(axis=1)
        group = np.where(largest > phase.threshold, 0, 1)
        found.append(np.where(truth.present[:, index, CURRENT], group, OUTSIDE))
    of = np.concatenate(found)
    unit = modalities[index].unit
    for place, name in enumerate((ABOVE, BELOW)):
        if not (of == place).any():
            raise ImportanceError(
                f'phase {phase}: no window is {name} it; expected a threshold that tells windows '
                'apart'
            )
    what = f'|{phase.modality}| at t, threshold {phase.threshold:g} {unit}'
    return Groups(what, (ABOVE, BELOW), of)


def _episodes(windows: Windows) -> NDArray[np.int64] | None:
    """Return the episode of every row; only recordings have some."""
    found: NDArray[np.int64] | None = getattr(windows, 'episode', None)
    return found


def _places(windows: Windows) -> Rows:
    """Return where in time every row is: the iCub's file is in another order."""
    order = getattr(windows, 'order', None)
    places = np.arange(len(windows), dtype=np.int64)
    if order is not None:
        places[order] = np.arange(len(windows), dtype=np.int64)
    return places
