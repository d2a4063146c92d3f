"""How fast simulated time passes."""

from __future__ import annotations

from collections import deque
import math

from mmvae_controller.control.window import NS

# More than this behind, the rest is given up: catching up would leave nobody time to react.
MAX_CATCH_UP = 4
MEMORY = 200


class Pace:
    """Tells how many batches of physics are due, and what was achieved."""

    def __init__(self, factor: float, batch_ns: int) -> None:
        """Start at the first call.

        Args:
            factor: Simulated seconds per second.
            batch_ns: Simulated time in a batch.

        """
        self.factor = factor
        self.period_s = batch_ns / factor / NS
        self._batch_ns = batch_ns
        self._next_ns: float | None = None
        self._done: deque[tuple[int, int]] = deque(maxlen=MEMORY)
        self._batches = 0

    def due(self, now_ns: int) -> int:
        """Return how many batches to run now; `now_ns` is on a steady clock."""
        period_ns = self.period_s * NS
        if self._next_ns is None:
            self._next_ns = now_ns
        # A timer fires a little early or late: half a period each way is still one batch.
        due = max(0, math.floor((now_ns - self._next_ns) / period_ns + 0.5) + 1)
        self._next_ns += due * period_ns
        if due > MAX_CATCH_UP:
            due = MAX_CATCH_UP
        self._batches += due
        self._done.append((now_ns, self._batches))
        return due

    def achieved(self) -> float:
        """Return the simulated seconds per second over the last few seconds."""
        if len(self._done) < 2 or self._done[-1][0] == self._done[0][0]:
            return self.factor
        (start_ns, first), (end_ns, last) = self._done[0], self._done[-1]
        return (last - first) * self._batch_ns / (end_ns - start_ns)
