"""Where the arm begins an episode, and where it likes to be."""

from __future__ import annotations

from mmvae_controller.simulation.arm import Arm
from mmvae_controller.simulation.errors import SimulationError
import numpy as np
from numpy.typing import NDArray

HOME_RAD = np.array([0.0, 0.35, 0.0, -1.5, 0.0, 1.25, 0.0])
# Start postures: home and up to this much beside it, joint by joint.
POSTURE_SPREAD_RAD = np.array([1.2, 0.35, 0.5, 0.4, 0.5, 0.4, 1.0])
START_HEIGHT_M = 0.25
ATTEMPTS = 1000


def draw_posture(
    arm: Arm,
    random: np.random.Generator,
    spread_rad: NDArray[np.float64] = POSTURE_SPREAD_RAD,
) -> None:
    """Put the arm into a random posture with its fingertip well above the floor.

    Args:
        arm: Is put there.
        random: Where from.
        spread_rad: How far from `HOME_RAD` at most, joint by joint, `(7,)`.

    """
    for _ in range(ATTEMPTS):
        posture = HOME_RAD + random.uniform(-1, 1, 7) * spread_rad
        arm.set_posture(posture)
        if arm.fingertip_position()[2] > START_HEIGHT_M:
            return
    raise SimulationError(f'no posture with the fingertip above {START_HEIGHT_M} m was found')
