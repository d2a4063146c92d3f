"""Draws a recorded movement again, larger and from nearer than the robot's own camera."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mmvae_controller.simulation.camera import Camera, CameraPose
from mmvae_controller.simulation.simulator import Simulator
from mmvae_controller.simulation.tasks import make_task
import numpy as np
from numpy.typing import NDArray

OVERVIEW_POSE = CameraPose(eye=(1.7, -0.9, 1.0), target=(0.25, 0.0, 0.35), field_of_view_deg=50.0)
OVERVIEW_SIZE = (320, 320)


def replay(
    task: str, seed: int, postures: Sequence[NDArray[np.float64]]
) -> Iterator[NDArray[np.uint8]]:
    """Yield a picture `(320, 320, 3)` of each posture `(7,)` rad in the scene of a seed."""
    simulator = Simulator(make_task(task))
    try:
        simulator.reset(seed)
        camera = Camera(simulator.client, OVERVIEW_POSE, *OVERVIEW_SIZE)
        for posture in postures:
            simulator.arm.set_posture(posture)
            yield camera.picture()
    finally:
        simulator.close()
