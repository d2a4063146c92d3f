"""Touch a red ball that lies somewhere on the floor."""

from __future__ import annotations

from dataclasses import dataclass
import math

from mmvae_controller.simulation.arm import Arm
from mmvae_controller.simulation.physics import pybullet
from mmvae_controller.simulation.tasks.postures import draw_posture
from mmvae_controller.simulation.tasks.reach import approach, from_above, joint_velocity, length
from mmvae_controller.simulation.tasks.sector import Sector
from mmvae_controller.simulation.tasks.standing import Standing
import numpy as np
from numpy.typing import NDArray

LIES_IN = Sector(nearest_m=0.42, farthest_m=0.78, half_angle_rad=math.radians(75))


@dataclass
class TouchTarget:
    """Touch a red ball that lies somewhere on the floor with the fingertip.

    The ball may lie in a wide sector around the arm, so that no posture and no habitual
    movement finds it: without a picture the place is unknown.
    """

    name: str = 'touch_target'
    time_limit_s: float = 5.0
    radius_m: float = 0.04
    area: Sector = LIES_IN

    def build(self, client: int) -> None:
        """Put the ball into the scene; it has no mass, so it stays where it is touched."""
        self._client = client
        self.ball = make_ball(client, self.radius_m)
        self.place_m = np.zeros(3)

    def reset(self, arm: Arm, random: np.random.Generator) -> None:
        """Lay the ball down, equally likely everywhere in the sector, and raise the arm."""
        self.place_m = np.append(self.area.within(arm.reach_m).draw(random), self.radius_m)
        put(self._client, self.ball, self.place_m)
        draw_posture(arm, random)

    def advance(self, arm: Arm, step_s: float) -> None:
        """Nothing moves by itself."""

    def standing(self, arm: Arm) -> Standing:
        """Tell whether the fingertip touches the ball."""
        return Standing(arm.fingertip_touches(self.ball), False)

    def distance_m(self, arm: Arm) -> float:
        """Return the distance of the centres of fingertip and ball."""
        return length(arm.fingertip_position() - self.place_m)

    def expert_velocity(self, arm: Arm) -> NDArray[np.float64]:
        """Go over the ball and come down on it.

        It rests while it touches, not because it once did: pushed away, it comes back.
        """
        if arm.fingertip_touches(self.ball):
            return np.zeros(len(arm.joints))
        return joint_velocity(arm, approach(from_above(self.place_m - arm.fingertip_position())))


def make_ball(client: int, radius_m: float) -> int:
    """Put a red ball without mass into a scene and return its body."""
    shape = pybullet.createCollisionShape(
        pybullet.GEOM_SPHERE, radius=radius_m, physicsClientId=client
    )
    look = pybullet.createVisualShape(
        pybullet.GEOM_SPHERE,
        radius=radius_m,
        rgbaColor=(0.9, 0.05, 0.05, 1),
        physicsClientId=client,
    )
    return int(pybullet.createMultiBody(0, shape, look, physicsClientId=client))


def put(client: int, body: int, place_m: NDArray[np.float64]) -> None:
    """Put a body at a place `(3,)` m, unturned."""
    pybullet.resetBasePositionAndOrientation(body, place_m, (0, 0, 0, 1), physicsClientId=client)
