"""How simulated time goes beside the steady clock; no ROS."""

from __future__ import annotations

import numpy as np


class Pace:
    """Notes what a simulated clock says, and when; tells what it said at other moments."""

    def __init__(self) -> None:
        """Start without a clock: time is that of the steady one."""
        self._steady_s: list[float] = []
        self._told_s: list[float] = []

    def hear(self, steady_s: float, told_s: float) -> None:
        """Take what the clock says; set back, it begins anew."""
        if self._told_s and told_s < self._told_s[-1]:
            self._steady_s.clear()
            self._told_s.clear()
        self._steady_s.append(steady_s)
        self._told_s.append(told_s)

    def at(self, steady_s: float) -> float:
        """Return simulated time at a moment; before the first and after the last it stands."""
        if self.factor is None:
            return steady_s
        return float(np.interp(steady_s, self._steady_s, self._told_s))

    @property
    def factor(self) -> float | None:
        """Simulated seconds in a real one; None if nobody tells."""
        if not self._steady_s or self._steady_s[-1] <= self._steady_s[0]:
            return None
        told_s = self._told_s[-1] - self._told_s[0]
        return told_s / (self._steady_s[-1] - self._steady_s[0])
