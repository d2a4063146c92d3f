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

    Windows that know less than the others have weights of their own, with the same penalties: with
    a mean in place of what they miss, a difference between the time steps would be a wrong one.
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
        self._bank, self._known = bank, known
        self._mean, self._scale = bank.mean(axis=0), scale[known]
        inputs, wanted = self._inputs(bank), (bank - self._mean)[:, ~known]
        left, singular, right = np.linalg.svd(inputs, full_matrices=False)
        projected = left.T @ wanted
        least = np.full(wanted.shape[1], np.inf)
        self._weights = np.zeros((inputs.shape[1], wanted.shape[1]))
        self._off = np.zeros_like(wanted)
        self._penalties = np.zeros(wanted.shape[1])
        for penalty in penalties:
            ridged = singular**2 + len(bank) * penalty
            hat = 1 / len(bank) + left**2 @ (singular**2 / ridged)
            found = left @ ((singular**2 / ridged)[:, None] * projected)
            off = (wanted - found) / (1 - hat)[:, None]
            error = np.mean(off**2, axis=0)
            weights = right.T @ ((singular / ridged)[:, None] * projected)
            better = error < least
            self._weights = np.where(better, weights, self._weights)
            self._off = np.where(better, off, self._off)
            self._penalties = np.where(better, penalty, self._penalties)
            least = np.minimum(error, least)
        self._squared, self._projected = inputs.T @ inputs, inputs.T @ wanted
        self._weights_of: dict[bytes, Table] = {}

    @property
    def residuals(self) -> Table:
        """Root mean square error `(C,)` on the bank, each row left out; 0 of what is known."""
        residuals = np.zeros(len(self._known))
        residuals[~self._known] = np.sqrt(np.mean(self._off**2, axis=0))
        return residuals

    def predict(self, queries: Table, known: Known, own: NDArray[np.int64] | None = None) -> Table:
        """Return predictions `(B, C)`, and the queries' own of what the fit knows.

        Args:
            queries: `(B, C)`; what is not known is never read.
            known: `(B, C)`; what the fit knows and a query does not is its mean in the result,
                and nothing is predicted from it.
            own: `(B,)` position in the bank of a query that is a row of it, to be predicted from
                the others; -1 of one that is not. Rows of the bank are known whole.

        """
        filled = np.where(known & self._known, queries, self._mean)
        inputs = self._inputs(filled)
        patterns, which = np.unique(known[:, self._known], axis=0, return_inverse=True)
        guessed = np.empty((len(queries), len(self._penalties)))
        for number, pattern in enumerate(patterns):
            rows = which.ravel() == number
            guessed[rows] = inputs[np.ix_(rows, pattern)] @ self._weights_from(pattern)
        guessed += self._mean[~self._known]
        if own is not None:
            inside = own >= 0
            guessed[inside] = self._bank[own[inside]][:, ~self._known] - self._off[own[inside]]
        filled[:, ~self._known] = guessed
        return filled

    def _inputs(self, windows: Table) -> Table:
        inputs: Table = (windows - self._mean)[:, self._known] / self._scale
        return inputs

    def _weights_from(self, some: Known) -> Table:
        """Return the weights `(some, masked)` of a fit to some of the inputs alone."""
        if some.all():
            return self._weights
        key = some.tobytes()
        if key not in self._weights_of:
            weights = np.zeros((int(some.sum()), len(self._penalties)))
            squared = self._squared[np.ix_(some, some)]
            for penalty in np.unique(self._penalties):
                ridged = squared + len(self._bank) * penalty * np.eye(len(squared))
                these = self._penalties == penalty
                weights[:, these] = np.linalg.solve(ridged, self._projected[np.ix_(some, these)])
            self._weights_of[key] = weights
        return self._weights_of[key]
