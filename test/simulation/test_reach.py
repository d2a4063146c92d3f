"""The maths of the experts: where the fingertip goes, and how fast."""

from mmvae_controller.simulation.simulator import Simulator
from mmvae_controller.simulation.tasks.reach import (
    approach,
    APPROACH_SPEED_M_S,
    cross,
    DAMPING,
    from_above,
    JOINT_SPEED_RAD_S,
    joint_velocity,
    length,
    POSTURE_GAIN_PER_S,
    UPRIGHT_GAIN_PER_S,
    UPRIGHT_WEIGHT,
)
from mmvae_controller.simulation.tasks.task import make_task
import numpy as np
import pytest


@pytest.fixture(scope='module', params=['iiwa', 'panda'])
def arm(request, arms):
    simulator = Simulator(make_task('touch_target'), arms[request.param])
    yield simulator.arm
    simulator.close()


def moved(arm, velocity, seconds):
    """Put the arm where a joint velocity brings it."""
    position, _ = arm.state()
    arm.set_posture(position + velocity * seconds)


def turned_to(arm, axis, steps=300):
    arm.set_posture(arm.home_rad)
    for _ in range(steps):
        moved(arm, joint_velocity(arm, np.zeros(3), axis), 0.02)
    return float(arm.fingertip_axis() @ axis)


@pytest.mark.parametrize('direction', np.vstack([np.eye(3), -np.eye(3)]).tolist())
def test_the_fingertip_goes_where_it_is_told(arm, direction):
    arm.set_posture(arm.home_rad)
    wanted = 0.1 * np.array(direction)
    before = arm.fingertip_position()
    moved(arm, joint_velocity(arm, wanted), 0.1)
    np.testing.assert_allclose((arm.fingertip_position() - before) / 0.1, wanted, atol=0.02)


def test_the_finger_turns_to_the_axis_it_is_told_and_else_points_down(arm):
    aslant = np.array([0.6, 0.0, -0.8])
    assert turned_to(arm, aslant) > 0.97
    moved(arm, joint_velocity(arm, np.zeros(3)), 0.1)
    assert arm.fingertip_axis() @ aslant < 0.97 or arm.fingertip_axis()[2] < -0.8
    assert turned_to(arm, np.array([0.0, 0.0, -1.0])) > 0.97


def test_no_joint_is_ever_faster_than_the_limit_and_all_are_slowed_alike(arm):
    arm.set_posture(arm.home_rad)
    slow = joint_velocity(arm, np.array([0.0, 30.0, 0.0]))
    assert np.abs(slow).max() == pytest.approx(JOINT_SPEED_RAD_S)
    slower = joint_velocity(arm, np.array([0.0, 300.0, 0.0]))
    np.testing.assert_allclose(slow, slower, atol=0.05)


def test_an_approach_is_proportional_near_by_and_never_faster_than_its_limit():
    np.testing.assert_allclose(approach(np.array([0.02, 0, 0])), [0.08, 0, 0])
    far = approach(np.array([3.0, 4.0, 0.0]))
    np.testing.assert_allclose(far, APPROACH_SPEED_M_S * np.array([0.6, 0.8, 0]))
    assert np.linalg.norm(approach(np.array([0, 0, -9.0]), 0.05)) == pytest.approx(0.05)


def test_from_above_is_higher_the_farther_to_the_side_and_straight_down_over_the_place():
    assert from_above(np.array([0.0, 0, -0.1])).tolist() == [0, 0, -0.1]
    np.testing.assert_allclose(from_above(np.array([0.06, 0.08, -0.1])), [0.06, 0.08, -0.04])
    assert from_above(np.array([9.0, 0, -0.1]))[2] == pytest.approx(0.05)


def test_the_short_ways_of_computing_are_those_of_numpy_to_the_bit(random):
    # Else a data set could not be gone on with that was begun before.
    for size in (1e-9, 1.0, 1e9):
        for one, other in size * random.normal(size=(300, 2, 3)):
            assert length(one) == np.linalg.norm(one)
            assert length(one[:2]) == np.linalg.norm(one[:2])
            assert cross(one, other).tobytes() == np.cross(one, other).tobytes()


def test_the_velocity_is_that_of_the_damped_pseudo_inverse_to_the_bit(arm, random):
    for _ in range(50):
        arm.set_posture(arm.home_rad + random.uniform(-0.5, 0.5, 7))
        tip_m_s, axis = random.normal(size=(2, 3))
        position, _ = arm.state()
        linear, angular = np.split(arm.fingertip_jacobian(position), 2)
        jacobian = np.vstack([linear, UPRIGHT_WEIGHT * angular])
        turn = UPRIGHT_GAIN_PER_S * np.cross(arm.fingertip_axis(), axis)
        square = jacobian @ jacobian.T + DAMPING**2 * np.eye(6)
        inverse = jacobian.T @ np.linalg.inv(square)
        home = POSTURE_GAIN_PER_S * (arm.home_rad - position)
        joints = inverse @ np.concatenate([tip_m_s, UPRIGHT_WEIGHT * turn])
        joints = joints + (np.eye(7) - inverse @ jacobian) @ home
        assert np.array_equal(joint_velocity(arm, tip_m_s, axis, np.inf), joints)
