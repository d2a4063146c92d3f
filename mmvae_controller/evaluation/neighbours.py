"""The nearest training windows in the space of what is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 5
CHUNK = 256

Table = NDArray[np.float64]
Known = NDArray[np.bool_]


class Neighbours:
    """Predicts every number of a window as the mean over the windows most like it.

    Distances are Euclidean over the known numbers, each divided by its scale.
    """

    def __init__(self, bank: Table, scale: Table, count: int = NEIGHBOURS) -> None:
        """Search in a bank.

        Args:
            bank: `(N, C)` complete windows, N above `count`.
            scale: `(C,)` above 0.
            count: How many neighbours a prediction is the mean of.

        """
        self._bank = bank
        self._scaled = bank / scale
        self._squares = self._scaled**2
        self._scale = scale
        self._count = count

    def predict(self, queries: Table, known: Known, own: NDArray[np.int64] | None = None) -> Table:
        """Return predictions `(B, C)`.

        Args:
            queries: `(B, C)`; what is not known is never read.
            known: `(B, C)`; where nothing is, the mean of the bank is predicted.
            own: `(B,)` position in the bank of a query that is a row of it, to be left out; -1
                of one that is not.

        """
        scaled = np.where(known, queries / self._scale, 0.0)
        distance = known.astype(np.float64) @ self._squares.T
        distance += (scaled**2).sum(axis=1, keepdims=True) - 2 * scaled @ self._scaled.T
        if own is not None:
            inside = np.flatnonzero(own >= 0)
            distance[inside, own[inside]] = np.inf
        nearest = np.argpartition(distance, self._count - 1, axis=1)[:, : self._count]
        found: Table = self._bank[nearest].mean(axis=1)
        found[~known.any(axis=1)] = self._bank.mean(axis=0)
        return found

    def residuals(self, known: Known) -> Table:
        """Return the root mean square error `(C,)` on the bank, each row left out in its turn.

        Args:
            known: `(C,)`: what is known of each row.

        """
        total = np.zeros(self._bank.shape[1])
        for start in range(0, len(self._bank), CHUNK):
            own = np.arange(start, min(start + CHUNK, len(self._bank)))
            rows = self._bank[own]
            mask = np.broadcast_to(known, rows.shape)
            total += ((self.predict(rows, mask, own) - rows) ** 2).sum(axis=0)
        return np.sqrt(total / len(self._bank))
