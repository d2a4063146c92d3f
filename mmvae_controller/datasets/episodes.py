"""Which rows of a recording are one episode: kept for each episode, not for each row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mmvae_controller.datasets.spans import Rows, Spans
import numpy as np
from numpy.typing import NDArray

# Of no episode.
NO_NUMBER = np.iinfo(np.int64).min


class Episodes:
    """Where the episodes of a recording begin, in whichever shard they do."""

    def __init__(
        self, shards: Iterable[NDArray[np.generic]], continued: Sequence[int] = ()
    ) -> None:
        """Take what tells them apart.

        Args:
            shards: The number of the episode each row belongs to, one shard after the other.
            continued: Episodes that are more of the one numbered before them: no split may come
                between the two.

        """
        begins, numbers = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        last, count = NO_NUMBER, 0
        for shard in shards:
            # An episode may go on in the next shard.
            first = np.flatnonzero(np.diff(shard.astype(np.int64), prepend=last))
            begins.append(count + first)
            numbers.append(shard[first].astype(np.int64))
            last, count = int(shard[-1]) if len(shard) else last, count + len(shard)
        self._begins: Rows = np.concatenate(begins)
        self._numbers: Rows = np.concatenate(numbers)
        self._ends: Rows = np.append(self._begins[1:], count)
        self._continued = np.asarray(continued, dtype=np.int64)

    def begin(self, rows: Rows) -> Rows:
        """Return the first row of the episode of each of some rows."""
        begins: Rows = self._begins[np.searchsorted(self._begins, rows, side='right') - 1]
        return begins

    def number_of_each_row(self) -> Rows:
        """Return the number of the episode of every row there is."""
        return np.repeat(self._numbers, self._ends - self._begins)

    def split(self, held_out: float, seed: int) -> tuple[Spans, Spans]:
        """Return the rows of the episodes to train on, and of those held out.

        What is continued goes where its beginning goes: it holds almost the same moments.
        """
        episodes = np.unique(self._numbers)
        begins = episodes[~np.isin(episodes, self._continued)]
        # Without a beginning the first that is there is one.
        begins = np.union1d(begins, episodes[:1])
        shuffled = np.random.default_rng(seed).permutation(begins)
        held_begins = shuffled[: round(len(begins) * held_out)]
        beginning = begins[np.searchsorted(begins, self._numbers, side='right') - 1]
        held = np.isin(beginning, held_begins)
        return self._spans(~held), self._spans(held)

    def _spans(self, chosen: NDArray[np.bool_]) -> Spans:
        """Join chosen episodes that follow each other."""
        edges = np.diff(chosen.astype(np.int8), prepend=0, append=0)
        firsts, lasts = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
        return Spans(self._begins[firsts], self._ends[lasts])
