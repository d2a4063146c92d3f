"""The goal policy: now in the slot of t-1, the goal in that of t, and the command between them."""

from __future__ import annotations

from dataclasses import replace
import re

from mmvae_controller.control.assembly import controller_of
from mmvae_controller.control.controller import Controller
from mmvae_controller.control.errors import ControlError
from mmvae_controller.control.gate import Reason
from mmvae_controller.control.goal import GoalPolicy
from mmvae_controller.control.network import Network
from mmvae_controller.control.window import NS
from mmvae_controller.modality.gaussian import Gaussian
from mmvae_controller.modality.observation import CURRENT, Observation, PREVIOUS
import numpy as np
import pytest

GOAL = np.array([0.3, -0.2, 0.1])
MAX_AGE_S = 0.5
CAMERA, JOINTS, TOUCH, MOTOR = range(4)


class Spy:
    """A network that answers 1 at t-1 and 2 at t, and remembers what it was asked."""

    def __init__(self, network):
        self.contract = network.contract
        self.asked = []

    def decode_one(self, observation, known, wanted):
        values = {n: v.copy() for n, v in observation.values.items()}
        self.asked.append((values, known, list(wanted)))
        answer = np.array([[[1.0, 1.5], [2.0, 2.5]]], dtype=np.float32)
        return {'motor': Gaussian(answer, answer / 10)}


@pytest.fixture
def spy(model_folder):
    return Spy(Network(model_folder))


@pytest.fixture
def policy(spy):
    return GoalPolicy(spy, 'joints', MAX_AGE_S)


def observe(random, now_ns=NS, missing=()):
    """Return an observation in which no two numbers are the same."""
    values = {
        'camera': random.integers(0, 255, (2, 8, 8, 3)).astype(np.uint8),
        'joints': random.normal(size=(2, 3)).astype(np.float32),
        'touch': random.normal(size=(2, 2)).astype(np.float32),
        'motor': random.normal(size=(2, 2)).astype(np.float32),
    }
    known = np.ones((4, 2), dtype=bool)
    known[list(missing), CURRENT] = False
    return Observation(now_ns, values, known, np.zeros((4, 2), dtype=np.float32))


def test_now_goes_to_t_minus_1_the_goal_to_t_and_all_else_is_masked(policy, spy, random):
    observation = observe(random)
    assert policy.aim(GOAL, NS) == ''
    policy.decide(observation)
    values, known, wanted = spy.asked[0]
    assert wanted == ['motor']
    for name in ('camera', 'joints', 'touch'):
        np.testing.assert_array_equal(values[name][PREVIOUS], observation.values[name][CURRENT])
    np.testing.assert_allclose(values['joints'][CURRENT], GOAL, rtol=1e-6)
    assert known.tolist() == [[1, 0], [1, 1], [1, 0], [0, 0]]


def test_the_command_that_leads_there_is_the_one_at_t_minus_1(policy, random):
    policy.aim(GOAL, NS)
    estimate = policy.decide(observe(random))
    assert estimate.mean.tolist() == [1.0, 1.5]
    assert estimate.std == pytest.approx([0.1, 0.15])


def test_what_is_not_known_now_is_masked_also_if_it_was_before(policy, spy, random):
    policy.aim(GOAL, NS)
    policy.decide(observe(random, missing=[CAMERA]))
    assert spy.asked[0][1][:, PREVIOUS].tolist() == [0, 1, 1, 0]


def test_the_observation_is_left_as_it_is(policy, random):
    observation = observe(random)
    before = {n: v.copy() for n, v in observation.values.items()}
    policy.aim(GOAL, NS)
    policy.decide(observation)
    for name, value in before.items():
        np.testing.assert_array_equal(observation.values[name], value)


def refuses(policy, spy, random, now_ns=NS):
    estimate = policy.decide(observe(random, now_ns))
    assert np.isnan(estimate.mean).all()
    assert np.isnan(estimate.std).all()
    return not spy.asked and estimate.refused is Reason.NO_GOAL


def test_without_a_goal_nothing_is_asked_and_nothing_wanted(policy, spy, random):
    assert refuses(policy, spy, random)
    assert policy.trouble(NS) == 'no goal yet'
    policy.aim(GOAL, NS)
    policy.forget()
    assert refuses(policy, spy, random)


def test_a_goal_counts_for_its_lifetime_and_no_longer(policy, spy, random):
    policy.aim(GOAL, NS)
    late_ns = NS + round(MAX_AGE_S * NS)
    assert policy.trouble(late_ns) == ''
    assert policy.trouble(late_ns + 1) == 'the goal is 0.50 s old, max 0.5 s'
    assert refuses(policy, spy, random, late_ns + 1)
    policy.decide(observe(random, late_ns))
    assert len(spy.asked) == 1


def test_a_goal_from_before_the_clock_was_set_back_does_not_count(policy, spy, random):
    policy.aim(GOAL, 2 * NS)
    assert refuses(policy, spy, random, NS)
    assert 'set back' in policy.trouble(NS)
    assert refuses(policy, spy, random, 2 * NS)  # And not when the clock gets there either.


@pytest.mark.parametrize(
    ('value', 'why'),
    [
        (np.zeros(2), r'shape \(2,\), expected \(3,\)'),
        (np.zeros((1, 3)), r'shape \(1, 3\), expected \(3,\)'),
        (np.array([0.0, np.nan, 0.0]), 'not finite'),
        (np.array([0.0, np.inf, 0.0]), 'not finite'),
        (np.array([0.0, 1e300, 0.0]), 'too large'),
    ],
)
def test_what_is_no_goal_ends_the_last_one_too(policy, spy, random, value, why):
    policy.aim(GOAL, NS)
    assert re.search(why, policy.aim(value, NS))
    assert re.search(why, policy.trouble(NS))
    assert refuses(policy, spy, random)


def test_a_goal_that_is_no_sense_of_the_model_is_refused(spy):
    for name in ('motor', 'smell'):
        with pytest.raises(
            ControlError, match=r"is no sense of the model, expected one of \['cam"
        ):
            GoalPolicy(spy, name, 1.0)


@pytest.mark.parametrize('max_age_s', [0.0, -1.0, float('nan'), float('inf')])
def test_a_goal_that_would_never_or_always_count_is_refused(spy, max_age_s):
    with pytest.raises(ControlError, match='expected above 0'):
        GoalPolicy(spy, 'joints', max_age_s)


def test_the_arm_moves_to_a_goal_and_holds_without_one(robot, spy, policy):
    robot = replace(robot, required=('joints',))
    controller = Controller(robot, spy.contract.modalities, 0.1, policy)

    def tick(now_ns):
        controller.push('joints', np.zeros(3), now_ns)
        return controller.tick(now_ns).decision

    held = tick(NS)
    assert held.holding
    assert held.sent.position.tolist() == [0, 0]
    policy.aim(GOAL, 2 * NS)
    moving = tick(2 * NS)
    assert not moving.holding
    assert (moving.sent.position > 0).all()
    assert tick(3 * NS).holding


def test_a_robot_that_is_led_by_goals_is_never_asked_as_a_policy(robot, spy):
    led = replace(robot, goal='touch')
    with pytest.raises(ControlError, match='is led by goals of touch'):
        controller_of(spy, led)
