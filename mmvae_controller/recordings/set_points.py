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


class SetPoints:
    """Turns positions on the wire into the quantity that a model decodes.

    A velocity is the way from the last set-point over the time since then, as in `Sent`: of a late
    tick, over a period of the loop, for a step of it counts no longer (`SetPoint.elapsed_s`). The
    first one starts where the arm was measured (`SetPoint.begin`), and so does one after the arm
    has left the last (`SetPoint.left_by`).
    """

    def __init__(self, robot: Robot, apart_ns: int | None) -> None:
        """Start with none.

        Args:
            robot: Whose command.
            apart_ns: The usual time between two set-points; longer than the period of its loop,
                whoever sent them was slower.

        """
        self._period_ns = round(NS / robot.rate_hz)
        slower = apart_ns is not None and apart_ns > LATE * self._period_ns
        self._longest_ns = apart_ns if apart_ns is not None and slower else self._period_ns
        self._quantity = Quantity(robot.command.quantity or '')
        self._furthest_rad = robot.max_following_error_rad
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
        repeated = False
        if self._last is not None and self._last[1] == now_ns:
            # At one moment of a coarse clock: the last one counts, and one repeated is a hold.
            repeated = np.array_equal(self._last[0], position)
            self._last = self._before
        start = self._start(now_ns, measured)
        self._before, self._last = self._last, (position, now_ns)
        if self._quantity is not Quantity.VELOCITY:
            return position
        if repeated:
            return np.zeros_like(position)
        if start is None:
            return None
        before, elapsed_ns = start
        return (position - before) / (min(elapsed_ns, self._longest_ns) / NS)

    def _start(self, now_ns: int, measured: Vector | None) -> tuple[Vector, int] | None:
        """Return where the way to a set-point began, and how long ago."""
        if self._last is not None:
            position, stamp_ns = self._last
            lost = now_ns - stamp_ns > LOST_AFTER_S * NS
            left = measured is not None and np.abs(measured - position).max() > self._furthest_rad
            if not (lost or left):
                return position, now_ns - stamp_ns
        return None if measured is None else (measured, self._longest_ns)
