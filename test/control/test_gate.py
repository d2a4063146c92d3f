"""The command gate: nothing gets past it that the robot must not be told."""

import math

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from mmvae_controller.control import gate
from mmvae_controller.control.errors import ControlError
from mmvae_controller.control.gate import hold, judge, Reason, Request, Sent
from mmvae_controller.modality.limits import JointLimits
from mmvae_controller.modality.robot import Certainty
from mmvae_controller.modality.spec import Quantity
import numpy as np
import pytest

LIMITS = JointLimits(
    ('a', 'b', 'c'),
    np.array([-1.0, -2.0, 0.5]),
    np.array([1.0, 3.0, 0.7]),
    np.array([1.0, 2.0, 0.5]),
    np.array([10.0, 2.0, 40.0]),
)
MIDDLE = np.array([0.0, 0.5, 0.6])
REST = Sent(MIDDLE, np.zeros(3))
FAR = np.array([9.0, 0.0, 0.0])
PERIOD_S = 0.025
SLACK = 1e-9
anything = st.one_of(
    st.floats(),
    st.sampled_from([math.nan, math.inf, -math.inf, 1e300, -1e300, 5e-324, -5e-324, 0.0, -0.0]),
    st.floats(-5, 5),
)
three = st.tuples(anything, anything, anything)
share = st.floats(0, 1)
NEVER = Certainty(None, None)
HALF = Certainty(None, 0.5)
certainties = st.one_of(
    st.just(NEVER),
    st.builds(Certainty, st.none(), st.floats(0, 10)),
    st.builds(
        lambda slow, more: Certainty(slow, slow + more), st.floats(0, 5), st.floats(0.01, 5)
    ),
)


def ask(value, quantity=Quantity.VELOCITY, std=(0.0, 0.0, 0.0), fresh=True):
    return Request(np.array(value, dtype=float), np.array(std, dtype=float), quantity, fresh)


def check(decision, last, elapsed_s):
    """Assert everything that any decision promises."""
    sent = decision.sent
    assert np.all(np.isfinite(sent.position))
    assert np.all(np.isfinite(sent.velocity))
    assert np.all(sent.position >= LIMITS.lower_rad)
    assert np.all(sent.position <= LIMITS.upper_rad)
    assert np.all(np.abs(sent.velocity) <= LIMITS.velocity_rad_s * (1 + SLACK))
    if decision.holding:
        assert np.array_equal(sent.position, last.position)
        assert np.array_equal(sent.velocity, np.zeros(3))
        assert decision.reasons
        return
    change = np.abs(sent.velocity - last.velocity)
    assert np.all(change <= LIMITS.acceleration_rad_s2 * elapsed_s * (1 + SLACK) + SLACK)
    np.testing.assert_allclose(
        sent.position, last.position + sent.velocity * elapsed_s, rtol=0, atol=1e-9
    )


@given(
    value=three, std=three, quantity=st.sampled_from(Quantity), fresh=st.booleans(),
    place=st.tuples(share, share, share), pace=st.tuples(*[st.floats(-1, 1)] * 3),
    elapsed_s=st.one_of(anything, st.floats(1e-4, PERIOD_S)),
    certainty=certainties,
)  # fmt: skip
@example((1e300,) * 3, (0,) * 3, Quantity.POSITION, True, (1, 1, 1), (0, 0, 0), 5e-324, NEVER)
@example((1e300,) * 3, (0,) * 3, Quantity.VELOCITY, True, (1, 1, 1), (0, 0, 0), 1e300, NEVER)
@settings(max_examples=400)
def test_whatever_is_asked_in_whatever_state_the_answer_is_safe(
    value, std, quantity, fresh, place, pace, elapsed_s, certainty
):
    span = LIMITS.upper_rad - LIMITS.lower_rad
    position = np.clip(LIMITS.lower_rad + span * place, LIMITS.lower_rad, LIMITS.upper_rad)
    # Any state from which the joint can still stop: the only ones the gate leads to.
    towards = np.where(
        np.array(pace) > 0, LIMITS.upper_rad - position, position - LIMITS.lower_rad
    )
    fastest = np.minimum(LIMITS.velocity_rad_s, np.sqrt(2 * LIMITS.acceleration_rad_s2 * towards))
    last = Sent(position, fastest * pace)
    with np.errstate(over='ignore', invalid='ignore', under='ignore'):
        decision = judge(ask(value, quantity, std, fresh), last, LIMITS, elapsed_s, certainty)
    check(decision, last, elapsed_s)
    assert len(set(decision.reasons)) == len(decision.reasons)


@pytest.mark.parametrize('quantity', Quantity)
@pytest.mark.parametrize('seed', range(3))
@pytest.mark.parametrize('late', [False, True], ids=['steady', 'jitter'])
def test_thousands_of_random_requests_in_a_row_keep_every_limit(quantity, seed, late):
    random = np.random.default_rng(seed)
    last, holds, brakes = REST, 0, 0
    for _ in range(3000):
        scale = random.choice([0.1, 1.0, 100.0])
        value = random.normal(size=3) * scale + random.choice([-5, 0, 5])
        if random.random() < 0.01:
            value[random.integers(3)] = random.choice([np.nan, np.inf, 1e300])
        elapsed_s = PERIOD_S * (random.uniform(0.01, 1) if late else 1)
        with np.errstate(over='ignore'):
            decision = judge(ask(value, quantity), last, LIMITS, elapsed_s, NEVER)
        check(decision, last, elapsed_s)
        holds += decision.holding
        brakes += Reason.POSITION_LIMIT in decision.reasons
        last = decision.sent
    assert holds > 0
    assert brakes > 0


@pytest.mark.parametrize('sign', [-1, 1])
@pytest.mark.parametrize('elapsed_s', [0.005, 0.025, 0.5])
def test_full_speed_towards_a_limit_brakes_in_time_and_gets_there(sign, elapsed_s):
    last = REST
    for _ in range(max(20, round(8 / elapsed_s))):
        decision = judge(ask([sign * 1e6] * 3), last, LIMITS, elapsed_s, NEVER)
        check(decision, last, elapsed_s)
        last = decision.sent
    end = LIMITS.upper_rad if sign > 0 else LIMITS.lower_rad
    np.testing.assert_allclose(last.position, end, atol=0.01)


@given(st.lists(st.floats(0.001, 1.0), min_size=5, max_size=60), st.sampled_from([-1, 1]))
def test_a_loop_that_jitters_on_its_way_to_a_limit_keeps_the_acceleration_too(shares, sign):
    last = REST
    for elapsed_s in (0.1 * s for s in shares):
        decision = judge(ask([sign * 1e6] * 3), last, LIMITS, elapsed_s, NEVER)
        check(decision, last, elapsed_s)
        last = decision.sent


def test_a_modest_velocity_passes_untouched():
    decision = judge(ask([0.1, 0.04, -0.2]), REST, LIMITS, PERIOD_S, HALF)
    assert decision.sent.velocity.tolist() == [0.1, 0.04, -0.2]
    assert not decision.holding
    assert decision.reasons == ()


def test_a_modest_position_passes_untouched():
    wanted = MIDDLE + np.array([0.001, 0.001, -0.002])
    decision = judge(ask(wanted, Quantity.POSITION), REST, LIMITS, PERIOD_S, HALF)
    np.testing.assert_allclose(decision.sent.position, wanted)
    assert decision.reasons == ()


@pytest.mark.parametrize('joint', range(3))
def test_a_negative_standard_deviation_holds_the_arm(joint):
    std = [0.0, 0.0, 0.0]
    std[joint] = -1e-3
    decision = judge(ask([0.1, 0.1, 0.1], std=std), REST, LIMITS, PERIOD_S, NEVER)
    assert decision.holding
    assert decision.reasons == (Reason.NOT_FINITE,)


@pytest.mark.parametrize('bad', [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize('field', ['value', 'std'])
@pytest.mark.parametrize('joint', range(3))
def test_one_number_that_is_not_finite_holds_the_whole_arm(bad, field, joint):
    numbers = [0.0, 0.0, 0.0]
    numbers[joint] = bad
    request = ask(numbers) if field == 'value' else ask([0, 0, 0], std=numbers)
    decision = judge(request, REST, LIMITS, PERIOD_S, NEVER)
    assert decision.holding
    assert decision.reasons == (Reason.NOT_FINITE,)


def test_a_request_on_old_senses_holds():
    decision = judge(ask([0, 0, 0], fresh=False), REST, LIMITS, PERIOD_S, NEVER)
    assert decision.holding
    assert decision.reasons == (Reason.STALE,)


@pytest.mark.parametrize('elapsed_s', [0.0, -0.0, -1.0, math.nan, math.inf])
def test_a_clock_that_does_not_advance_holds(elapsed_s):
    decision = judge(ask([1, 1, 1]), REST, LIMITS, elapsed_s, NEVER)
    assert decision.holding
    assert decision.reasons == (Reason.CLOCK,)


def test_a_position_outside_is_brought_inside_and_said_to_be():
    decision = judge(ask(MIDDLE + FAR, Quantity.POSITION), REST, LIMITS, PERIOD_S, NEVER)
    assert decision.reasons == (
        Reason.POSITION_LIMIT, Reason.VELOCITY_LIMIT, Reason.ACCELERATION_LIMIT,
    )  # fmt: skip


def test_too_fast_is_slowed_and_said_to_be():
    last = Sent(np.array([-0.9, -1.0, 0.6]), np.array([1.0, 0.0, 0.0]))
    decision = judge(ask([1.5, 0, 0]), last, LIMITS, PERIOD_S, NEVER)
    assert decision.reasons == (Reason.VELOCITY_LIMIT,)
    assert decision.sent.velocity[0] == 1.0


def test_too_sudden_is_softened_and_said_to_be():
    decision = judge(ask([0.9, 0, 0]), REST, LIMITS, PERIOD_S, NEVER)
    assert decision.reasons == (Reason.ACCELERATION_LIMIT,)
    assert decision.sent.velocity[0] == pytest.approx(0.25)


def test_near_a_limit_it_brakes_and_says_so():
    last = Sent(np.array([0.99, 0.5, 0.6]), np.array([0.3, 0.0, 0.0]))
    decision = judge(ask([0.3, 0, 0]), last, LIMITS, PERIOD_S, NEVER)
    assert decision.reasons == (Reason.POSITION_LIMIT,)
    assert 0 < decision.sent.velocity[0] < 0.3


def test_away_from_a_limit_it_may_go_at_once():
    last = Sent(np.array([1.0, 3.0, 0.7]), np.zeros(3))
    decision = judge(ask([-0.1, -0.04, -0.1]), last, LIMITS, PERIOD_S, NEVER)
    assert decision.reasons == ()


def test_less_certain_than_allowed_holds_and_just_allowed_passes():
    decision = judge(ask([0, 0, 0], std=[0, 0.51, 0]), REST, LIMITS, PERIOD_S, HALF)
    assert decision.holding
    assert decision.reasons == (Reason.UNCERTAIN,)
    assert not judge(ask([0, 0, 0], std=[0.5] * 3), REST, LIMITS, PERIOD_S, HALF).holding
    assert not judge(ask([0, 0, 0], std=[1e30] * 3), REST, LIMITS, PERIOD_S, NEVER).holding


@pytest.mark.parametrize('quantity', Quantity)
@pytest.mark.parametrize(('std', 'share'), [(0.2, 1.0), (0.3, 2 / 3), (0.4, 1 / 3), (0.5, 0.0)])
def test_the_less_certain_the_slower_down_to_a_stand_on_the_same_way(quantity, std, share):
    speed = np.array([0.03, 0.01, -0.02])
    wanted = speed if quantity is Quantity.VELOCITY else REST.position + speed * PERIOD_S
    request = ask(wanted, quantity, std=[0.0, std, 0.1])
    decision = judge(request, REST, LIMITS, PERIOD_S, Certainty(0.2, 0.5))
    np.testing.assert_allclose(decision.sent.velocity, share * speed, rtol=1e-9, atol=1e-12)
    assert decision.reasons == (() if share == 1 else (Reason.SLOWED,))
    assert not decision.holding


def test_slowing_down_keeps_the_acceleration_too():
    last = Sent(MIDDLE, LIMITS.velocity_rad_s * 0.5)
    request = ask(last.velocity, std=[0.5] * 3)
    decision = judge(request, last, LIMITS, PERIOD_S, Certainty(0.2, 0.5))
    check(decision, last, PERIOD_S)
    assert decision.reasons == (Reason.SLOWED, Reason.ACCELERATION_LIMIT)
    assert np.all(decision.sent.velocity[:2] > 0)  # The third can stop at once, and does.


def test_the_questions_are_asked_in_their_order():
    wrong = ask([math.nan, 99, 0], Quantity.POSITION, std=[9, 9, 9], fresh=False)
    steps = [
        (wrong, 0.0, (Reason.NOT_FINITE,)),
        (ask([99, 99, 0], Quantity.POSITION, [9] * 3, False), 0.0, (Reason.STALE,)),
        (ask([99, 99, 0], Quantity.POSITION, [9] * 3), 0.0, (Reason.CLOCK,)),
        (
            ask([99, 99, 0], Quantity.POSITION, [9] * 3), PERIOD_S,
            (Reason.POSITION_LIMIT, Reason.VELOCITY_LIMIT, Reason.ACCELERATION_LIMIT,
             Reason.UNCERTAIN),
        ),
    ]  # fmt: skip
    for request, elapsed_s, reasons in steps:
        decision = judge(request, REST, LIMITS, elapsed_s, HALF)
        assert decision.holding
        assert decision.reasons == reasons


def test_a_hold_repeats_the_last_set_point_to_the_last_bit():
    last = Sent(np.array([0.1, 1 / 3, 0.6]), np.array([1.0, -1.0, 0.2]))
    decision = hold(last, Reason.STOPPED)
    assert np.array_equal(decision.sent.position, last.position)
    assert decision.sent.velocity.tolist() == [0, 0, 0]
    assert decision.reasons == (Reason.STOPPED,)


@pytest.mark.parametrize('shape', [(), (1,), (2,), (4,), (1, 3)])
def test_a_request_for_other_joints_is_an_error_and_not_the_same_number_for_each(shape):
    wrong = np.zeros(shape)
    for request in (
        Request(wrong, np.zeros(3), Quantity.VELOCITY, True),
        Request(np.zeros(3), wrong, Quantity.VELOCITY, True),
    ):
        with pytest.raises(ControlError, match=r'shape .*expected \(3,\)'):
            judge(request, REST, LIMITS, PERIOD_S, NEVER)


@given(st.floats(0.001, 0.1), st.floats(-3, 3))
def test_standing_at_a_limit_it_never_leaves_towards_it(elapsed_s, speed):
    assume(speed > 0)
    last = Sent(LIMITS.upper_rad, np.zeros(3))
    decision = judge(ask([speed] * 3), last, LIMITS, elapsed_s, NEVER)
    assert np.array_equal(decision.sent.position, LIMITS.upper_rad)


def test_what_was_sent_is_had_in_either_quantity():
    sent = Sent(np.array([1.0]), np.array([2.0]))
    assert sent.value(Quantity.POSITION).tolist() == [1.0]
    assert sent.value(Quantity.VELOCITY).tolist() == [2.0]


def test_should_the_limiting_itself_go_wrong_nothing_that_is_not_finite_leaves(monkeypatch):
    monkeypatch.setattr(gate, '_limit_velocity', lambda *request: (np.full(3, np.nan), []))
    decision = judge(ask([0.1, 0.1, 0.1]), REST, LIMITS, PERIOD_S, NEVER)
    assert decision.holding
    assert decision.reasons == (Reason.NOT_FINITE,)
    assert np.array_equal(decision.sent.position, REST.position)


def test_should_the_limiting_itself_go_wrong_no_position_beyond_a_limit_leaves(monkeypatch):
    monkeypatch.setattr(gate, '_limit_velocity', lambda *request: (np.full(3, 1e3), []))
    decision = judge(ask([0.1, 0.1, 0.1]), REST, LIMITS, PERIOD_S, NEVER)
    assert np.array_equal(decision.sent.position, LIMITS.upper_rad)
