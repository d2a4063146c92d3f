"""Tasks: what stands in the scene, where the arm starts, and when it is done."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Protocol

from mmvae_controller.simulation.arm import Arm
from mmvae_controller.simulation.errors import SimulationError
import numpy as np
from numpy.typing import NDArray
import pybullet

HOME_RAD = np.array([0.0, 0.35, 0.0, -1.5, 0.0, 1.25, 0.0])
# Start postures: home and up to this much beside it, joint by joint.
POSTURE_SPREAD_RAD = np.array([1.2, 0.35, 0.5, 0.4, 0.5, 0.4, 1.0])
START_HEIGHT_M = 0.25
ATTEMPTS = 1000


class Task(Protocol):
    """What a simulator needs to know of a task."""

    name: str
    time_limit_s: float

    def build(self, client: int) -> None:
        """Put the task's bodies into the physics client, once."""

    def reset(self, arm: Arm, random: np.random.Generator) -> None:
        """Draw a new scene and a new posture."""

    def succeeded(self, arm: Arm) -> bool:
        """Tell whether it is done at this moment."""

    def target(self) -> NDArray[np.float64]:
        """Return where the fingertip should be, `(3,)` m: for the expert and the report."""


@dataclass
class TouchTarget:
    """Touch a red ball that lies somewhere on the floor with the fingertip.

    The ball may lie in a wide sector around the arm, so that no posture and no habitual
    movement finds it: without a picture the place is unknown.
    """

    name: str = 'touch_target'
    time_limit_s: float = 5.0
    radius_m: float = 0.04
    nearest_m: float = 0.42
    farthest_m: float = 0.78
    sector_rad: float = math.radians(75)

    def build(self, client: int) -> None:
        """Put the ball into the scene; it has no mass, so it stays where it is touched."""
        self._client = client
        shape = pybullet.createCollisionShape(
            pybullet.GEOM_SPHERE, radius=self.radius_m, physicsClientId=client
        )
        look = pybullet.createVisualShape(
            pybullet.GEOM_SPHERE,
            radius=self.radius_m,
            rgbaColor=(0.9, 0.05, 0.05, 1),
            physicsClientId=client,
        )
        self.ball = pybullet.createMultiBody(0, shape, look, physicsClientId=client)
        self._place = np.zeros(3)

    def reset(self, arm: Arm, random: np.random.Generator) -> None:
        """Lay the ball down, equally likely everywhere in the sector, and raise the arm."""
        distance = math.sqrt(random.uniform(self.nearest_m**2, self.farthest_m**2))
        angle = random.uniform(-self.sector_rad, self.sector_rad)
        self._place = np.array(
            [distance * math.cos(angle), distance * math.sin(angle), self.radius_m]
        )
        pybullet.resetBasePositionAndOrientation(
            self.ball, self._place, (0, 0, 0, 1), physicsClientId=self._client
        )
        draw_posture(arm, random)

    def succeeded(self, arm: Arm) -> bool:
        """Tell whether the fingertip touches the ball."""
        return arm.fingertip_touches(self.ball)

    def target(self) -> NDArray[np.float64]:
        """Return the centre of the ball."""
        return self._place


def draw_posture(arm: Arm, random: np.random.Generator) -> None:
    """Put the arm into a random posture with its fingertip well above the floor."""
    for _ in range(ATTEMPTS):
        posture = HOME_RAD + random.uniform(-1, 1, 7) * POSTURE_SPREAD_RAD
        arm.set_posture(posture)
        if arm.fingertip_position()[2] > START_HEIGHT_M:
            return
    raise SimulationError(f'no posture with the fingertip above {START_HEIGHT_M} m was found')


TASKS = {'touch_target': TouchTarget}


def make_task(name: str) -> Task:
    """Return a new task.

    Raises:
        SimulationError: There is none of that name.

    """
    if name not in TASKS:
        raise SimulationError(f'no task {name!r}, there are {", ".join(TASKS)}')
    return TASKS[name]()
