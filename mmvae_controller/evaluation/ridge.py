"""Linear regression from the known numbers of a window to the masked ones, with an L2 penalty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# For each row and standardised input: from none to speak of to all but the mean.
PENALTIES = tuple(10.0**power for power in range(-7, 3))

Table = NDArray[np.float64]
Known = NDArray[np.bool_]


class Ridge:
    """Predicts the masked numbers of a window as a linear function of the known ones.

    Minimises |y - a - X b|^2 + N penalty |b|^2 over N rows for each masked number y, X divided by
    its scale. The penalty of each y is the one with the least error on rows left out in their
    turn, which needs no second fit: with hat values h it is (y - found) / (1 - h) (Hastie,
    Tibshirani, Friedman, The Elements of Statistical Learning, 2nd edition, eq. 7.64).

    Windows that know less than the others have a fit of their own: with a mean in place of what
    they miss, a difference between the time steps would be a wrong one.
    """

    def __init__(
        self, bank: Table, scale: Table, known: Known, penalties: tuple[float, ...] = PENALTIES
    ) -> None:
        """Fit to a bank.

        Args:
            bank: `(N, C)` complete windows, N above 1.
            scale: `(C,)` above 0.
            known: `(C,)`: what to predict from.
            penalties: To choose from, each above 0.

        """
        self._bank, self._scale, self._known, self._penalties = bank, scale, known, penalties
        self._mean = bank.mean(axis=0)
        self._fits: dict[bytes, _Fit] = {}

    @property
    def residuals(self) -> Table:
        """Root mean square error `(C,)` on the bank, each row left out; 0 of what is known."""
        residuals = np.zeros(len(self._known))
        residuals[~self._known] = np.sqrt(np.mean(self._fit(self._known).off ** 2, axis=0))
        return residuals

    def predict(self, queries: Table, known: Known, own: NDArray[np.int64] | None = None) -> Table:
        """Return predictions `(B, C)`, of what the fit knows the queries' own.

        Args:
            queries: `(B, C)`; what is not known is never read.
            known: `(B, C)`; of it, what the fit knows too is predicted from.
            own: `(B,)` position in the bank of a query that is a row of it, to be predicted from
                the others; -1 of one that is not.

        """
        usable = known & self._known
        filled = np.where(usable, queries, self._mean)
        patterns, which = np.unique(usable, axis=0, return_inverse=True)
        for number, pattern in enumerate(patterns):
            fit, rows = self._fit(pattern), which.ravel() == number
            guessed = self._mean[~pattern] + self._inputs(filled[rows], pattern) @ fit.weights
            if own is not None:
                places = own[rows]
                inside = places >= 0
                true = self._bank[places[inside]][:, ~pattern]
                guessed[inside] = true - fit.off[places[inside]]
            filled[np.ix_(rows, ~pattern)] = guessed
        return filled

    def _inputs(self, windows: Table, known: Known) -> Table:
        inputs: Table = (windows - self._mean)[:, known] / self._scale[known]
        return inputs

    def _fit(self, known: Known) -> _Fit:
        key = known.tobytes()
        if key not in self._fits:
            wanted = (self._bank - self._mean)[:, ~known]
            self._fits[key] = _fit(self._inputs(self._bank, known), wanted, self._penalties)
        return self._fits[key]


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """What predicts from one set of known numbers.

    Args:
        weights: `(known, masked)`.
        off: `(N, masked)`: the error on each row of the bank, left out in its turn.

    """

    weights: Table
    off: Table


def _fit(inputs: Table, wanted: Table, penalties: tuple[float, ...]) -> _Fit:
    rows = len(inputs)
    left, singular, right = np.linalg.svd(inputs, full_matrices=False)
    projected = left.T @ wanted
    least = np.full(wanted.shape[1], np.inf)
    best = _Fit(np.zeros((inputs.shape[1], wanted.shape[1])), np.zeros_like(wanted))
    for penalty in penalties:
        ridged = singular**2 + rows * penalty
        hat = 1 / rows + left**2 @ (singular**2 / ridged)
        found = left @ ((singular**2 / ridged)[:, None] * projected)
        off = (wanted - found) / (1 - hat)[:, None]
        error = np.mean(off**2, axis=0)
        weights = right.T @ ((singular / ridged)[:, None] * projected)
        better = error < least
        best = _Fit(np.where(better, weights, best.weights), np.where(better, off, best.off))
        least = np.minimum(error, least)
    return best
