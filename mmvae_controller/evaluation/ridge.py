"""Linear regression from the known numbers of a window to the masked ones, with an L2 penalty."""

from __future__ import annotations

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
        self._known = known
        self._mean = bank.mean(axis=0)
        self._scale = scale[known]
        wanted = (bank - self._mean)[:, ~known]
        left, singular, right = np.linalg.svd(self._inputs(bank), full_matrices=False)
        projected = left.T @ wanted
        least = np.full(wanted.shape[1], np.inf)
        self._weights = np.zeros((int(known.sum()), wanted.shape[1]))
        self._off = np.zeros_like(wanted)
        for penalty in penalties:
            ridged = singular**2 + len(bank) * penalty
            hat = 1 / len(bank) + left**2 @ (singular**2 / ridged)
            found = left @ ((singular**2 / ridged)[:, None] * projected)
            off = (wanted - found) / (1 - hat)[:, None]
            error = np.mean(off**2, axis=0)
            weights = right.T @ ((singular / ridged)[:, None] * projected)
            self._weights = np.where(error < least, weights, self._weights)
            self._off = np.where(error < least, off, self._off)
            least = np.minimum(error, least)
        self._bank = bank

    @property
    def residuals(self) -> Table:
        """Root mean square error `(C,)` on the bank, each row left out; 0 of what is known."""
        residuals = np.zeros(len(self._known))
        residuals[~self._known] = np.sqrt(np.mean(self._off**2, axis=0))
        return residuals

    def predict(self, queries: Table, known: Known, own: NDArray[np.int64] | None = None) -> Table:
        """Return predictions `(B, C)`, of what the fit knows the queries' own.

        Args:
            queries: `(B, C)`; what is not known is never read.
            known: `(B, C)`; what the fit knows and a query does not counts as its mean.
            own: `(B,)` position in the bank of a query that is a row of it, to be predicted from
                the others; -1 of one that is not.

        """
        filled = np.where(known, queries, self._mean)
        guessed = self._mean[~self._known] + self._inputs(filled) @ self._weights
        if own is not None:
            inside = own >= 0
            guessed[inside] = self._bank[own[inside]][:, ~self._known] - self._off[own[inside]]
        filled[:, ~self._known] = guessed
        return filled

    def _inputs(self, windows: Table) -> Table:
        inputs: Table = (windows - self._mean)[:, self._known] / self._scale
        return inputs
