"""The set-point: what was sent last, for as long as it may be repeated."""

from __future__ import annotations

from mmvae_controller.control.gate import Decision, Sent
from mmvae_controller.control.window import NS
from mmvae_controller.modality.limits import JointLimits
from mmvae_controller.modality.robot import Robot
import numpy as np
from numpy.typing import NDArray

# A joint that rests on its limit may be measured beyond it by what float32 cannot hold.
LIMIT_SLACK_RAD = 1e-5
# Unmeasured for so long, and for longer than it may be predicted, the arm may be anywhere: the
# last set-point is no safe place any more.
LOST_AFTER_S = 1.0
# How the reason ends that only an operator can end: the arm was hindered, or its joints lie.
LET_GO = 'let go until resumed'


class SetPoint:
    """Begins where the arm is measured inside its limits, and follows what is sent.

    It is given up when the arm does not follow it or is not measured any more: to repeat it then
    could make the arm jump to a place it left long ago. When that is, the controller says.
    """

    def __init__(self, robot: Robot, limits: JointLimits) -> None:
        """Start without one."""
        self._limits = limits
        self._furthest_rad = robot.max_following_error_rad
        self._period_s = 1 / robot.rate_hz
        self._lost_after_ns = round(
            max(LOST_AFTER_S, robot.max_prediction_s.get(robot.anchor, 0)) * NS
        )
        self.sent: Sent | None = None
        self.sent_ns = 0
        self._measured_ns: int | None = None

    def forget(self) -> None:
        """Give it up."""
        self.sent = None
        self._measured_ns = None

    def begin(self, measured: NDArray[np.float64], now_ns: int) -> str:
        """Take the measured position `(D,)` rad; refuse one outside the limits and say so."""
        limits = self._limits
        beyond_rad = np.maximum(limits.lower_rad - measured, measured - limits.upper_rad)
        worst = int(np.argmax(beyond_rad))
        if beyond_rad[worst] > LIMIT_SLACK_RAD:
            return (
                f'{limits.joints[worst]} is outside the limits: at {measured[worst]:.4f} rad, '
                f'expected {limits.lower_rad[worst]:g} to {limits.upper_rad[worst]:g}'
            )
        inside = np.clip(measured, limits.lower_rad, limits.upper_rad)
        self.sent = Sent(inside, np.zeros_like(inside))
        self.sent_ns = now_ns - round(self._period_s * NS)
        return ''

    def follow(self, decision: Decision, now_ns: int) -> None:
        """Become what was decided."""
        self.sent, self.sent_ns = decision.sent, now_ns

    def elapsed_s(self, now_ns: int) -> float:
        """Return for how long a step counts: a late tick must not make up for lost time."""
        return min((now_ns - self.sent_ns) / NS, self._period_s)

    def measured(self, now_ns: int) -> None:
        """Note that the arm is measured, by joints that are believed."""
        self._measured_ns = now_ns

    def is_lost(self, now_ns: int) -> bool:
        """Tell whether the arm was not measured for too long."""
        if self._measured_ns is None or now_ns < self._measured_ns:
            self._measured_ns = now_ns  # Counted from here, also when the clock was set back.
        return now_ns - self._measured_ns > self._lost_after_ns

    def left_by(self, position: NDArray[np.float64]) -> str:
        """Say which joint is too far from it; empty if none is.

        Args:
            position: Where the joints say they are, `(D,)` rad.

        """
        if self.sent is None:
            return ''
        error_rad = np.abs(position - self.sent.position)
        worst = int(np.argmax(error_rad))
        if error_rad[worst] <= self._furthest_rad:
            return ''
        return (
            f'{self._limits.joints[worst]} is {error_rad[worst]:.3f} rad from its set-point, '
            f'max_following_error_rad {self._furthest_rad:g}: {LET_GO}'
        )
