"""Touch a red ball that rolls over the floor."""

from __future__ import annotations

from dataclasses import dataclass
import math

from mmvae_controller.simulation.arm import Arm
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.simulation.physics import pybullet
from mmvae_controller.simulation.tasks.postures import draw_posture
from mmvae_controller.simulation.tasks.reach import (
    approach,
    APPROACH_GAIN_PER_S,
    from_above,
    joint_velocity,
    length,
)
from mmvae_controller.simulation.tasks.sector import Sector
from mmvae_controller.simulation.tasks.standing import Standing
from mmvae_controller.simulation.tasks.touch_target import make_ball, put
import numpy as np
from numpy.typing import NDArray

ATTEMPTS = 10_000
# Wider than where a ball lies still: the more floor there is, the fewer balls roll against an arm
# that waits somewhere.
ROLLS_IN = Sector(nearest_m=0.42, farthest_m=0.78, half_angle_rad=math.radians(90))
# The arm begins nearer to the middle than in the other tasks, or turning would take too long.
START_TURN_RAD = 0.8
# The expert hurries more than that of a ball that waits. Not its gain: with 6/s instead of 4/s it
# would touch every ball without knowing how fast it is.
APPROACH_SPEED_M_S = 0.8
JOINT_SPEED_RAD_S = 1.45
# How fast the fingertip comes nearer on its way to a ball, with the turning of the arm in it.
CLOSING_SPEED_M_S = 0.5


@dataclass
class Intercept:
    """Touch a red ball with the fingertip before it has rolled out of reach.

    It rolls straight on, in any direction, and does not turn back at the border: so its place
    and velocity at one moment say where it will be, and one picture never does.
    """

    name: str = 'intercept'
    # As short as one who sees it can do it. An arm that waits blindly at the best place of all,
    # there in 0.6 s, is met by 10 % of the balls within 2 s, by 13 % within 4 s.
    time_limit_s: float = 2.0
    # A ball is drawn so that it is in reach for so long at least.
    stays_s: float = 2.0
    radius_m: float = 0.04
    area: Sector = ROLLS_IN
    slowest_m_s: float = 0.1
    fastest_m_s: float = 0.25

    def build(self, client: int) -> None:
        """Put the ball into the scene; it has no mass, so no touch changes its way."""
        self._client = client
        self.ball = make_ball(client, self.radius_m)
        self.place_m = np.zeros(3)
        self.velocity_m_s = np.zeros(3)
        self.floor = self.area

    def reset(self, arm: Arm, random: np.random.Generator) -> None:
        """Draw where the ball is and how it rolls, and raise the arm."""
        self.floor = self.area.within(arm.reach_m)
        speed = random.uniform(self.slowest_m_s, self.fastest_m_s)
        for _ in range(ATTEMPTS):
            place = self.floor.draw(random)
            angle = random.uniform(-math.pi, math.pi)
            velocity = speed * np.array([math.cos(angle), math.sin(angle)])
            if self._stays(place, velocity):
                break
        else:
            raise SimulationError(f'no way of {speed * self.stays_s:.2f} m within reach was found')
        self.place_m = np.append(place, self.radius_m)
        self.velocity_m_s = np.append(velocity, 0.0)
        put(self._client, self.ball, self.place_m)
        draw_posture(arm, random, START_TURN_RAD)

    def advance(self, arm: Arm, step_s: float) -> None:
        """Let the ball roll on.

        It rests while the arm is on it, or it would push the arm aside with endless force, and
        once it is out of reach.
        """
        held = pybullet.getContactPoints(arm.body, self.ball, physicsClientId=self._client)
        if held or not self.floor.contains(self.place_m):
            return
        self.place_m = self.place_m + self.velocity_m_s * step_s
        put(self._client, self.ball, self.place_m)

    def standing(self, arm: Arm) -> Standing:
        """Tell whether the fingertip touches the ball, and whether that has rolled away."""
        return Standing(
            arm.fingertip_touches(self.ball), lost=not self.floor.contains(self.place_m)
        )

    def distance_m(self, arm: Arm) -> float:
        """Return the distance of the centres of fingertip and ball."""
        return length(arm.fingertip_position() - self.place_m)

    def expert_velocity(self, arm: Arm) -> NDArray[np.float64]:
        """Come down where the ball will be, and rest while touching it."""
        if arm.fingertip_touches(self.ball):
            return np.zeros(len(arm.joints))
        return meet(arm, self.place_m, self.velocity_m_s)

    def _stays(self, place_m: NDArray[np.float64], velocity_m_s: NDArray[np.float64]) -> bool:
        """Tell whether a ball, both `(2,)`, is in reach for long enough.

        Of a straight way the ends are farthest from the base, and at the widest angle, so one
        place between them is left to ask: the nearest to the base.
        """
        nearest_s = -float(place_m @ velocity_m_s / (velocity_m_s @ velocity_m_s))
        moments_s = (0.0, min(max(nearest_s, 0.0), self.stays_s), self.stays_s)
        return all(self.floor.contains(place_m + velocity_m_s * moment) for moment in moments_s)


def meet(
    arm: Arm, place_m: NDArray[np.float64], velocity_m_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the joint velocity `(D,)` rad/s that brings the fingertip down on a moving ball.

    Args:
        arm: Where it stands now.
        place_m: Centre of the ball now, `(3,)`.
        velocity_m_s: Of the ball, `(3,)`; told 0, it runs after the ball.

    """
    offset = place_m - arm.fingertip_position()
    # A proportional approach lags behind what moves by the inverse of its gain.
    closing_s = length(offset) / CLOSING_SPEED_M_S
    lead_s = max(closing_s, 1 / APPROACH_GAIN_PER_S)
    tip_m_s = approach(from_above(offset + velocity_m_s * lead_s), APPROACH_SPEED_M_S)
    return joint_velocity(arm, tip_m_s, fastest_rad_s=JOINT_SPEED_RAD_S)
