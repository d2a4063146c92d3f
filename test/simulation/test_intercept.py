"""The ball that rolls: where, how fast, and who can touch it."""

from mmvae_controller.control.controller import Controller
from mmvae_controller.control.policy import Estimate
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.simulation.episode import ticks, wire
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.simulation.expert import Expert
from mmvae_controller.simulation.replay import replay
from mmvae_controller.simulation.simulator import PHYSICS_HZ, Simulator
from mmvae_controller.simulation.tasks.intercept import Intercept, meet
from mmvae_controller.simulation.tasks.task import make_task
from mmvae_controller.simulation.tasks.touch_target import put
import numpy as np
import pytest

SEEDS = range(10)


@pytest.fixture(scope='module')
def simulator(iiwa_arm):
    simulator = Simulator(make_task('intercept'), iiwa_arm)
    yield simulator
    simulator.close()


@pytest.fixture
def blind(iiwa_file, monkeypatch, simulator):
    """Return a robot content with black pictures, and draw nothing: that is most of the time."""
    picture = np.zeros((64, 64, 3), dtype=np.uint8)
    monkeypatch.setattr(simulator.camera, 'picture', lambda: picture)
    return load_robot(iiwa_file).taking_every_picture()


class Chaser:
    """Goes where the ball is, as if it stood still."""

    def __init__(self, simulator):
        self.simulator = simulator

    def decide(self, observation):
        velocity = meet(self.simulator.arm, self.simulator.task.place_m, np.zeros(3))
        return Estimate(velocity, np.zeros(7))


class FirstSight:
    """Goes where the ball was when the episode began."""

    def __init__(self, simulator):
        self.simulator = simulator
        self.place_m = None

    def decide(self, observation):
        if self.place_m is None:
            self.place_m = self.simulator.task.place_m
        return Estimate(meet(self.simulator.arm, self.place_m, np.zeros(3)), np.zeros(7))


def outcomes(simulator, robot, policy, seeds):
    found = []
    for seed in seeds:
        controller = Controller(robot, robot.modalities, robot.step_s, policy(simulator))
        for _ in ticks(simulator, controller, wire(robot, simulator), seed):
            pass
        found.append(simulator.outcome())
    return found


def rolled(simulator, seed, seconds):
    """Return the places of the ball at every step, the arm standing still."""
    simulator.reset(seed)
    places = [simulator.task.place_m]
    for _ in range(round(seconds * PHYSICS_HZ)):
        simulator.step()
        places.append(simulator.task.place_m)
    return np.array(places)


def test_the_expert_touches_the_ball(simulator, blind):
    assert sum(o.success for o in outcomes(simulator, blind, Expert, SEEDS)) >= len(SEEDS) - 1


def test_who_does_not_lead_a_fast_ball_touches_it_less_often(simulator, blind):
    fast = []
    for seed in range(40):
        simulator.reset(seed)
        if np.linalg.norm(simulator.task.velocity_m_s) > 0.22:
            fast.append(seed)
    leading = outcomes(simulator, blind, Expert, fast[:8])
    chasing = outcomes(simulator, blind, Chaser, fast[:8])
    assert sum(o.success for o in chasing) <= sum(o.success for o in leading) - 4


def test_who_goes_where_it_was_touches_nothing(simulator, blind):
    assert not any(o.success for o in outcomes(simulator, blind, FirstSight, range(3)))


def test_few_balls_roll_against_an_arm_that_waits_wherever_it_waits(simulator):
    task = simulator.task
    moments_s = np.arange(0.6, task.time_limit_s, 0.04)
    places = []
    for seed in range(400):
        simulator.reset(seed)
        places.append(task.place_m[:2] + moments_s[:, None] * task.velocity_m_s[:2])
    met = 0.06  # Ball and fingertip touch.
    waits = [(x, y) for x in np.arange(0.0, 0.8, 0.06) for y in np.arange(-0.8, 0.81, 0.06)]
    ways = np.array(places)
    rates = [(np.linalg.norm(ways - at, axis=2) < met).any(axis=1).mean() for at in waits]
    assert 0.05 < max(rates) < 0.14


def test_the_same_seed_is_the_same_ball_and_another_seed_another(simulator):
    first, again, other = (rolled(simulator, seed, 0.5) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_every_ball_is_in_reach_for_long_enough_and_neither_slow_nor_fast(simulator):
    task = simulator.task
    headings, speeds = [], []
    for seed in range(200):
        simulator.reset(seed)
        velocity = task.velocity_m_s
        speeds.append(float(np.linalg.norm(velocity)))
        headings.append(np.arctan2(velocity[1], velocity[0]))
        for moment_s in np.linspace(0, task.stays_s, 26):
            assert task.area.contains(task.place_m + velocity * moment_s)
        assert task.place_m[2] == task.radius_m
        assert velocity[2] == 0
    assert 0.1 <= min(speeds) < 0.11
    assert 0.24 < max(speeds) <= 0.25
    quadrants = np.histogram(headings, bins=4, range=(-np.pi, np.pi))[0]
    assert min(quadrants) > 25, quadrants


def test_a_ball_rolls_straight_on_at_its_own_speed(simulator):
    places = rolled(simulator, 3, 2.0)
    times_s = np.arange(len(places))[:, None] / PHYSICS_HZ
    np.testing.assert_allclose(places, places[0] + times_s * simulator.task.velocity_m_s)


def test_a_ball_that_has_rolled_away_is_lost_and_stays_there(simulator):
    task = simulator.task
    rolled(simulator, 3, 5.0)
    assert simulator.lost
    assert not simulator.outcome().success
    assert not task.area.contains(task.place_m)
    # One step farther is as far as it went.
    assert task.area.contains(task.place_m - task.velocity_m_s / PHYSICS_HZ)


def lay(simulator, place_m):
    """Lay the ball somewhere in reach, the arm at home, and let a step pass."""
    simulator.reset(3)
    simulator.arm.set_posture(simulator.arm.home_rad)
    assert simulator.task.area.contains(place_m)
    simulator.task.place_m = place_m
    put(simulator.client, simulator.task.ball, place_m)
    simulator.step()


def test_the_ball_rests_under_a_touch_throws_nothing_about_and_rolls_on_after_it(simulator):
    task, arm = simulator.task, simulator.arm
    simulator.arm.set_posture(simulator.arm.home_rad)
    lay(simulator, arm.fingertip_position() - np.array([0, 0, 0.055]))
    assert simulator.outcome().success
    held = task.place_m
    for _ in range(PHYSICS_HZ):
        simulator.step()
        assert np.abs(arm.state()[0] - arm.home_rad).max() < 0.05
    assert np.array_equal(task.place_m, held)
    assert not task.expert_velocity(arm).any()
    arm.set_posture(arm.home_rad + np.array([0, 0, 0, 0.5, 0, 0, 0]))
    for _ in range(3):
        simulator.step()
    assert not np.array_equal(task.place_m, held)


def test_the_ball_does_not_push_another_link_aside_either(simulator):
    simulator.arm.set_posture(simulator.arm.home_rad)
    aside = np.array([0, -0.045, 0.08])
    lay(simulator, simulator.arm.fingertip_position() + aside)
    held = simulator.task.place_m
    for _ in range(PHYSICS_HZ):
        simulator.step()
    assert np.array_equal(simulator.task.place_m, held)
    assert not simulator.outcome().success


def test_a_way_that_no_ball_can_roll_is_refused(simulator):
    task = Intercept(stays_s=20.0)
    task.build(simulator.client)
    with pytest.raises(SimulationError, match=r'no way of .* m within reach'):
        task.reset(simulator.arm, np.random.default_rng(0))


def test_a_replay_shows_the_ball_where_it_was(simulator, iiwa):
    simulator.reset(3)
    postures = [simulator.arm.state()[0]] * 2
    still = list(replay(iiwa, 'intercept', 3, postures))
    rolling = list(replay(iiwa, 'intercept', 3, postures, (0.0, 1.0)))
    assert np.array_equal(still[0], still[1])
    assert np.array_equal(still[0], rolling[0])
    assert not np.array_equal(rolling[0], rolling[1])
