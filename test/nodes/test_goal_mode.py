"""The controller with a goal: it moves while one counts, and says why it holds while none does."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from geometry_msgs.msg import WrenchStamped  # noqa: E402
from mmvae_controller.nodes.errors import RefusedError  # noqa: E402
from mmvae_controller.nodes.wire.qos import NEWEST  # noqa: E402
from rclpy.qos import ReliabilityPolicy  # noqa: E402
from sensor_msgs.msg import JointState  # noqa: E402

GOAL = 'controller: goal'
GATE = 'controller: gate'
PERIOD_S = 0.05


class Shown:
    """A controller that is asked by a goal, and somebody who shows it one."""

    def __init__(
        self, rig: Any, modality: str, kind: type, message: Any, max_age_s: float = 0.4
    ) -> None:
        self.rig = rig(goal_modality=modality, goal_max_age_s=max_age_s)
        self.peer, self.message = self.rig.peer, message
        self._out = self.peer.node.create_publisher(kind, 'controller/goal', NEWEST)
        self._timer: Any = None
        self.peer.feel()
        self.rig.node.start()

    def show(self) -> None:
        """Publish the goal again and again."""
        self._timer = self.peer.node.create_timer(
            PERIOD_S, lambda: self._out.publish(self.message)
        )

    def leave(self) -> None:
        """Show nothing more."""
        self.peer.node.destroy_timer(self._timer)


@pytest.fixture
def touch(rig: Any) -> Shown:
    return Shown(rig, 'touch', WrenchStamped, WrenchStamped())


def test_it_holds_without_a_goal_moves_with_one_and_holds_when_it_is_old(touch: Any):
    status = touch.rig.until_status(GOAL, 'no goal yet: holding')
    assert status.level == b'\x01'
    assert touch.rig.until_standing() == pytest.approx(touch.peer.joints_rad)
    touch.rig.until_status(GATE, 'holding')
    touch.show()
    touch.rig.until_moving()
    touch.rig.until_status(GOAL, 'to a value of touch')
    touch.peer.until(lambda: touch.rig.status(GOAL).level == b'\x00', 'the goal to be fine')
    touch.leave()
    touch.rig.until_status(GOAL, 's old, max 0.4 s: holding')
    touch.rig.until_standing()
    touch.show()
    touch.rig.until_moving()


def test_what_is_no_goal_ends_the_one_before_it(touch: Any):
    touch.show()
    touch.rig.until_moving()
    touch.message = WrenchStamped()
    touch.message.wrench.force.x = float('nan')
    touch.rig.until_status(GOAL, 'the last goal was rejected: the goal is not finite: holding')
    touch.rig.until_standing()
    assert int(touch.rig.value(GOAL, 'rejected')) > 0


def test_a_goal_comes_in_the_message_of_its_sense_and_of_the_right_size(rig: Any):
    joints = Shown(rig, 'joints', JointState, JointState(name=['left'], position=[0.1]))
    joints.show()
    joints.rig.until_status(GOAL, "rejected: name is ['left'], expected also ['right']")
    joints.rig.until_standing()
    joints.message = JointState(name=['right', 'left'], position=[0.3, 0.2])
    joints.rig.until_moving()


def test_a_goal_does_not_move_an_arm_that_was_told_to_stop(touch: Any):
    touch.show()
    touch.rig.until_moving()
    assert touch.peer.call('controller/stop').success
    touch.rig.until_standing()
    touch.rig.until_status(GATE, 'stopped')


def test_what_was_wanted_before_a_stop_is_not_wanted_after_it(rig: Any):
    long = Shown(rig, 'touch', WrenchStamped, WrenchStamped(), max_age_s=60.0)
    long.show()
    long.rig.until_moving()
    long.leave()
    assert long.peer.call('controller/stop').success
    long.rig.until_status(GOAL, 'no goal yet')
    assert long.peer.call('controller/resume').success
    long.rig.until_status(GATE, 'no_goal')
    long.rig.until_standing()


def test_goals_are_asked_for_reliably(touch: Any):
    def listeners() -> Any:
        return touch.peer.node.get_subscriptions_info_by_topic('/controller/goal')

    (listener,) = touch.peer.until(listeners, 'the subscription')
    assert listener.qos_profile.reliability is ReliabilityPolicy.RELIABLE


def test_without_a_goal_modality_it_asks_as_a_policy_and_listens_to_no_goal(rig: Any):
    it = rig()
    it.peer.feel()
    it.node.start()
    it.until_moving()
    assert it.node.count_subscribers('/controller/goal') == 0
    assert it.until_status(GATE, '') is not None
    assert it.status(GOAL) is None


def test_a_goal_that_the_model_has_no_sense_for_is_refused(rig: Any):
    with pytest.raises(RefusedError):
        rig(goal_modality='smell').node.start()
    with pytest.raises(RefusedError):
        rig(goal_modality='motor').node.start()


def test_a_goal_that_counts_for_ever_is_refused(rig: Any):
    with pytest.raises(RefusedError):
        rig(goal_modality='touch', goal_max_age_s=0.0).node.start()
