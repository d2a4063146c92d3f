"""The simulated world: the same for the same seed, whatever happened before."""

from itertools import pairwise

from mmvae_controller.control.soundness import contrast
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.simulation.arm import TOUCH_RANGE_N
from mmvae_controller.simulation.camera import CameraState
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.simulation.simulator import PHYSICS_HZ, Simulator
from mmvae_controller.simulation.tasks.postures import START_HEIGHT_M
from mmvae_controller.simulation.tasks.standing import Standing
from mmvae_controller.simulation.tasks.task import make_task
import numpy as np
import pybullet
import pytest


@pytest.fixture(scope='module')
def simulator(iiwa_arm):
    simulator = Simulator(make_task('touch_target'), iiwa_arm)
    yield simulator
    simulator.close()


def scene(simulator, seed, steps=30):
    """Return everything the sensors say in the first steps, moving."""
    simulator.reset(seed)
    seen = []
    for _ in range(steps):
        seen.append(simulator.readings())
        simulator.command(simulator.arm.home_rad)
        simulator.step()
    return seen


def same(first, second):
    for one, other in zip(first, second, strict=True):
        for name in ('camera', 'joint_position', 'joint_velocity', 'touch'):
            if not np.array_equal(getattr(one, name), getattr(other, name)):
                return False
    return True


def descend_on_the_ball(simulator, height_m=0.04):
    """Put the fingertip straight into the ball, as a bad controller would, and let it be felt."""
    above = np.array([0, 0, height_m])
    position, _ = simulator.arm.state()
    for _ in range(200):
        error = simulator.task.place_m + above - simulator.arm.fingertip_position()
        linear = simulator.arm.fingertip_jacobian(position)[:3]
        position = position + 0.3 * np.linalg.pinv(linear) @ error
        simulator.arm.set_posture(position)
    simulator.step()


def test_the_same_seed_is_the_same_scene_and_another_seed_another(simulator):
    first = scene(simulator, 3)
    assert not same(first, scene(simulator, 4))
    assert same(first, scene(simulator, 3))


def test_two_simulators_agree(simulator, iiwa_arm):
    other = Simulator(make_task('touch_target'), iiwa_arm)
    try:
        assert same(scene(simulator, 5), scene(other, 5))
    finally:
        other.close()


def test_a_new_episode_feels_nothing_of_the_last_one(simulator):
    simulator.reset(1)
    descend_on_the_ball(simulator)
    assert np.any(simulator.arm.touch_force() != 0)
    simulator.reset(2)
    assert simulator.readings().touch.tolist() == [0, 0, 0]
    assert not simulator.outcome().success


def test_the_touch_saturates(simulator):
    simulator.reset(1)
    descend_on_the_ball(simulator, height_m=0.0)
    force = simulator.arm.touch_force()
    assert np.abs(force).max() == TOUCH_RANGE_N
    assert np.all(np.abs(force) <= TOUCH_RANGE_N)


def test_only_the_fingertip_feels(simulator):
    simulator.reset(1)
    # Let a box press on another link of the arm.
    link = pybullet.getLinkState(simulator.arm.body, 3, physicsClientId=simulator.client)[0]
    shape = pybullet.createCollisionShape(
        pybullet.GEOM_BOX, halfExtents=[0.05] * 3, physicsClientId=simulator.client
    )
    box = pybullet.createMultiBody(0, shape, basePosition=link, physicsClientId=simulator.client)
    try:
        simulator.step()
        touching = pybullet.getContactPoints(
            simulator.arm.body, box, physicsClientId=simulator.client
        )
        assert touching
        assert simulator.arm.touch_force().tolist() == [0, 0, 0]
        assert not simulator.arm.fingertip_touches(box)
    finally:
        pybullet.removeBody(box, physicsClientId=simulator.client)


def test_time_never_goes_back_not_even_over_a_reset(simulator):
    times = [simulator.time_ns]
    for seed in (1, 2, 2):
        simulator.reset(seed)
        times.append(simulator.time_ns)
        for _ in range(7):
            simulator.step()
            times.append(simulator.time_ns)
    assert all(later >= earlier for earlier, later in pairwise(times))
    assert times[-1] - times[-8] == pytest.approx(7e9 / PHYSICS_HZ, abs=1)


def test_every_sensor_is_due_at_the_reset_and_then_at_its_own_rate(simulator):
    due = scene(simulator, 1, steps=PHYSICS_HZ)
    assert sum(r.camera is not None for r in due) == 20
    for name in ('joint_position', 'joint_velocity', 'touch'):
        assert sum(getattr(r, name) is not None for r in due) == 80
    assert due[0].camera is not None
    assert due[0].touch is not None
    assert due[1].camera is None
    assert due[1].touch is None


def test_an_episode_ends_without_success_when_its_time_is_up(simulator):
    simulator.reset(1)
    for _ in range(round(simulator.task.time_limit_s * PHYSICS_HZ) - 1):
        simulator.step()
    assert not simulator.outcome().finished
    simulator.step()
    outcome = simulator.outcome()
    assert outcome.finished
    assert not outcome.success
    simulator.restart_clock()
    assert not simulator.outcome().finished


def test_a_touch_is_a_success_and_stays_one(simulator):
    simulator.reset(1)
    descend_on_the_ball(simulator)
    assert simulator.outcome().success
    simulator.arm.set_posture(simulator.arm.home_rad)
    simulator.step()
    assert simulator.outcome().success


@pytest.mark.parametrize('seed', range(10))
def test_the_ball_lies_in_its_sector_and_the_arm_starts_above_it(simulator, seed):
    simulator.reset(seed)
    x, y, z = simulator.task.place_m
    assert 0.42 <= np.hypot(x, y) <= 0.78
    assert abs(np.degrees(np.arctan2(y, x))) <= 75
    assert z == simulator.task.radius_m
    assert simulator.arm.fingertip_position()[2] > START_HEIGHT_M


class Scripted:
    """A task that stands as it is told, and counts how often it may move."""

    name, time_limit_s = 'scripted', 0.5

    def __init__(self):
        self.now = Standing(False, False)
        self.moved_s = []

    def build(self, client):
        pass

    def reset(self, arm, random):
        arm.set_posture(arm.home_rad)

    def advance(self, arm, step_s):
        self.moved_s.append(step_s)

    def standing(self, arm):
        return self.now

    def distance_m(self, arm):
        return 0.3

    def expert_velocity(self, arm):
        return np.zeros(7)


@pytest.fixture(scope='module')
def stage(iiwa_arm):
    simulator = Simulator(Scripted(), iiwa_arm)
    yield simulator
    simulator.close()


def step(simulator, success=False, lost=False):
    simulator.task.now = Standing(success, lost)
    simulator.step()
    return simulator.outcome()


def test_what_is_lost_is_finished_at_once_and_no_success_any_more(stage):
    stage.reset(0)
    assert not step(stage).finished
    outcome = step(stage, lost=True)
    assert outcome.finished
    assert not outcome.success
    assert outcome.elapsed_s < stage.task.time_limit_s
    assert not step(stage, success=True).success
    assert stage.lost
    stage.reset(0)
    assert not stage.lost
    assert not stage.outcome().finished


def test_what_succeeded_can_not_be_lost_any_more(stage):
    stage.reset(0)
    assert step(stage, success=True).success
    assert step(stage, lost=True).success
    assert not stage.lost


def test_a_success_and_a_loss_at_once_are_a_success(stage):
    stage.reset(0)
    assert step(stage, success=True, lost=True).success
    assert not stage.lost


def test_the_distance_is_the_one_of_the_task(stage):
    stage.reset(0)
    assert step(stage).distance_m == 0.3


def test_what_moves_by_itself_moves_before_every_physics_step(stage):
    stage.reset(0)
    stage.task.moved_s.clear()
    for _ in range(5):
        stage.step()
    assert stage.task.moved_s == [1 / PHYSICS_HZ] * 5


def test_a_scene_that_waits_begins_to_move_when_the_clock_does(stage):
    stage.reset(0, waiting=True)
    stage.task.moved_s.clear()
    stage.step()
    assert not stage.task.moved_s
    stage.restart_clock()
    stage.step()
    assert len(stage.task.moved_s) == 1
    stage.reset(0, waiting=True)
    stage.reset(0)
    stage.step()
    assert len(stage.task.moved_s) == 2


def test_an_unknown_task_is_refused_with_the_known_ones():
    with pytest.raises(SimulationError, match="no task 'dance', there are touch_target"):
        make_task('dance')


def test_the_robot_that_ships_tells_a_covered_camera_from_every_scene(simulator, iiwa_file):
    least = load_robot(iiwa_file).min_contrast['camera']
    for seed in range(20):
        simulator.reset(seed)
        assert contrast(simulator.camera.read()) > 3 * least
        simulator.camera.state = CameraState.COVERED
        assert 0 < contrast(simulator.camera.read()) < least / 3
        simulator.camera.state = CameraState.WORKS


def test_the_noise_of_a_camera_at_high_gain_is_no_scene_either(iiwa_file):
    least = load_robot(iiwa_file).min_contrast['camera']
    noise = np.random.default_rng(0).normal(40, 6.5, (64, 64, 3))
    assert contrast(np.rint(noise).astype(np.uint8)) < least / 3


def test_a_picture_is_red_green_and_blue_of_what_was_drawn(simulator, monkeypatch):
    drawn, draw = [], pybullet.getCameraImage

    def kept(*arguments, **named):
        drawn.append(draw(*arguments, **named))
        return drawn[-1]

    monkeypatch.setattr(pybullet, 'getCameraImage', kept)
    simulator.reset(5)
    picture = simulator.camera.read()
    assert picture.std(axis=2).max() > 50
    assert np.array_equal(picture, drawn[0][2][:, :, :3])
    assert picture.flags.c_contiguous


def test_every_sensor_that_delivers_something_is_due(simulator):
    simulator.reset(1)
    delivered = []
    for _ in range(24):
        given = simulator.readings()
        delivered.append(given.camera is not None or given.touch is not None)
        assert delivered[-1] == simulator.due
        simulator.step()
    assert any(delivered)
    assert not all(delivered)


def test_a_camera_that_is_covered_disturbs_nothing_else(simulator):
    plain = scene(simulator, 5)
    simulator.camera.state = CameraState.COVERED
    covered = scene(simulator, 5)
    simulator.camera.state = CameraState.SILENT
    silent = scene(simulator, 5)
    simulator.camera.state = CameraState.WORKS
    assert same(plain, scene(simulator, 5))
    for name in ('joint_position', 'joint_velocity', 'touch'):
        for one, two, three in zip(plain, covered, silent, strict=True):
            assert np.array_equal(getattr(one, name), getattr(two, name))
            assert np.array_equal(getattr(one, name), getattr(three, name))
    assert all(r.camera is None for r in silent)
