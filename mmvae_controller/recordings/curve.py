"""A curve for a picture, from a recording of any length."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# So many points of a curve are kept, for a picture that is not wider.
CURVE_POINTS = 4000


class Curve:
    """A curve of which every other point is left out whenever there are too many."""

    def __init__(self) -> None:
        """Start empty."""
        self.at_s: list[float] = []
        self.values: list[NDArray[np.generic]] = []
        self._every, self._count = 1, 0

    def add(self, at_s: float, value: NDArray[np.generic]) -> None:
        """Take a point."""
        if self._count % self._every == 0:
            self.at_s.append(at_s)
            self.values.append(value)
        self._count += 1
        if len(self.at_s) > CURVE_POINTS:
            del self.at_s[1::2], self.values[1::2]
            self._every *= 2
