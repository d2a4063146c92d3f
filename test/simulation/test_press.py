"""Pressing a key: only touch tells its height, and the force is held for a second on end."""

from mmvae_controller.control.controller import Controller
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.simulation.camera import CAMERA_POSE
from mmvae_controller.simulation.episode import ticks, wire
from mmvae_controller.simulation.expert import Expert
from mmvae_controller.simulation.simulator import PHYSICS_HZ, Simulator
from mmvae_controller.simulation.tasks.press import (
    DISTURBED_NEAR,
    KEY,
    KEY_MASS_KG,
    KEY_TRAVEL_M,
    seen_at,
    STIFFNESS_N_M,
    TOO_HARD_N,
    TOO_HARD_S,
)
from mmvae_controller.simulation.tasks.task import make_task
import numpy as np
import pybullet
import pytest

STEP_S = 1 / PHYSICS_HZ


@pytest.fixture(scope='module')
def simulator(iiwa_arm):
    simulator = Simulator(make_task('press'), iiwa_arm)
    yield simulator
    simulator.close()


@pytest.fixture
def task(simulator):
    simulator.reset(1)
    return simulator.task


@pytest.fixture
def press(simulator, iiwa_file, monkeypatch):
    """Return what runs the expert on a seed; nothing is drawn: that is most of the time."""
    picture = np.zeros((64, 64, 3), dtype=np.uint8)
    monkeypatch.setattr(simulator.camera, 'picture', lambda: picture)
    robot = load_robot(iiwa_file).taking_every_picture()

    def run(seed):
        controller = Controller(robot, robot.modalities, robot.step_s, Expert(simulator))
        for _ in ticks(simulator, controller, wire(robot, simulator), seed):
            pass
        return simulator.outcome()

    return run


def behind(place_m, share):
    """Return a place on the camera's ray to another, farther by a share of the distance."""
    eye = np.array(CAMERA_POSE.eye)
    return eye + (1 + share) * (place_m - eye)


def travel_m(simulator):
    return pybullet.getJointState(simulator.task.panel, KEY, physicsClientId=simulator.client)[0]


def feel(task, monkeypatch, simulator, force_n, steps):
    """Let the key feel a force for some physics steps; return how the task stands after each."""
    monkeypatch.setattr(task, 'key_force_n', lambda arm: force_n)
    monkeypatch.setattr(task, 'load_n', lambda arm: force_n)
    standings = []
    for _ in range(steps):
        task.advance(simulator.arm, STEP_S)
        standings.append(task.standing(simulator.arm))
    return standings


def test_the_same_seed_is_the_same_scene_and_another_seed_another(simulator):
    scenes = []
    for seed in (3, 4, 3):
        simulator.reset(seed)
        scenes.append((simulator.task.place_m.tolist(), simulator.arm.state()[0].tolist()))
    assert scenes[0] == scenes[2]
    assert scenes[0] != scenes[1]


def test_the_key_lies_anywhere_in_its_sector_at_any_height_of_its_range(simulator):
    places = []
    for seed in range(200):
        simulator.reset(seed)
        places.append(simulator.task.place_m)
    x, y, z = np.transpose(places)
    area = simulator.task.area
    assert np.all((area.nearest_m <= np.hypot(x, y)) & (np.hypot(x, y) <= area.farthest_m))
    assert np.abs(np.arctan2(y, x)).max() <= area.half_angle_rad
    counts, _ = np.histogram(z, 4, (0.06, 0.10))
    assert counts.sum() == 200
    assert counts.min() > 30
    assert abs(np.corrcoef(np.hypot(x, y), z)[0, 1]) < 0.15


def test_a_higher_key_looks_like_one_farther_away(simulator, task):
    simulator.arm.set_posture(simulator.arm.home_rad)
    high = np.array([0.4, 0.2, 0.10])
    low = behind(high, 0.03)
    pictures = []
    for place in (high, low, np.array([*high[:2], low[2]])):
        task.put(place)
        pictures.append(simulator.camera.picture().astype(int))
    assert abs(low[2] - high[2]) > 0.03
    changed = [np.sum(np.any(p != pictures[0], axis=2)) for p in pictures[1:]]
    assert changed[0] < changed[1] / 2, changed


def test_where_a_place_seems_to_be_is_on_the_ray_to_it():
    place = np.array([0.5, 0.2, 0.1])
    other = behind(place, 0.02)
    np.testing.assert_allclose(seen_at(place, other[2]), other)


def test_the_expert_does_not_know_the_height_before_it_touches(simulator, task):
    place = np.array([0.5, 0.2, 0.08])
    velocities = []
    for share in (-0.01, 0, 0.01):
        task.put(behind(place, share))
        velocities.append(task.expert_velocity(simulator.arm))
    np.testing.assert_allclose(velocities[1:], [velocities[0]] * 2, atol=1e-9)


def test_a_key_let_go_comes_up_damped_and_rests(simulator, task):
    body, client = task.panel, simulator.client
    start_m = 0.8 * KEY_TRAVEL_M
    pybullet.resetJointState(body, KEY, start_m, 0.0, physicsClientId=client)
    ways = [start_m]
    for _ in range(PHYSICS_HZ):
        simulator.step()
        ways.append(travel_m(simulator))
    assert min(ways) > -0.001
    assert np.abs(ways[PHYSICS_HZ // 4 :]).max() < 1e-4
    undamped_m_s = start_m * np.sqrt(STIFFNESS_N_M / KEY_MASS_KG)
    assert np.abs(np.diff(ways)).max() / STEP_S < 0.6 * undamped_m_s


def test_the_key_stays_up_while_the_scene_waits(simulator):
    simulator.reset(1, waiting=True)
    for _ in range(PHYSICS_HZ // 4):
        simulator.step()
    assert abs(travel_m(simulator)) < 1e-4


@pytest.mark.parametrize('force_n', [1.5, 4.5])
def test_a_force_within_the_band_counts_after_one_second(task, monkeypatch, simulator, force_n):
    standings = feel(task, monkeypatch, simulator, force_n, PHYSICS_HZ + 1)
    assert not any(s.success for s in standings[: PHYSICS_HZ - 1])
    assert standings[-1].success


@pytest.mark.parametrize('force_n', [0.0, 1.49, 4.51])
def test_a_force_beyond_the_band_starts_the_second_anew(task, monkeypatch, simulator, force_n):
    assert not feel(task, monkeypatch, simulator, 3.0, PHYSICS_HZ - 2)[-1].success
    feel(task, monkeypatch, simulator, force_n, 1)
    standings = feel(task, monkeypatch, simulator, 3.0, PHYSICS_HZ + 1)
    assert not any(s.success for s in standings[: PHYSICS_HZ - 1])
    assert standings[-1].success


def test_a_new_episode_has_held_nothing(task, monkeypatch, simulator):
    assert feel(task, monkeypatch, simulator, 3.0, PHYSICS_HZ + 1)[-1].success
    simulator.reset(1)
    assert not task.standing(simulator.arm).success


def test_who_presses_too_hard_for_too_long_has_lost(task, monkeypatch, simulator):
    short = int(TOO_HARD_S * PHYSICS_HZ) - 1
    for force_n in (TOO_HARD_N + 1, TOO_HARD_N - 1, TOO_HARD_N + 1):
        assert not any(s.lost for s in feel(task, monkeypatch, simulator, force_n, short))
    assert feel(task, monkeypatch, simulator, TOO_HARD_N + 1, 3)[-1].lost


@pytest.mark.parametrize('seed', range(5))
def test_the_expert_holds_the_force_and_feels_what_the_spring_says(simulator, press, seed):
    outcome = press(seed)
    assert outcome.success, outcome
    felt = simulator.arm.touch_force()
    assert felt[2] == pytest.approx(3.0, abs=0.5)
    assert felt[2] == pytest.approx(STIFFNESS_N_M * travel_m(simulator), abs=0.1)
    assert felt[2] == pytest.approx(simulator.task.key_force_n(simulator.arm))
    assert simulator.task.load_n(simulator.arm) == pytest.approx(felt[2], abs=0.1)


@pytest.mark.parametrize('seed', range(2))
def test_without_touch_the_expert_breaks_the_key(simulator, press, monkeypatch, seed):
    monkeypatch.setattr(simulator.arm, 'touch_force', lambda: np.zeros(3))
    outcome = press(seed)
    assert not outcome.success
    assert simulator.lost
    assert outcome.finished


def test_a_demonstrator_is_pushed_about_less_the_nearer_the_key_and_elsewhere_in_full(
    simulator, task, touch_simulator
):
    expert, place_m = Expert(simulator), simulator.arm.fingertip_position()
    shares = []
    for below_m in (0.5, 0.2, 0.1, 0.0):
        task.put(place_m - np.array([0.0, 0.0, below_m]))
        shares.append(expert.disturbance())
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == 1.0
    assert shares[-1] == pytest.approx(DISTURBED_NEAR)
    assert Expert(touch_simulator).disturbance() == 1.0
