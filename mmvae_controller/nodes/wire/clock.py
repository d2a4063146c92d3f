"""The clock that drives the control loop and the ages of its samples."""

from __future__ import annotations

import time

from rclpy.clock import Clock, ClockType
from rclpy.node import Node


class ControlClock:
    """Simulated time where the node follows it, else a steady clock; chosen once.

    Never the wall clock: set back, it would freeze the loop, and set forward, it would make every
    sample old. Header stamps are another matter: they keep the node's own clock.
    """

    def __init__(self, node: Node) -> None:
        """Choose by the node's `use_sim_time`."""
        self.simulated = bool(node.get_parameter('use_sim_time').value)
        self.ros: Clock = (
            node.get_clock() if self.simulated else Clock(clock_type=ClockType.STEADY_TIME)
        )

    def now_ns(self) -> int:
        """Return now."""
        # The same clock as rclpy's steady one, which takes thirty times as long to read.
        return int(self.ros.now().nanoseconds) if self.simulated else time.monotonic_ns()
