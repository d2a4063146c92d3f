"""Curves that can be read: exponential smoothing of named numbers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
import math
from typing import Generic, TypeVar

K = TypeVar('K', bound=Hashable)


class Smoother(Generic[K]):
    """Smooths numbers by key; after one that is not finite a key begins anew."""

    def __init__(self, time_s: float) -> None:
        """Start empty; a step has come through by 63 % after `time_s`, 0 smooths nothing."""
        self._time_s = time_s
        self._values: dict[K, float] = {}

    @property
    def newest(self) -> Mapping[K, float]:
        """The smoothed numbers, by key."""
        return self._values

    def clear(self) -> None:
        """Forget everything: what comes next is of another time."""
        self._values.clear()

    def forget(self, key: K) -> None:
        """Forget one number: the next one is passed on as it is."""
        self._values.pop(key, None)

    def smooth(self, key: K, value: float, elapsed_s: float) -> float | None:
        """Return the smoothed value, or None for one that is not finite, which forgets the key.

        Args:
            key: Which number.
            value: Measured now.
            elapsed_s: Since the last one, 0 or above.

        """
        if not math.isfinite(value):
            self.forget(key)
            return None
        last = self._values.get(key, value)
        keep = math.exp(-elapsed_s / self._time_s) if self._time_s > 0 else 0.0
        # In this order a first value, and one that does not change, comes out to the last bit.
        self._values[key] = value + keep * (last - value)
        return self._values[key]
