"""Draws a recorded movement again, larger and from nearer than the robot's own camera."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat

from mmvae_controller.modality.robot import Robot
from mmvae_controller.simulation.camera import Camera, CameraPose
from mmvae_controller.simulation.simulator import PHYSICS_HZ, simulator_of
import numpy as np
from numpy.typing import NDArray

OVERVIEW_POSE = CameraPose(eye=(1.7, -0.9, 1.0), target=(0.25, 0.0, 0.35), field_of_view_deg=50.0)
OVERVIEW_SIZE = (320, 320)


def replay(
    robot: Robot,
    task: str,
    seed: int,
    postures: Sequence[NDArray[np.float64]],
    moments_s: Sequence[float] = (),
) -> Iterator[NDArray[np.uint8]]:
    """Yield a picture `(320, 320, 3)` of each posture `(D,)` rad in the scene of a seed.

    Args:
        robot: Whose arm.
        task: Its name.
        seed: Of the scene.
        postures: What the arm did.
        moments_s: When in the episode, one for each posture, ascending: what moves by itself is
            drawn where it was then. None: where it was in the beginning.

    """
    simulator = simulator_of(robot, task)
    try:
        simulator.reset(seed)
        camera = Camera(simulator.client, OVERVIEW_POSE, *OVERVIEW_SIZE)
        step = 0
        for posture, moment_s in zip(postures, moments_s or repeat(0.0), strict=False):
            while step < round(moment_s * PHYSICS_HZ):
                simulator.task.advance(simulator.arm, 1 / PHYSICS_HZ)
                step += 1
            simulator.arm.set_posture(posture)
            yield camera.picture()
    finally:
        simulator.close()
