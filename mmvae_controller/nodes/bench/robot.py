"""A robot that notes when it told where its joints are, and when it was told to move.

    python -m mmvae_controller.nodes.bench.robot SETTINGS.json RESULT.json

It follows every command at once, so a controller finds the arm where it sent it. Times are those
of the middleware, on the system clock: how busy this program is does not count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
import json
import os
from pathlib import Path
import sys
import time
from typing import Any

from geometry_msgs.msg import WrenchStamped
from mmvae_controller.nodes.bench import NAMESPACE
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray

NS = 1_000_000_000
# So many commands may wait to be counted.
DEPTH = 2000
# The last answers are given this long.
GRACE_S = 0.2
TICKS_PER_S = os.sysconf('SC_CLK_TCK')


@dataclass(frozen=True, slots=True)
class Settings:
    """What the robot does.

    Args:
        joints: Their names.
        start_rad: Where they are.
        rate_hz: Of the joint states.
        seconds: For how long they are counted.
        patience_s: How long to wait for the first command.
        warm_up_s: How long to go on after it before counting begins.
        pid: Of the process whose processor time is counted.

    """

    joints: tuple[str, ...]
    start_rad: tuple[float, ...]
    rate_hz: float
    seconds: float
    patience_s: float
    warm_up_s: float
    pid: int


@dataclass(slots=True)
class Noted:
    """What was measured: times on the system clock in ns, seconds of the processor and in all.

    And how many of the commands were for elsewhere than the arm was.
    """

    published_ns: list[int] = field(default_factory=list)
    received_ns: list[int] = field(default_factory=list)
    cpu_s: float = 0.0
    took_s: float = 0.0
    moved: int = 0


class Robot(Node):
    """Tells joint states and obeys."""

    def __init__(self, settings: Settings) -> None:
        """Connect."""
        super().__init__('robot', namespace=NAMESPACE)
        self.noted = Noted()
        self._settings = settings
        self._state = JointState(name=list(settings.joints), position=list(settings.start_rad))
        sensor = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        self._states = self.create_publisher(JointState, 'joint_states', sensor)
        self._touches = self.create_publisher(WrenchStamped, 'touch', sensor)
        self._touch = WrenchStamped()
        self.create_subscription(Float64MultiArray, 'joint_command', self._obey, DEPTH)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self)

    def run(self) -> None:
        """Wait for the first command, warm up, and count.

        Raises:
            SystemExit: No command came.

        """
        self._go_on(self._settings.patience_s, until_commanded=True)
        if not self.noted.received_ns:
            raise SystemExit(f'no command within {self._settings.patience_s:g} s')
        self._go_on(self._settings.warm_up_s)
        self.noted.published_ns.clear()
        self.noted.received_ns.clear()
        self.noted.moved = 0
        before_s, began = cpu_s(self._settings.pid), time.monotonic()
        self._go_on(self._settings.seconds)
        self.noted.cpu_s = cpu_s(self._settings.pid) - before_s
        self.noted.took_s = time.monotonic() - began
        self._listen(time.monotonic() + GRACE_S)

    def _go_on(self, seconds: float, until_commanded: bool = False) -> None:
        period_s = 1 / self._settings.rate_hz
        began = time.monotonic()
        for number in range(round(seconds * self._settings.rate_hz)):
            self._listen(began + number * period_s)
            if until_commanded and self.noted.received_ns:
                return
            now_ns = time.time_ns()
            self._state.header.stamp.sec = now_ns // NS
            self._state.header.stamp.nanosec = now_ns % NS
            self.noted.published_ns.append(now_ns)
            self._states.publish(self._state)
            self._touches.publish(self._touch)

    def _listen(self, until_s: float) -> None:
        while (left_s := until_s - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left_s)

    def _obey(self, command: Float64MultiArray, info: Mapping[str, Any]) -> None:
        self.noted.received_ns.append(int(info['received_timestamp']))
        self.noted.moved += command.data != self._state.position
        self._state.position = command.data


def cpu_s(pid: int) -> float:
    """Return how many seconds of the processor a process has used."""
    fields = Path(f'/proc/{pid}/stat').read_text(encoding='utf-8').rpartition(')')[2].split()
    user, system = fields[11:13]
    return (int(user) + int(system)) / TICKS_PER_S


def main() -> None:
    """Run as a program."""
    settings, result = map(Path, sys.argv[1:3])
    rclpy.init()
    robot = Robot(Settings(**json.loads(settings.read_text(encoding='utf-8'))))
    robot.run()
    result.write_text(json.dumps(asdict(robot.noted)), encoding='utf-8')


if __name__ == '__main__':
    main()
