"""What the measures of many windows come to: averages, quartiles, how sure the mean is.

Windows 50 ms apart are nearly the same, so an interval that counts each as new would be far too
narrow. Whole blocks of windows are drawn again instead (Künsch 1989, "The jackknife and the
bootstrap for general stationary observations").
"""

from __future__ import annotations

from dataclasses import dataclass

from mmvae_controller.evaluation.windows import Rows
import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
TAILS = (0.025, 0.975)
QUARTILES = (0.25, 0.75)
FEWEST_BLOCKS = 2


@dataclass(frozen=True, slots=True)
class Spread:
    """How a measure is spread over the windows in which it is defined, in nats.

    Args:
        mean: Over the windows.
        median: Over the windows.
        low: Lower end of the 95 % interval of the mean; None if there are no two blocks.
        high: Its upper end.
        q25: Lower quartile.
        q75: Upper quartile.
        rows: How many windows.

    """

    mean: float
    median: float
    low: float | None
    high: float | None
    q25: float
    q75: float
    rows: int


def spreads(values: NDArray[np.float64], blocks: Rows, seed: int) -> tuple[Spread | None, ...]:
    """Return the spread of each column; None where nothing is defined.

    Args:
        values: `(N, Q)`, NaN where it is not defined.
        blocks: `(N,)`: in which block each row is.
        seed: Of the resampling.

    """
    low, high = mean_interval(values, blocks, seed)
    found: list[Spread | None] = []
    for column, (lower, upper) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        numbers = values[:, column]
        numbers = numbers[np.isfinite(numbers)]
        if len(numbers) == 0:
            found.append(None)
            continue
        q25, median, q75 = np.quantile(numbers, [QUARTILES[0], 0.5, QUARTILES[1]]).tolist()
        first, last = (None, None) if np.isnan(lower) else (lower, upper)
        found.append(Spread(float(numbers.mean()), median, first, last, q25, q75, len(numbers)))
    return tuple(found)


def mean_interval(
    values: NDArray[np.float64], blocks: Rows, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ends `(Q,)` of the 95 % interval of each column's mean, by a block bootstrap."""
    names, block = np.unique(blocks, return_inverse=True)
    there = np.isfinite(values)
    sums, counts = (np.zeros((len(names), values.shape[1])) for _ in range(2))
    np.add.at(sums, block, np.where(there, values, 0.0))
    np.add.at(counts, block, there)
    random = np.random.default_rng(seed)
    share = np.full(len(names), 1 / len(names))
    drawn = random.multinomial(len(names), share, size=RESAMPLES).astype(np.float64)
    total = drawn @ counts
    with np.errstate(invalid='ignore'):
        means = drawn @ sums / total
    low, high = np.full((2, values.shape[1]), np.nan)
    for column in np.flatnonzero((counts > 0).sum(axis=0) >= FEWEST_BLOCKS):
        # Blocks without this sense may be all that was drawn.
        defined = means[total[:, column] > 0, column]
        low[column], high[column] = np.quantile(defined, TAILS)
    return low, high


def averaged(values: NDArray[np.float64], median: bool) -> NDArray[np.float64]:
    """Return mean or median over the first axis of what is defined; NaN where nothing is."""
    flat = values.reshape(len(values), -1)
    average = np.median if median else np.mean
    found = np.full(flat.shape[1], np.nan)
    for column, numbers in enumerate(flat.T):
        defined = numbers[np.isfinite(numbers)]
        if len(defined):
            found[column] = average(defined)
    return found.reshape(values.shape[1:])
