"""Recorded set-points as the observation window of the robot would have held them."""

from __future__ import annotations

from mmvae_controller.control.set_point import LOST_AFTER_S
from mmvae_controller.control.window import NS
from mmvae_controller.modality.robot import Robot
from mmvae_controller.modality.spec import Quantity
import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
# A loop that is late now and then has set-points that are farther apart than its period.
LATE = 1.5
# What is integrated at a limit and read back is a little beyond it.
SLACK = 1e-6


class SetPoints:
    """Turns positions on the wire into the quantity that a model decodes.

    A velocity is the way from the last set-point over the time since then, as in `Sent`: of a late
    tick, over a period of the loop, for its step counts no longer (`SetPoint.elapsed_s`). Where
    the gate could not have let that through, somebody else sent it, who makes up for lost time, or
    it came too soon after one that was held up on its way, or it is the first one anew, which
    starts at rest where the arm was measured (`SetPoint.begin`).
    What is faster all the same is limited as the gate would, and counted.
    """

    def __init__(self, robot: Robot, apart_ns: int | None) -> None:
        """Start with none.

        Args:
            robot: Whose command.
            apart_ns: The usual time between two set-points; longer than the period of its loop,
                whoever sent them was slower.

        """
        self.too_fast = 0
        self._period_ns = round(NS / robot.rate_hz)
        slower = apart_ns is not None and apart_ns > LATE * self._period_ns
        self._longest_ns = apart_ns if apart_ns is not None and slower else self._period_ns
        self._quantity = Quantity(robot.command.quantity or '')
        limits = robot.output.limits
        self._fastest = np.inf if limits is None else limits.velocity_rad_s
        # From rest, within the first period.
        self._at_first = (
            np.inf if limits is None else limits.acceleration_rad_s2 * self._longest_ns / NS
        )
        self._last: tuple[Vector, int] | None = None
        self._before: tuple[Vector, int] | None = None

    def forget(self) -> None:
        """Begin anew."""
        self._last = self._before = None

    def follow(self, position: Vector, now_ns: int, measured: Vector | None) -> Vector | None:
        """Return the set-point as rad or rad/s, `(D,)`; None if its velocity cannot be known.

        Args:
            position: On the wire, rad.
            now_ns: When it was received.
            measured: Where the commanded joints are, rad; None if that is not known.

        """
        repeated = self.remember(position, now_ns)
        if self._quantity is not Quantity.VELOCITY:
            return position
        if repeated:
            return np.zeros_like(position)
        return self._velocity(position, now_ns, self._before, measured)

    def remember(self, position: Vector, now_ns: int) -> bool:
        """Take a set-point as the one from which the next comes; tell whether it repeats.

        Of an episode that is marked it is the last one before, which makes no row.

        Args:
            position: On the wire, rad.
            now_ns: When it was received.

        """
        repeated = False
        if self._last is not None and self._last[1] == now_ns:
            # At one moment of a coarse clock: the last one counts, and one repeated is a hold.
            repeated = np.array_equal(self._last[0], position)
            self._last = self._before
        self._before, self._last = self._last, (position, now_ns)
        return repeated

    def _velocity(
        self,
        position: Vector,
        now_ns: int,
        before: tuple[Vector, int] | None,
        measured: Vector | None,
    ) -> Vector | None:
        since = None
        if before is not None and now_ns - before[1] <= LOST_AFTER_S * NS:
            way, elapsed_ns = position - before[0], now_ns - before[1]
            counted = way / (min(elapsed_ns, self._longest_ns) / NS)
            since = way / (elapsed_ns / NS)
            # Two that come at once were a period apart before something held the first one up.
            held_up = way / (max(elapsed_ns, self._longest_ns) / NS)
            for velocity in (counted, since, held_up):
                if _within(velocity, self._fastest):
                    return velocity
        if measured is not None:
            first = (position - measured) / (self._longest_ns / NS)
            if _within(first, np.minimum(self._at_first, self._fastest)):
                return first
        if since is None:
            return None
        self.too_fast += 1
        return np.clip(since, -self._fastest, self._fastest)


def _within(velocity: Vector, limits: Vector | float) -> bool:
    return bool((np.abs(velocity) <= limits * (1 + SLACK)).all())
