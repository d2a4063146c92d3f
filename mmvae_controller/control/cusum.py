"""A sequential test of one sense, a CUSUM (Page 1954): does it surprise once, or go on?

The surprise of sound running has a distribution that is measured, not assumed. Evidence is how far
in its tail a surprise lies: 0 up to a level, beyond it the logarithm of how rare. Its sum less an
allowance, never below 0, falls back after single surprises and climbs while they last.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

from mmvae_controller.control.errors import ControlError

# As rare as 1 in e^6; rarer counts no more, so that no single sample raises an alarm.
LARGEST_EVIDENCE = 6.0
SMALLEST_SURPRISE = 1e-9


@dataclass(frozen=True, slots=True)
class SoundRunning:
    """How surprising one sense is while nothing is wrong with it.

    Args:
        level: Of the logarithm of the surprise, up to which there is no evidence.
        scale: By how much it has to be larger for e times as rare; above 0.
        allowance: Evidence that is expected of each sample, and more; above 0.
        threshold: Of the sum, at which the sense is no longer believed; above 0; inf while it is
            being fitted: never.

    Raises:
        ControlError: One of them is out of range.

    """

    level: float
    scale: float
    allowance: float
    threshold: float

    def __post_init__(self) -> None:
        """Refuse what finds nothing, or everything."""
        numbers = (self.level, self.scale, self.allowance, self.threshold)
        finite = math.isfinite(sum(numbers[:3])) and not math.isnan(self.threshold)
        if not (finite and min(numbers[1:]) > 0):
            raise ControlError(f'{self}: expected finite numbers, all but the level above 0')

    def evidence(self, surprise: float) -> float:
        """Return how rare a surprise is, up to `LARGEST_EVIDENCE`, as NaN is."""
        if not surprise < math.inf:
            return LARGEST_EVIDENCE
        rare = (math.log(max(surprise, SMALLEST_SURPRISE)) - self.level) / self.scale
        return min(max(rare, 0.0), LARGEST_EVIDENCE)


class Cusum:
    """The sum for one sense, and since when it is above 0."""

    def __init__(self, sound: SoundRunning) -> None:
        """Start at 0."""
        self.sound = sound
        self.total = 0.0
        self.since_ns: int | None = None

    def clear(self) -> None:
        """Start anew."""
        self.total, self.since_ns = 0.0, None

    @property
    def share(self) -> float:
        """How much speaks against it, 1 at the alarm."""
        return self.total / self.sound.threshold

    def agrees(self, surprise: float) -> bool:
        """Tell whether a surprise alone speaks for the sense."""
        return self.sound.evidence(surprise) <= self.sound.allowance

    def add(self, surprise: float, now_ns: int) -> bool:
        """Take a surprise; return whether the sense is to be believed no longer.

        `since_ns` is then when it most likely began.
        """
        self.total = max(0.0, self.total + self.sound.evidence(surprise) - self.sound.allowance)
        if self.total == 0:
            self.since_ns = None
        elif self.since_ns is None:
            self.since_ns = now_ns
        return self.total >= self.sound.threshold
