"""A controller and what it is told about its senses: no set-point from joints that are doubted."""

from dataclasses import replace

from mmvae_controller.control.controller import Controller
from mmvae_controller.control.gate import Reason
from mmvae_controller.control.policy import Estimate
from mmvae_controller.control.window import NS, SenseState
import numpy as np
import pytest

PERIOD_NS = NS // 50
MEASURED = np.array([0.1, 0.2, 0.3])
ALL = {'camera': np.full((8, 8, 3), 100, dtype=np.uint8), 'touch': np.zeros(2)}


class Told:
    """A judge that says what it is told to."""

    def __init__(self):
        self.doubted = False
        self.distrusted = ''
        self.accused = 'joints'
        self.checked = []

    def trust(self, window, robot):
        self.window = window
        return self

    def clear(self):
        pass

    def check(self, observation, strayed_rad, urgent=None, anyhow=False):
        self.checked.append((strayed_rad, urgent, anyhow))

    def why(self, name):
        return self.distrusted if name == self.accused else ''

    def doubts(self, name):
        return self.doubted and name == 'joints'

    def evidence(self, name):
        return 0.0


class Wish:
    def decide(self, observation):
        return Estimate(np.array([0.1, -0.1]), np.zeros(2))


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def build(robot, told):
    """Return what builds a controller that predicts its joints for so long."""

    def build_one(max_prediction_s):
        sources = dict(robot.sources)
        sources['joints'] = replace(sources['joints'], max_prediction_s=max_prediction_s)
        told_robot = replace(robot, sources=sources, max_following_error_rad=0.3)
        return Controller(told_robot, robot.modalities, 0.1, Wish(), comparison=told)

    return build_one


@pytest.fixture
def controller(build):
    return build(0.5)


def run(controller, start_ns, count, joints=MEASURED, others=ALL):
    ticks = []
    for number in range(count):
        now_ns = start_ns + number * PERIOD_NS
        if joints is not None:
            controller.push('joints', joints, now_ns)
        for name, value in others.items():
            controller.push(name, value, now_ns)
        ticks.append(controller.tick(now_ns))
        controller.check_senses()
    return ticks


def test_no_set_point_is_taken_from_joints_that_have_not_agreed_yet(controller, told):
    told.doubted = True
    (*_, tick) = run(controller, 0, 5)
    assert tick.decision is None
    assert tick.idle == 'joints has not yet agreed with the other senses'
    assert {(urgent, anyhow) for _, urgent, anyhow in told.checked} == {('joints', False)}
    told.doubted = False
    (tick,) = run(controller, 5 * PERIOD_NS, 1)
    assert tick.decision is not None


def test_they_wait_for_a_required_sense_to_be_compared_with(controller, told):
    told.doubted = True
    assert 'camera' in controller.robot.required
    (*_, tick) = run(controller, 0, 150, others={'touch': ALL['touch']})
    assert tick.decision is None
    assert tick.idle == 'joints cannot be compared yet: without camera'


WITHOUT_TOUCH = {'camera': ALL['camera']}


def test_for_one_that_the_arm_can_do_without_they_wait_a_moment(controller, told):
    told.doubted = True
    ticks = run(controller, 0, 60, others=WITHOUT_TOUCH)
    assert ticks[0].idle == 'joints cannot be compared yet: without touch'
    assert [anyhow for *_, anyhow in told.checked] == [False] * 15 + [True] * 45
    assert all(tick.decision is None for tick in ticks)
    assert ticks[-1].idle == 'joints has not yet agreed with camera'
    told.doubted = False
    (tick,) = run(controller, 60 * PERIOD_NS, 1, others=WITHOUT_TOUCH)
    assert tick.decision is not None


def waits(controller, told, start, others):
    """Return for how many ticks the joints wait for what is missing, at most 60."""
    told.checked.clear()
    run(controller, start * PERIOD_NS, 60, others=others)
    return [anyhow for *_, anyhow in told.checked].index(True)


def test_every_wait_is_as_long_whatever_was_waited_for_before(controller, told):
    told.doubted = True
    assert waits(controller, told, 0, WITHOUT_TOUCH) == 15
    run(controller, 60 * PERIOD_NS, 1)
    # Its last sample counts for 5 ticks more.
    assert waits(controller, told, 61, WITHOUT_TOUCH) == 20
    told.doubted = False
    run(controller, 121 * PERIOD_NS, 1, others=WITHOUT_TOUCH)
    run(controller, 122 * PERIOD_NS, 100, joints=None, others=WITHOUT_TOUCH)
    told.doubted = True
    assert waits(controller, told, 222, WITHOUT_TOUCH) == 15


def test_with_nothing_to_compare_them_with_joints_are_taken_at_their_word(robot, told):
    told.doubted = True
    alone = replace(robot, required=('joints',))
    controller = Controller(alone, robot.modalities, 0.1, Wish(), comparison=told)
    ticks = run(controller, 0, 60, others={})
    assert [tick.decision is None for tick in ticks] == [True] * 15 + [False] * 45


def test_while_comparing_fails_the_arm_holds(controller, told, monkeypatch):
    run(controller, 0, 10)

    def broken(*_):
        raise RuntimeError('broken')

    with monkeypatch.context() as patch:
        patch.setattr(told, 'check', broken)
        for number in range(10, 15):
            with pytest.raises(RuntimeError):
                run(controller, number * PERIOD_NS, 1)
        tick = controller.tick(15 * PERIOD_NS)
        assert tick.decision.reasons == (Reason.ERROR,)
    controller.check_senses()
    (tick,) = run(controller, 16 * PERIOD_NS, 1)
    assert not tick.decision.holding


def test_the_last_message_is_no_place_that_the_arm_has_left(controller):
    run(controller, 0, 10)
    assert controller.hold(Reason.WATCHDOG, 9 * PERIOD_NS) is not None
    controller.push('joints', MEASURED + 0.5, 10 * PERIOD_NS)
    assert controller.hold(Reason.WATCHDOG, 10 * PERIOD_NS) is None
    assert controller.stopped
    (tick,) = run(controller, 11 * PERIOD_NS, 1)
    assert tick.decision is None
    assert 'rad from its set-point' in tick.idle


def test_for_one_that_is_distrusted_they_wait_until_it_agrees(controller, told):
    told.doubted, told.accused, told.distrusted = True, 'touch', 'contradicts the others'
    (*_, tick) = run(controller, 0, 150, others={'camera': ALL['camera']})
    assert tick.idle == 'joints cannot be compared yet: without touch'


def test_an_arm_that_is_blocked_is_let_go_though_its_joints_are_not_believed(build, told):
    controller = build(60.0)
    run(controller, 0, 10)
    told.distrusted = 'contradicts what was commanded'
    told.window.distrust('joints', 8 * PERIOD_NS)
    ticks = run(controller, 10 * PERIOD_NS, 400)
    sent = [t.decision.sent.position for t in ticks if t.decision is not None]
    index = [MEASURED.tolist().index(v) for v in sent[0].round(1)]
    furthest = controller.robot.max_following_error_rad
    assert max(np.abs(p - MEASURED[index]).max() for p in sent) < furthest + 0.01
    assert 'rad from its set-point' in ticks[-1].idle
    assert controller.stopped


def test_with_a_set_point_doubt_changes_nothing(controller, told):
    run(controller, 0, 3)
    told.doubted = True
    (*_, tick) = run(controller, 3 * PERIOD_NS, 3)
    assert not tick.decision.holding
    assert told.checked[-1][1] is None
    assert np.abs(told.checked[-1][0]).max() < 0.1


def test_joints_that_nobody_measures_are_taken_to_be_where_they_were_sent(controller):
    run(controller, 0, 10)
    start_ns = 10 * PERIOD_NS
    ticks = run(controller, start_ns, 25, joints=None)
    last = ticks[-1]
    assert last.senses['joints'] is SenseState.PREDICTED
    assert not last.decision.holding
    seen = controller.window.read(start_ns + 24 * PERIOD_NS).values['joints']
    assert not np.allclose(seen[1], MEASURED)


def test_joints_that_are_not_measured_for_too_long_hold_the_arm(controller):
    run(controller, 0, 10)
    (*_, tick) = run(controller, 10 * PERIOD_NS, 40, joints=None)
    assert tick.senses['joints'] is SenseState.MASKED
    assert tick.decision.reasons == (Reason.STALE,)
    assert tick.missing == ('joints',)


def test_a_set_point_that_was_lost_to_distrust_waits_for_resume_and_says_so(controller, told):
    run(controller, 0, 10)
    told.distrusted = 'contradicts what was commanded'
    told.window.distrust('joints', 0)
    (*_, tick) = run(controller, 10 * PERIOD_NS, 120)
    assert tick.decision is None
    assert tick.idle == 'joints contradicts what was commanded: let go until resumed'


def first_without_set_point(ticks):
    return next(number for number, tick in enumerate(ticks) if tick.decision is None)


def test_a_set_point_is_lost_a_second_after_the_last_measurement_whatever_is_predicted(controller):
    run(controller, 0, 10)
    ticks = run(controller, 10 * PERIOD_NS, 100, joints=None)
    # Their last sample counts for 5 ticks more.
    assert first_without_set_point(ticks) == pytest.approx(55, abs=2)


def test_a_set_point_is_lost_though_the_clock_was_set_back(controller):
    run(controller, 100 * NS, 10)
    ticks = run(controller, 0, 100, joints=None)
    assert first_without_set_point(ticks) < 60


def test_joints_wait_no_longer_though_the_clock_was_set_back(controller, told):
    told.doubted = True
    run(controller, 100 * NS, 10, others=WITHOUT_TOUCH)
    assert waits(controller, told, 0, WITHOUT_TOUCH) == 15


def test_a_measurement_is_held_against_the_set_point_once(controller, told):
    run(controller, 0, 10)
    told.checked.clear()
    run(controller, 10 * PERIOD_NS, 2, joints=None)
    assert [strayed for strayed, *_ in told.checked] == [None, None]
