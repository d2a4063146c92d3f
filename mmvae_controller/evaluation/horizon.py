"""Prediction over several steps: what was decoded for t becomes t-1, and is decoded from again.

As in the two passes of Zambelli et al. 2020 (arXiv 1910.03854), here from a known t-1 and for any
number of steps. Only means are passed on, so the decoded spread is that of the last step alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from mmvae_controller.evaluation.bank import Bank
from mmvae_controller.evaluation.errors import EvaluationError
from mmvae_controller.evaluation.judge import decode_checked
from mmvae_controller.evaluation.patterns import prediction_mask
from mmvae_controller.evaluation.windows import Decoder, Rows, Truth, truths, Values, Windows
from mmvae_controller.modality.gaussian import Gaussian
from mmvae_controller.modality.observation import CURRENT, PREVIOUS
from mmvae_controller.modality.spec import Encoder, Modality
import numpy as np
from numpy.typing import NDArray

LARGEST_INTENSITY = 255
NO_ROW = -1


@runtime_checkable
class Chained(Protocol):
    """Windows that know which of them continue each other."""

    def chains(self, length: int) -> Rows:
        """Return rows `(K, length)`: each window begins where the one before it ended."""
        ...


@runtime_checkable
class Recorded(Protocol):
    """Windows of recorded episodes."""

    @property
    def episode(self) -> NDArray[np.int64]:
        """The episode of each row; its rows are consecutive."""
        ...


@dataclass(frozen=True, slots=True)
class Curve:
    """Of one modality, a number for each step ahead; NaN where there was no row to compare.

    Args:
        mse: Of the model.
        std: Root mean square of the standard deviations it decoded.
        copy_last: MSE of the last known value.
        mean: MSE of the mean of the training rows; empty without training rows.

    """

    mse: tuple[float, ...]
    std: tuple[float, ...]
    copy_last: tuple[float, ...]
    mean: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far ahead a model sees.

    Args:
        windows: How many starts could be compared at each step ahead, 1 first.
        curves: By modality.

    """

    windows: tuple[int, ...]
    curves: Mapping[str, Curve]


def look_ahead(
    decoder: Decoder,
    windows: Windows,
    rows: Rows,
    steps: int,
    bank: Bank | None,
    on_rows: Callable[[int, int], None],
) -> Horizon:
    """Predict some steps ahead from every row that others of these rows continue.

    Fewer rows are continued over more steps: each step ahead is compared on all that there are.
    """
    modalities = decoder.contract.modalities
    table = chain_table(windows, rows, steps)
    sums = {m.name: _CurveSums(steps) for m in modalities}
    done = 0
    for start in truths(windows, table[:, 0]):
        following = table[done : done + len(start.rows)]
        done += len(start.rows)
        _follow(decoder, windows, start, following, bank, sums)
        on_rows(done, len(table))
    return Horizon(
        tuple((table != NO_ROW).sum(axis=0).tolist()),
        {name: s.curve(bank is not None) for name, s in sums.items()},
    )


def chain_table(windows: Windows, rows: Rows, steps: int) -> Rows:
    """Return `(R, steps)`: a row and those that follow it, as far as they are among these rows."""
    first = chains_of(windows, 1)
    first = first[np.isin(first[:, 0], rows)]
    table = np.full((len(first), steps), NO_ROW, dtype=np.int64)
    place = {row: number for number, row in enumerate(first[:, 0].tolist())}
    for length in range(1, steps + 1):
        chains = chains_of(windows, length)
        chains = chains[np.isin(chains, rows).all(axis=1)]
        places = np.array([place[row] for row in chains[:, 0].tolist()], dtype=np.int64)
        table[places, length - 1] = chains[:, -1]
    return table


def chains_of(windows: Windows, length: int) -> Rows:
    """Return rows `(K, length)`: each window begins where the one before it ended.

    Raises:
        EvaluationError: The data does not say what follows what.

    """
    if isinstance(windows, Chained):
        return windows.chains(length)
    if not isinstance(windows, Recorded):
        raise EvaluationError('this data does not say which windows follow each other: --steps 0')
    stride, episode = windows.description.stride, windows.episode
    # The first row of a chain is a window too: it needs a row at t-1.
    starts = np.arange(stride, len(episode) - (length - 1) * stride, dtype=np.int64)
    ends = starts + (length - 1) * stride
    starts = starts[episode[starts - stride] == episode[ends]]
    chains: Rows = starts[:, None] + stride * np.arange(length)
    return chains


class _CurveSums:
    """Sums of squares for each step ahead."""

    def __init__(self, steps: int) -> None:
        self._numbers = np.zeros(steps)
        self._sums = {part: np.zeros(steps) for part in ('mse', 'std', 'copy_last', 'mean')}

    def add(self, ahead: int, differences: Mapping[str, NDArray[np.float64]]) -> None:
        self._numbers[ahead] += differences['mse'].size
        for part, difference in differences.items():
            self._sums[part][ahead] += np.sum(difference**2)

    def curve(self, with_mean: bool) -> Curve:
        with np.errstate(invalid='ignore'):
            means = {part: tuple((s / self._numbers).tolist()) for part, s in self._sums.items()}
        std = tuple(np.sqrt(means['std']).tolist())
        return Curve(means['mse'], std, means['copy_last'], means['mean'] if with_mean else ())


def _follow(
    decoder: Decoder,
    windows: Windows,
    start: Truth,
    following: Rows,
    bank: Bank | None,
    sums: Mapping[str, _CurveSums],
) -> None:
    """Go ahead from one batch of starts and add what comes of it."""
    modalities = decoder.contract.modalities
    at_hand, known = start, start.present & prediction_mask(modalities)
    for ahead in range(following.shape[1]):
        decoded = decode_checked(decoder, at_hand, known)
        for truth, here in _true_states(windows, following[:, ahead]):
            for row, modality in enumerate(modalities):
                sensed = truth.present[:, row, CURRENT] & start.present[here, row, PREVIOUS]
                differences = _differences(modality, start, truth, decoded, here, bank)
                part = {name: value[sensed] for name, value in differences.items()}
                sums[modality.name].add(ahead, part)
        values = {m.name: _shifted(m, at_hand.values, decoded[m.name]) for m in modalities}
        at_hand = replace(at_hand, values=values)
        known = np.broadcast_to(prediction_mask(modalities), known.shape)


def _true_states(windows: Windows, rows: Rows) -> list[tuple[Truth, NDArray[np.intp]]]:
    """Return the windows that end in some rows, with the places of those that there are."""
    there = np.flatnonzero(rows != NO_ROW)
    # A batch of starts is a batch of truths too: there is one, or none.
    return [(truth, there) for truth in truths(windows, rows[there])]


def _differences(
    modality: Modality,
    start: Truth,
    truth: Truth,
    decoded: Mapping[str, Gaussian],
    here: NDArray[np.intp],
    bank: Bank | None,
) -> dict[str, NDArray[np.float64]]:
    name = modality.name
    wanted = truth.values[name][:, CURRENT].astype(np.float64)
    found = decoded[name]
    differences = {
        'mse': found.mean[here, CURRENT] - wanted,
        'std': found.std[here, CURRENT].astype(np.float64),
        'copy_last': start.values[name][here, PREVIOUS].astype(np.float64) - wanted,
    }
    if bank is not None:
        differences['mean'] = bank.mean[name][CURRENT] - wanted
    return differences


def _shifted(modality: Modality, values: Values, decoded: Gaussian) -> NDArray[np.generic]:
    """Return values in which what was decoded for t stands at t-1."""
    mean = decoded.mean[:, CURRENT]
    if modality.encoder is Encoder.IMAGE:
        mean = np.clip(np.rint(mean), 0, LARGEST_INTENSITY)
    shifted = np.array(values[modality.name])
    shifted[:, PREVIOUS] = mean.astype(modality.dtype)
    return shifted
