"""Watches an episode from outside: what was sent, and which senses the controller gave up."""

from __future__ import annotations

from collections.abc import Mapping

from mmvae_controller.control.tick import Tick
from mmvae_controller.control.window import NS, SenseState
from mmvae_controller.modality.limits import JointLimits
import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
# Positions of at most 2 pi rad are rounded to 9e-16; a difference of two, over a period of 1 ms,
# is a speed that is wrong by 2e-12 rad/s. A thousand times that is a billionth of a limit.
SPEED_TOLERANCE_RAD_S = 2e-9


def detected(tick: Tick, sense: str) -> bool:
    """Tell whether the controller does not take a sense for measured at this tick.

    It is predicted or masked, whatever for: no message, nothing shown, distrusted.
    """
    return tick.senses[sense] is not SenseState.MEASURED


class CommandWatch:
    """Counts commands that no joint should be sent; it shares no code with the gate.

    A command is unsafe if it is not finite, outside the position limits, or farther from the
    last one sent than the limits of speed and of change of speed allow. A command that repeats
    the last one is a hold: it may stop at once, see docs/safety.md.
    """

    def __init__(self, limits: JointLimits) -> None:
        """Nothing was sent yet."""
        self.unsafe = 0
        self.largest_jump_rad = 0.0
        self._limits = limits
        self._position: Vector | None = None
        self._velocity: Vector | None = None
        self._sent_ns = 0

    def see(self, now_ns: int, position: Vector | None, truth: Vector) -> None:
        """Judge what was sent at a tick.

        Args:
            now_ns: When.
            position: `(D,)` rad; None if nothing was sent.
            truth: `(D,)` rad, where the joints really are.

        """
        if position is None:
            self._position = self._velocity = None
            return
        if not np.isfinite(position).all():
            self.unsafe += 1  # Where the next one is counted from is still the last that was one.
            return
        outside = bool(
            np.any(position < self._limits.lower_rad) or np.any(position > self._limits.upper_rad)
        )
        # Both are asked: the second remembers.
        self.unsafe += self._too_fast(now_ns, position) or outside
        if self._position is None:
            jump_rad = float(np.max(np.abs(position - truth)))
            self.largest_jump_rad = max(self.largest_jump_rad, jump_rad)
        self._position, self._sent_ns = np.array(position), now_ns

    def _too_fast(self, now_ns: int, position: Vector) -> bool:
        """Judge speed and change of speed; of the first command after silence there is none."""
        last, last_velocity = self._position, self._velocity
        if last is None:
            self._velocity = None
            return False
        if np.array_equal(position, last):
            self._velocity = np.zeros_like(position)
            return False
        elapsed_s = (now_ns - self._sent_ns) / NS
        velocity = self._velocity = (position - last) / elapsed_s
        slow = np.all(np.abs(velocity) <= self._limits.velocity_rad_s + SPEED_TOLERANCE_RAD_S)
        if last_velocity is None:
            return not slow
        change = self._limits.acceleration_rad_s2 * elapsed_s + 2 * SPEED_TOLERANCE_RAD_S
        return not (slow and np.all(np.abs(velocity - last_velocity) <= change))


class SenseWatch:
    """Notes when senses that are at fault are given up, and how often others are."""

    def __init__(self, faulty: Mapping[str, int]) -> None:
        """Begin an episode; by modality how long after the first tick its fault begins, in ns."""
        self._faulty = dict(faulty)
        self._began_ns: int | None = None
        self._given_up: set[str] = set()
        self.delay_s: dict[str, float | None] = dict.fromkeys(faulty)
        self.false_alarms = 0

    def see(self, tick: Tick) -> None:
        """Note what one tick gave up."""
        now_ns = tick.observation.stamp_ns
        if self._began_ns is None:
            self._began_ns = now_ns
        elapsed_ns = now_ns - self._began_ns
        given_up = {name for name in tick.senses if detected(tick, name)}
        for name in given_up:
            if name not in self._faulty or elapsed_ns < self._faulty[name]:
                self.false_alarms += name not in self._given_up
            elif self.delay_s[name] is None:
                self.delay_s[name] = (elapsed_ns - self._faulty[name]) / NS
        self._given_up = given_up
