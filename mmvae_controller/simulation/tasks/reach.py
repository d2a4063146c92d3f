"""Joint velocities that move the fingertip as wanted: what the experts of all tasks share."""

from __future__ import annotations

import math

from mmvae_controller.simulation.arm import Arm
import numpy as np
from numpy.typing import NDArray

APPROACH_GAIN_PER_S = 4.0
APPROACH_SPEED_M_S = 0.6
DOWN = np.array([0.0, 0.0, -1.0])
# Keeps the finger pointing along its axis, so that the tip, and not the arm, comes first.
UPRIGHT_GAIN_PER_S = 2.0
UPRIGHT_WEIGHT = 0.3
# Damping of the pseudo-inverse (Nakamura and Hanafusa 1986): larger is calmer near singularities.
DAMPING = 0.08
DAMPING_MATRIX = DAMPING**2 * np.eye(6)
POSTURE_GAIN_PER_S = 0.4
JOINT_SPEED_RAD_S = 1.2
# The fingertip goes over what is far to the side and comes down on it from above.
HOVER_PER_SIDEWAYS = 0.6
HOVER_MAX_M = 0.15


def joint_velocity(
    arm: Arm,
    tip_m_s: NDArray[np.float64],
    axis: NDArray[np.float64] = DOWN,
    fastest_rad_s: float = JOINT_SPEED_RAD_S,
) -> NDArray[np.float64]:
    """Return the joint velocity `(D,)` rad/s that moves the fingertip as wanted.

    What the fingertip leaves free goes towards where the arm likes to be.

    Args:
        arm: Where it stands now.
        tip_m_s: Wanted velocity of the fingertip in the world, `(3,)`.
        axis: Unit vector along which the finger is to point, `(3,)`.
        fastest_rad_s: When one joint would be faster, all of them are slowed alike.

    """
    position, _ = arm.state()
    jacobian = arm.fingertip_jacobian(position)
    jacobian[3:] *= UPRIGHT_WEIGHT
    turn = UPRIGHT_GAIN_PER_S * cross(arm.fingertip_axis(), axis)
    wanted = np.concatenate([tip_m_s, UPRIGHT_WEIGHT * turn])
    square = jacobian @ jacobian.T + DAMPING_MATRIX
    inverse = jacobian.T @ np.linalg.inv(square)
    free = np.eye(len(position)) - inverse @ jacobian
    joints = inverse @ wanted + free @ (POSTURE_GAIN_PER_S * (arm.home_rad - position))
    return _shortened(joints, float(np.abs(joints).max()), fastest_rad_s)


def approach(
    offset_m: NDArray[np.float64], fastest_m_s: float = APPROACH_SPEED_M_S
) -> NDArray[np.float64]:
    """Return the fingertip's velocity `(3,)` m/s that closes an offset, calmly at its end."""
    wanted = APPROACH_GAIN_PER_S * offset_m
    return _shortened(wanted, length(wanted), fastest_m_s)


def from_above(offset_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return an offset `(3,)` m to a place above that one, the higher the farther to the side."""
    hover = min(HOVER_PER_SIDEWAYS * length(offset_m[:2]), HOVER_MAX_M)
    above: NDArray[np.float64] = offset_m + np.array([0.0, 0.0, hover])
    return above


def length(vector: NDArray[np.float64]) -> float:
    """Return its Euclidean length: to the bit that of `np.linalg.norm`, and faster."""
    return math.sqrt(vector.dot(vector))


def cross(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the product of two vectors `(3,)`: to the bit that of `np.cross`, and faster."""
    (a, b, c), (x, y, z) = one.tolist(), other.tolist()
    return np.array([b * z - c * y, c * x - a * z, a * y - b * x])


def _shortened(vector: NDArray[np.float64], size: float, longest: float) -> NDArray[np.float64]:
    short: NDArray[np.float64] = vector * min(1.0, longest / max(size, longest))
    return short
