"""Where the arm begins an episode."""

from __future__ import annotations

import math

from mmvae_controller.simulation.arm import Arm
from mmvae_controller.simulation.errors import SimulationError
import numpy as np

START_HEIGHT_M = 0.25
ATTEMPTS = 1000


def draw_posture(arm: Arm, random: np.random.Generator, turn_rad: float = math.inf) -> None:
    """Put the arm into a random posture with its fingertip well above the floor.

    Args:
        arm: Is put there: up to its `spread_rad` beside its `home_rad`, joint by joint.
        random: Where from.
        turn_rad: How far the first joint, which turns all of it, may be from there at most.

    """
    spread_rad = arm.spread_rad.copy()
    spread_rad[0] = min(spread_rad[0], turn_rad)
    for _ in range(ATTEMPTS):
        arm.set_posture(arm.home_rad + random.uniform(-1, 1, len(spread_rad)) * spread_rad)
        if arm.fingertip_position()[2] > START_HEIGHT_M:
            return
    raise SimulationError(f'no posture with the fingertip above {START_HEIGHT_M} m was found')
