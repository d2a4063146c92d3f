"""A simulated clock that jumps, goes back or freezes: the controller node holds, and goes on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from builtin_interfaces.msg import Time  # noqa: E402
from mmvae_controller.control.window import NS  # noqa: E402
from mmvae_controller.nodes.wire.qos import CLOCK  # noqa: E402
from rosgraph_msgs.msg import Clock  # noqa: E402

BEAT_S = 0.01
HOUR_NS = 3600 * NS
# The robot's is 50 Hz at 0.2 rad/s; where the arm is measured lags behind its set-point.
STEP_RAD = 0.2 / 50
LAG_RAD = 10 * STEP_RAD


class Timed:
    """A controller on a clock that obeys, and an arm that goes where it is commanded."""

    def __init__(self, rig: Any) -> None:
        self.rig = rig(use_sim_time=True)
        self.peer = self.rig.peer
        self.now_ns = 100 * NS
        self._clock = self.peer.node.create_publisher(Clock, '/clock', CLOCK)
        self.timer = self.peer.node.create_timer(BEAT_S, self._beat)
        self.peer.feel()
        self.rig.node.start()
        self.rig.until_moving()

    def path(self) -> np.ndarray:
        """Return all that was commanded, `(T, D)`."""
        return np.array([c.data for c in self.rig.commands])

    def watch(self, count: int) -> np.ndarray:
        """Return the path from the last command on, for so many more."""
        del self.rig.commands[:-1]
        self.peer.until(lambda: len(self.rig.commands) > count, 'commands')
        return self.path()

    def _beat(self) -> None:
        if self.rig.commands:
            self.peer.joints_rad = list(self.rig.commands[-1].data)
        self.now_ns += round(BEAT_S * NS)
        self._clock.publish(Clock(clock=Time(sec=self.now_ns // NS, nanosec=self.now_ns % NS)))


@pytest.fixture
def timed(rig: Any) -> Timed:
    return Timed(rig)


@pytest.mark.parametrize(
    'jump',
    [
        pytest.param(lambda now_ns: now_ns + HOUR_NS, id='an hour forward'),
        pytest.param(lambda now_ns: now_ns - now_ns, id='back to zero'),
        pytest.param(lambda now_ns: now_ns - NS // 2, id='back by half a second'),
    ],
)
def test_a_clock_that_jumps_makes_no_command_jump_and_the_arm_goes_on(timed: Timed, jump: Any):
    timed.watch(20)
    timed.now_ns = jump(timed.now_ns)
    path = timed.watch(100)
    assert np.abs(np.diff(path, axis=0)).max() < LAG_RAD
    assert np.all(np.diff(path[-5:], axis=0) > 0)
    timed.rig.until_status('controller: gate', 'pass')


def test_a_clock_that_jumps_while_the_senses_are_silent_moves_nothing(timed: Timed):
    timed.peer.silent = {'camera/image_raw', 'joint_states', 'touch'}
    timed.now_ns += HOUR_NS
    timed.rig.until_status('controller: gate', 'no set-point: joints is not known')
    timed.rig.commands.clear()
    timed.now_ns = 0
    # Samples from before the first jump are as old as they were, and not from the future.
    timed.rig.until_status('controller: gate', 'no set-point: joints is not known')
    assert timed.rig.commands == []
    timed.peer.silent = set()
    timed.rig.until_moving()


def test_a_clock_that_freezes_holds_the_arm_and_jumps_on_without_a_jump_of_the_arm(timed: Timed):
    timed.watch(20)
    timed.timer.cancel()
    timed.rig.until_status('controller: gate', 'holding: watchdog')
    stands = timed.rig.until_standing()
    timed.now_ns += HOUR_NS
    timed.timer.reset()
    path = timed.watch(100)
    assert np.abs(path[1] - stands).max() < LAG_RAD
    assert np.abs(np.diff(path, axis=0)).max() < LAG_RAD
    assert np.all(np.diff(path[-5:], axis=0) > 0)
