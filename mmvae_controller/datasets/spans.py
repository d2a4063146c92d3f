"""Rows as runs of consecutive numbers: of ten million, a few are kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


class Spans:
    """Rows in the order of some runs; indexed like an array of them, by places or a slice."""

    def __init__(self, begins: Rows, ends: Rows) -> None:
        """Take runs `(R,)`, each from its beginning to before its end."""
        self._begins = begins
        # How many rows come before each run, and how many there are in all.
        self._before = np.concatenate([[0], np.cumsum(ends - begins)])

    @classmethod
    def of(cls, rows: Rows) -> Spans:
        """Find the runs in some rows."""
        cuts = np.flatnonzero(np.diff(rows) != 1) + 1
        firsts = np.concatenate([[0], cuts])[: len(rows)]
        lasts = np.concatenate([cuts, [len(rows)]])[: len(rows)] - 1
        return cls(rows[firsts], rows[lasts] + 1)

    def __len__(self) -> int:
        """How many rows there are."""
        return int(self._before[-1])

    def __getitem__(self, places: slice | NDArray[np.integer]) -> Rows:
        """Return the rows at some places, counted from 0."""
        if isinstance(places, slice):
            places = np.arange(*places.indices(len(self)))
        run = np.searchsorted(self._before, places, side='right') - 1
        rows: Rows = self._begins[run] + (places - self._before[run])
        return rows
