"""What the controller's parts say of themselves, with time given as an argument."""

from __future__ import annotations

from mmvae_controller.control.gate import Decision, Reason, Sent
from mmvae_controller.control.set_point import LET_GO
from mmvae_controller.control.tick import Sensed, Tick
from mmvae_controller.control.window import NS, SenseState
from mmvae_controller.guidance.help import Help
from mmvae_controller.modality.observation import empty_values, nothing_known, Observation
from mmvae_controller.modality.robot import Robot
from mmvae_controller.nodes.reporting.health import GateHealth, InputHealth, LoopHealth
from mmvae_controller.nodes.reporting.status import Level, show, Status
import numpy as np
import pytest

MS = 1_000_000
KNOWN = Sensed((True, True), SenseState.MEASURED, '', None)
MASKED = Sensed((False, False), SenseState.MASKED, '', None)
PREDICTED = Sensed((True, True), SenseState.PREDICTED, '', 0.2)


@pytest.fixture
def camera(robot: Robot) -> InputHealth:
    return InputHealth(robot.modalities[0], '/eye')


def tick_of(
    robot: Robot, decision: Decision | None, missing: tuple[str, ...] = (), idle: str = ''
) -> Tick:
    known = nothing_known(robot.modalities)
    observation = Observation(0, empty_values(robot.modalities), known, np.zeros(known.shape))
    return Tick(observation, {}, missing, None, decision, idle)


def decision_of(*reasons: Reason, holding: bool = False) -> Decision:
    return Decision(Sent(np.zeros(2), np.zeros(2)), holding, reasons)


def test_an_input_counts_and_measures_its_rate(camera: InputHealth):
    for i in range(11):
        camera.accept(i * NS // 20)
    status = camera.status(NS // 2, KNOWN)
    assert (status.level, status.message) == (Level.OK, 'known')
    assert status.values['rate_hz'] == pytest.approx(20)
    assert status.values['received'] == 11


@pytest.mark.parametrize(
    ('quiet_s', 'least_hz', 'most_hz'), [(0.05, 20, 20), (0.5, 16, 18.5), (2, 11, 13), (4.9, 0, 2)]
)
def test_the_rate_of_an_input_falls_while_nothing_comes(
    camera: InputHealth, quiet_s: float, least_hz: float, most_hz: float
):
    for i in range(50):
        camera.accept(i * NS // 20)
    status = camera.status(49 * NS // 20 + round(quiet_s * NS), KNOWN)
    assert least_hz - 1e-6 <= status.values['rate_hz'] <= most_hz + 1e-6


def test_the_rate_of_an_input_that_is_back_is_the_present_one(camera: InputHealth):
    for i in range(50):
        camera.accept(i * NS // 20)
    for i in range(5):
        camera.accept(120 * NS + i * NS // 20)
    now_ns = 120 * NS + NS // 5
    assert camera.status(now_ns, KNOWN).values['rate_hz'] == pytest.approx(20)


def test_while_nothing_is_observed_an_input_is_not_judged(camera: InputHealth):
    camera.accept(0)
    status = camera.status(0, None)
    assert (status.level, status.message) == (Level.OK, 'received, not judged')
    assert status.values['known at t'] is False
    assert camera.status(0, MASKED).message == 'received'


def test_an_input_that_is_late_says_for_how_long(camera: InputHealth):
    camera.accept(0)
    status = camera.status(2 * NS, MASKED)
    assert status.level == Level.WARN
    assert status.message == 'last message on /eye 2.00 s ago, max_age_s 0.3: masked'


def test_a_rejected_message_among_good_ones_is_counted_but_no_warning(camera: InputHealth):
    camera.accept(0)
    camera.reject('size is 1')
    status = camera.status(0, KNOWN)
    assert status.level == Level.OK
    assert status.values['rejected'] == 1
    assert status.values['last trouble'] == 'rejected: size is 1'


def test_an_input_whose_last_sample_is_unsound_says_why_until_it_is_too_old(camera: InputHealth):
    camera.accept(0, 'no contrast (0.9 grey levels, min_contrast 6)')
    status = camera.status(NS // 10, MASKED)
    assert status.level == Level.WARN
    assert status.message == 'no contrast (0.9 grey levels, min_contrast 6): masked'
    status = camera.status(2 * NS, MASKED)
    assert status.message == 'last message on /eye 2.00 s ago, max_age_s 0.3: masked'
    camera.accept(3 * NS)
    assert camera.status(3 * NS, KNOWN).level == Level.OK


def test_an_input_that_is_late_and_predicted_says_so(camera: InputHealth):
    camera.accept(0)
    status = camera.status(2 * NS, PREDICTED)
    assert status.level == Level.WARN
    assert status.message == 'last message on /eye 2.00 s ago, max_age_s 0.3: predicted'
    assert status.values['state'] == 'predicted'
    assert status.values['evidence against it'] == 0.2


def test_an_input_that_is_distrusted_says_why_although_its_samples_are_sound(camera: InputHealth):
    camera.accept(0)
    lying = Sensed((True, True), SenseState.PREDICTED, 'contradicts the other senses', 1.1)
    status = camera.status(0, lying)
    assert status.level == Level.WARN
    assert status.message == 'contradicts the other senses: predicted'


def test_a_clock_that_was_set_back_does_not_spoil_the_rate(camera: InputHealth):
    camera.accept(100 * NS)
    for i in range(11):
        camera.accept(i * NS // 20)
    assert camera.status(NS // 2, KNOWN).values['rate_hz'] == pytest.approx(20)


def test_a_loop_in_time_is_well():
    loop = LoopHealth(50)
    for i in range(100):
        loop.tick(i * 20 * MS, 2 * MS, MS)
    status = loop.status(None)
    assert (status.level, status.message) == (Level.OK, '50 Hz')
    assert status.values['tick p50 ms'] == 2
    assert status.values['command p99 ms'] == 1
    assert status.values['missed ticks'] == 0


def test_a_loop_that_misses_ticks_warns_and_counts_them():
    loop = LoopHealth(50)
    for i in range(100):
        loop.tick(i * 40 * MS, 2 * MS, MS)
    status = loop.status(None)
    assert (status.level, status.message) == (Level.WARN, '99 of the last 199 ticks missed')
    assert status.values['missed ticks'] == 99


def test_a_clock_that_jumps_ahead_has_not_missed_hours_of_ticks():
    loop = LoopHealth(50)
    for now_ns in (0, 20 * MS, 3600 * NS):
        loop.tick(now_ns, 2 * MS, MS)
    assert loop.status(None).message == '250 of the last 253 ticks missed'


def test_a_loop_whose_ticks_take_longer_than_its_period_warns():
    loop = LoopHealth(50)
    for i in range(100):
        loop.tick(i * 20 * MS, 25 * MS, MS)
    assert loop.status(None).message == 'ticks take 25.0 ms, the period is 20.0'


def test_a_loop_that_failed_in_its_first_tick_says_so():
    loop = LoopHealth(50)
    loop.fail(RuntimeError('no'))
    assert loop.status(None).level == Level.ERROR


def test_a_loop_that_stands_still_is_an_error():
    loop = LoopHealth(50)
    assert loop.status(0.5).level == Level.ERROR
    assert loop.status(None).level == Level.OK


def test_a_gate_without_a_set_point_says_why(robot: Robot):
    gate = GateHealth()
    gate.judge(tick_of(robot, None, idle='joints is not known'))
    status = gate.status()
    assert status.level == Level.WARN
    assert status.line() == (
        'no set-point: joints is not known; nothing is commanded; mmvae explain no-set-point'
    )
    assert status.values['count no_anchor'] == 1


def test_a_gate_that_lost_its_set_point_does_not_go_on_saying_that_it_holds(robot: Robot):
    gate = GateHealth()
    gate.judge(tick_of(robot, decision_of(Reason.STOPPED, holding=True)))
    gate.judge(tick_of(robot, None, idle='left is outside the limits'))
    assert 'left is outside the limits' in gate.status().message
    assert gate.status().values['last reasons'] == 'no_anchor'


def test_a_gate_warns_while_it_holds_and_counts_why(robot: Robot):
    gate = GateHealth()
    gate.judge(tick_of(robot, decision_of(Reason.STALE, holding=True), ('camera',)))
    status = gate.status()
    assert status.level == Level.WARN
    assert status.message == 'holding: stale; required senses missing: camera'
    gate.judge(tick_of(robot, decision_of(Reason.VELOCITY_LIMIT)))
    status = gate.status()
    assert (status.level, status.message) == (Level.OK, 'limited: velocity_limit')
    assert (status.values['sent'], status.values['held']) == (2, 1)
    assert status.values['count stale'] == 1


@pytest.mark.parametrize(
    ('reason', 'section'),
    [
        (Reason.STALE, Help.ARM_HOLDS),
        (Reason.UNCERTAIN, Help.ARM_IS_SLOW),
        (Reason.WATCHDOG, Help.CLOCK_STANDS),
        (Reason.NO_GOAL, Help.NO_GOAL),
    ],
)
def test_a_gate_that_holds_names_the_section_of_its_reason(robot: Robot, reason, section):
    gate = GateHealth()
    gate.judge(tick_of(robot, decision_of(Reason.VELOCITY_LIMIT, reason, holding=True)))
    assert gate.status().line() == f'holding: velocity_limit, {reason}; mmvae explain {section}'


def test_a_gate_that_let_go_names_what_lets_it_go_on(robot: Robot):
    gate = GateHealth()
    gate.judge(tick_of(robot, None, idle=f'left is 0.5 rad from its set-point: {LET_GO}'))
    assert gate.status().line().endswith('; mmvae explain let-go')


def test_an_input_names_the_section_of_its_trouble(camera: InputHealth):
    assert camera.status(0, MASKED).line().endswith('yet; mmvae explain no-message')
    camera.reject('size is 640 x 480 pixels')
    assert camera.status(0, MASKED).line().endswith('pixels; mmvae explain sense-is-masked')
    lying = Sensed((True, True), SenseState.PREDICTED, 'contradicts the other senses', 9.0)
    camera.accept(0)
    assert camera.status(0, lying).line().endswith('; mmvae explain sense-is-distrusted')
    assert camera.status(0, KNOWN).line() == 'known'


def test_a_loop_names_the_section_of_its_trouble():
    loop = LoopHealth(50)
    assert loop.status(0.5).line().endswith('; mmvae explain clock-stands')
    for i in range(100):
        loop.tick(i * 20 * MS, 25 * MS, MS)
    assert loop.status(None).line().endswith('; mmvae explain arm-is-jerky')
    loop.fail(RuntimeError('no'))
    assert loop.status(None).line().endswith('RuntimeError: no; mmvae explain arm-holds')


def test_what_is_bad_no_longer_names_no_section():
    status = Status('gate', Level.WARN, 'commands pass', section=Help.ARM_HOLDS, held=True)
    assert status.line() == 'commands pass'


def test_numbers_are_shown_to_four_digits():
    assert [show(v) for v in (1 / 3, float('inf'), 7, True)] == ['0.3333', 'none', '7', 'True']
