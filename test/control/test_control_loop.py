"""The controller core: when it commands, what it holds, and how it starts again."""

from dataclasses import replace

from mmvae_controller.control.controller import Controller
from mmvae_controller.control.errors import ControlError
from mmvae_controller.control.gate import Reason
from mmvae_controller.control.policy import Estimate
from mmvae_controller.control.window import NS
from mmvae_controller.modality.observation import CURRENT, PREVIOUS
from mmvae_controller.modality.spec import Quantity
import numpy as np
import pytest

PERIOD_NS = NS // 50
PICTURE = np.full((8, 8, 3), 9, dtype=np.uint8)
# In the order of the sense: right, spare, left.
MEASURED = np.array([0.5, 9.0, -0.25])


class Wish:
    """A policy that always wants the same, and counts how often it was asked."""

    def __init__(self, value, std=0.0):
        self.value = np.array(value, dtype=float)
        self.std = np.full(2, std)
        self.asked = 0

    def decide(self, observation):
        self.asked += 1
        self.seen = {n: v.copy() for n, v in observation.values.items()}
        self.known = observation.known.copy()
        return Estimate(self.value, self.std)


@pytest.fixture
def wish():
    return Wish([0.1, -0.1])


@pytest.fixture
def controller(robot, wish):
    return Controller(robot, robot.modalities, 0.1, wish)


def sense(controller, now_ns, joints=MEASURED, picture=PICTURE):
    if joints is not None:
        controller.push('joints', np.array(joints), now_ns)
    if picture is not None:
        controller.push('camera', picture, now_ns)


def run(controller, start_ns, count, **senses):
    """Tick with fresh senses and return every tick."""
    ticks = []
    for number in range(count):
        now_ns = start_ns + number * PERIOD_NS
        sense(controller, now_ns, **senses)
        ticks.append(controller.tick(now_ns))
    return ticks


def test_without_limits_nothing_can_be_controlled(robot, wish):
    free = replace(robot, output=replace(robot.output, limits=None))
    with pytest.raises(ControlError, match=r"'small' has no joint limits: give modalities\.motor"):
        Controller(free, robot.modalities, 0.1, wish)


def test_a_model_of_other_modalities_is_refused(robot, wish):
    ears = replace(robot.modalities[0], name='ears')
    with pytest.raises(ControlError, match=r"\['ears'.*does not fit robot 'small'"):
        Controller(robot, (ears, *robot.modalities[1:]), 0.1, wish)
    with pytest.raises(ControlError, match='does not fit'):
        Controller(robot, robot.modalities[:3], 0.1, wish)


def test_no_command_before_the_joints_were_measured(controller, wish):
    for tick in run(controller, NS, 5, joints=None):
        assert tick.decision is None
        assert tick.missing == ('joints',)
    assert controller.hold(Reason.STOPPED, NS) is None
    assert wish.asked == 0


@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_joints_that_are_not_finite_are_no_start(controller, bad):
    assert run(controller, NS, 3, joints=[0.5, 0.0, bad])[-1].decision is None


@pytest.mark.parametrize('joints', [[0.5, 0.0, 1.01], [-2.01, 0.0, 0.0]])
def test_an_arm_measured_outside_its_limits_is_commanded_nothing(controller, joints):
    assert run(controller, NS, 3, joints=joints)[-1].decision is None
    # Brought inside by hand, it starts.
    assert run(controller, 2 * NS, 1)[0].decision is not None


def test_the_first_set_point_starts_from_the_measured_joints_by_name(controller):
    first = run(controller, NS, 1)[0].decision
    np.testing.assert_allclose(first.sent.position, [-0.25 + 0.1 / 50, 0.5 - 0.1 / 50])


def test_set_points_go_on_from_what_was_sent_and_not_from_what_is_measured(controller):
    ticks = run(controller, NS, 100)
    np.testing.assert_allclose(ticks[-1].decision.sent.position, [-0.05, 0.3], atol=1e-9)


@pytest.mark.parametrize('lost', ['joints', 'picture'])
def test_a_required_sense_that_dies_holds_the_arm_where_it_is(controller, wish, lost):
    last = run(controller, NS, 10)[-1].decision.sent
    asked = wish.asked
    ticks = run(controller, 2 * NS, 3, **{lost: None})
    for tick in ticks:
        assert tick.decision.reasons == (Reason.STALE,)
        assert tick.missing == ({'joints': 'joints', 'picture': 'camera'}[lost],)
        assert tick.estimate is None
        assert np.array_equal(tick.decision.sent.position, last.position)
    assert wish.asked == asked
    assert run(controller, 3 * NS, 1)[0].decision.reasons == ()


def test_a_sense_that_is_not_required_may_be_missing(controller):
    assert run(controller, NS, 1)[0].decision.reasons == ()


def test_how_old_a_sample_may_be_is_for_the_robot_to_say(robot, wish):
    generous = tuple(replace(m, max_age_s=60.0) for m in robot.modalities)
    controller = Controller(robot, generous, 0.1, wish)
    run(controller, NS, 1)
    assert controller.tick(NS + NS // 2).decision.reasons == (Reason.STALE,)


@pytest.fixture
def attentive(robot, wish):
    """A controller that notices when the arm is elsewhere."""
    return Controller(replace(robot, max_following_error_rad=0.3), robot.modalities, 0.1, wish)


def test_stop_holds_and_resume_starts_from_where_the_arm_is_then(attentive, wish):
    controller = attentive
    last = run(controller, NS, 50)[-1].decision.sent
    controller.stop()
    assert controller.stopped
    asked = wish.asked
    for tick in run(controller, 2 * NS, 3):
        assert tick.decision.reasons == (Reason.STOPPED,)
        assert np.array_equal(tick.decision.sent.position, last.position)
    assert wish.asked == asked
    controller.resume()
    assert not controller.stopped
    moved = run(controller, 3 * NS, 1, joints=[1.0, 0.0, 0.75])[0].decision
    np.testing.assert_allclose(moved.sent.position, [0.75 + 0.1 / 50, 1.0 - 0.1 / 50])


def test_after_resume_the_arm_holds_until_the_joints_are_measured_anew(controller):
    last = run(controller, NS, 5)[-1].decision.sent
    controller.stop()
    controller.resume()
    held = controller.tick(NS + 5 * PERIOD_NS).decision
    assert held.reasons == (Reason.STALE,)
    assert np.array_equal(held.sent.position, last.position)


def test_resume_of_an_arm_that_sags_makes_no_step(attentive):
    last = run(attentive, NS, 5)[-1].decision.sent
    attentive.stop()
    attentive.resume()
    sagging = np.add(MEASURED, [0.2, 0, 0.2])
    first = run(attentive, NS + 5 * PERIOD_NS, 1, joints=sagging)[0].decision
    assert np.abs(first.sent.position - last.position).max() <= 0.1 / 50 + 1e-12


def test_stopped_before_it_began_it_commands_nothing(controller):
    controller.stop()
    for tick in run(controller, NS, 3):
        assert tick.decision is None
        assert tick.idle == 'stopped'


def test_an_arm_that_does_not_follow_is_let_go_until_resumed(attentive, wish):
    wish.value[:] = [1.0, 0.0]
    ticks = run(attentive, NS, 40)
    sent = [t.decision.sent.position[0] for t in ticks if t.decision is not None]
    assert max(sent) <= -0.25 + 0.3 + 1.0 / 50
    assert ticks[-1].decision is None
    assert 'left is 0.3' in ticks[-1].idle
    assert 'max_following_error_rad 0.3' in ticks[-1].idle
    assert attentive.stopped
    # Also when the arm is back near the set-point: nobody said that it may go on.
    assert run(attentive, 3 * NS, 3)[-1].decision is None
    attentive.resume()
    assert not run(attentive, 4 * NS, 1)[0].decision.holding


def test_an_arm_moved_by_hand_while_unmeasured_is_not_sent_back(attentive):
    run(attentive, NS, 10)
    gone = run(attentive, NS + 10 * PERIOD_NS, 120, joints=None)
    assert gone[10].decision.reasons == (Reason.STALE,)
    assert gone[-1].decision is None
    assert gone[-1].idle == 'joints is not known'
    back = run(attentive, 5 * NS, 1, joints=[-1.9, 0.0, 0.9])[0].decision
    np.testing.assert_allclose(back.sent.position, [0.9 + 0.1 / 50, -1.9 - 0.1 / 50])


def test_a_command_decided_too_slowly_is_not_sent(robot, wish):
    now_ns = iter(range(0, 100 * NS, NS // 5))
    slow = Controller(robot, robot.modalities, 0.1, wish, clock_ns=lambda: next(now_ns))
    assert run(slow, NS, 1)[0].decision.reasons == ()
    now_ns = iter(range(0, 100 * NS, NS // 3))
    assert run(slow, 2 * NS, 1)[0].decision.reasons == (Reason.STALE,)


def test_a_joint_measured_on_its_limit_in_float32_starts(load, robot_data):
    robot_data['modalities']['motor']['output']['limits']['upper_rad'] = [0.3, 2]
    robot = load(robot_data)
    controller = Controller(robot, robot.modalities, 0.1, Wish([0.0, 0.0]))
    first = run(controller, NS, 1, joints=[0.5, 0.0, np.float32(0.3) + 1e-7])[0].decision
    assert first.sent.position[0] == 0.3


def test_a_hold_from_outside_repeats_the_last_set_point(controller):
    last = run(controller, NS, 5)[-1].decision.sent
    for _ in range(3):
        decision = controller.hold(Reason.WATCHDOG, NS + 10 * PERIOD_NS - 1)
        assert decision.reasons == (Reason.WATCHDOG,)
        assert np.array_equal(decision.sent.position, last.position)


def test_after_a_hold_the_arm_starts_from_rest(controller, wish):
    wish.value[:] = [1.0, -2.0]
    run(controller, NS, 10)
    controller.hold(Reason.WATCHDOG, NS + 9 * PERIOD_NS)
    velocity = run(controller, NS + 10 * PERIOD_NS, 1)[0].decision.sent.velocity
    np.testing.assert_allclose(velocity, [10 / 50, -20 / 50])


def test_a_late_tick_makes_no_larger_step(controller):
    last = run(controller, NS, 1)[-1].decision.sent
    late = run(controller, 5 * NS, 1)[0].decision.sent
    np.testing.assert_allclose(late.position - last.position, [0.1 / 50, -0.1 / 50])


def test_an_early_tick_makes_a_smaller_step(controller):
    last = run(controller, NS, 1)[-1].decision.sent
    early = run(controller, NS + PERIOD_NS // 4, 1)[0].decision.sent
    np.testing.assert_allclose(early.position - last.position, [0.1 / 200, -0.1 / 200])


@pytest.mark.parametrize('later_ns', [0, -PERIOD_NS, -NS])
def test_a_clock_that_stands_still_or_goes_back_holds_once_and_goes_on(controller, later_ns):
    last = run(controller, NS, 1)[-1].decision.sent
    stuck = run(controller, NS + later_ns, 1)[0].decision
    assert stuck.reasons == (Reason.CLOCK,)
    assert np.array_equal(stuck.sent.position, last.position)
    assert run(controller, NS + later_ns + PERIOD_NS, 1)[0].decision.reasons == ()


@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_a_policy_that_goes_mad_moves_nothing(controller, wish, bad):
    last = run(controller, NS, 5)[-1].decision.sent
    wish.value[0] = bad
    mad = run(controller, NS + 5 * PERIOD_NS, 1)[0].decision
    assert mad.reasons == (Reason.NOT_FINITE,)
    assert np.array_equal(mad.sent.position, last.position)


def test_an_uncertain_policy_holds_the_arm(controller, wish):
    wish.std[1] = 0.6
    assert run(controller, NS, 2)[-1].decision.reasons == (Reason.UNCERTAIN,)


def test_a_policy_that_raises_leaves_the_controller_able_to_hold(controller, wish, monkeypatch):
    last = run(controller, NS, 5)[-1].decision.sent
    monkeypatch.setattr(wish, 'decide', lambda observation: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(controller, NS + 5 * PERIOD_NS, 1)
    assert np.array_equal(controller.hold(Reason.ERROR, 2 * NS).sent.position, last.position)


def test_the_policy_sees_the_command_that_was_applied_and_not_the_one_it_wanted(controller, wish):
    wish.value[:] = [50.0, 0.0]
    ticks = run(controller, NS, 8)
    applied = [t.decision.sent.velocity for t in ticks]
    assert applied[0][0] == pytest.approx(0.2)
    # Seven ticks after the first, t - dt (five ticks) is the third.
    np.testing.assert_allclose(wish.seen['motor'][PREVIOUS], applied[2], rtol=1e-6)
    assert wish.known[3].tolist() == [True, True]


def test_a_hold_is_seen_as_a_command_of_rest(controller, wish):
    run(controller, NS, 1)
    controller.stop()
    run(controller, NS + PERIOD_NS, 1)
    controller._stopped = False
    run(controller, NS + 2 * PERIOD_NS, 1)
    assert wish.seen['motor'][CURRENT].tolist() == [0, 0]


def test_a_robot_that_is_commanded_positions_works_too(load, robot_data):
    motor = robot_data['modalities']['motor']
    motor |= {'quantity': 'position', 'unit': 'rad'}
    robot = load(robot_data)
    wish = Wish([0.5, -5.0])
    controller = Controller(robot, robot.modalities, 0.1, wish)
    assert robot.command.quantity is Quantity.POSITION
    ticks = run(controller, NS, 400)
    assert Reason.POSITION_LIMIT in ticks[0].decision.reasons
    np.testing.assert_allclose(ticks[-1].decision.sent.position, [0.5, -2.0], atol=0.01)
    np.testing.assert_allclose(wish.seen['motor'][CURRENT], ticks[-2].decision.sent.position)


def test_a_hold_from_outside_is_seen_as_a_command_of_rest(controller, wish):
    run(controller, NS, 3)
    controller.hold(Reason.WATCHDOG, NS + 3 * PERIOD_NS)
    run(controller, NS + 4 * PERIOD_NS, 1)
    assert wish.seen['motor'][CURRENT].tolist() == [0, 0]


def test_reset_lifts_a_stop(controller):
    controller.stop()
    controller.reset()
    assert run(controller, NS, 1)[0].decision.reasons == ()


def test_reset_forgets_every_sample(controller):
    run(controller, NS, 5)
    controller.reset()
    tick = controller.tick(NS + 5 * PERIOD_NS)
    assert not tick.observation.known.any()
    assert tick.decision is None
