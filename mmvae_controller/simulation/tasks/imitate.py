"""Let the hand follow a path that is given in the pictures of two cameras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import math
from typing import ClassVar

from mmvae_controller.simulation.arm import Arm
from mmvae_controller.simulation.camera import CameraPose
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.simulation.physics import pybullet
from mmvae_controller.simulation.projection import project, triangulate, View
from mmvae_controller.simulation.tasks.postures import draw_posture
from mmvae_controller.simulation.tasks.reach import (
    approach,
    APPROACH_SPEED_M_S,
    joint_velocity,
    length,
)
from mmvae_controller.simulation.tasks.standing import Standing
from mmvae_controller.simulation.tasks.trajectories import draw_path, Kind, recorded, Trajectory
import numpy as np
from numpy.typing import NDArray

# The cameras look up from below the hand: there the finger hides little of its tip.
LOOKED_AT_M = (0.5, 0.0, 0.34)
FIELD_OF_VIEW_DEG = 38.0
PICTURE_SIZE = (120, 160)
VIEWS: Mapping[str, View] = {
    name: View(CameraPose((1.25, y, 0.12), LOOKED_AT_M, FIELD_OF_VIEW_DEG), *PICTURE_SIZE)
    for name, y in (('left', 0.55), ('right', -0.55))
}
HAND_COLOUR = (0.1, 0.9, 0.1, 1)
# A goal is where the hand should be one step of the model from now.
GOAL_AHEAD_S = 0.1
# The arm is led to where the path begins in steps of a control loop.
LEADING_STEP_S = 0.05
LEADING_STEPS = 200
ARRIVED_M = 0.002
ATTEMPTS = 20


@dataclass(eq=False)
class Imitate:
    """Follow a path with the fingertip as it is shown in two pictures.

    The path lies somewhere in a box that both cameras see, in any plane, and is run through once,
    from rest to rest. What is shown is where the hand should be in the pictures `GOAL_AHEAD_S`
    from now; how far the arm is from its path is measured where it should be now. It is followed
    when the hand was not farther from it than `tolerance_px`, in the mean over time and pictures.

    Args:
        name: Of the task.
        duration_s: Of the path.
        time_limit_s: Never reached: the end of the path ends the episode.
        tolerance_px: In pictures of 160 x 120; in the middle of the box a pixel is 5 mm.
        half_size_m: Of the box around `LOOKED_AT_M`.
        radius_m: From and to: of a drawn path.
        kinds: Of the paths that are drawn.
        stroke_px: Of a recorded path instead, `(N, 4)` px in both pictures; empty draws.

    """

    name: str = 'imitate'
    duration_s: float = 6.0
    time_limit_s: float = 6.5
    tolerance_px: float = 1.0
    half_size_m: tuple[float, float, float] = (0.10, 0.16, 0.10)
    radius_m: tuple[float, float] = (0.05, 0.10)
    kinds: tuple[Kind, ...] = tuple(Kind)
    stroke_px: NDArray[np.float64] | None = None
    views: ClassVar[Mapping[str, View]] = VIEWS
    goal_modality: ClassVar[str] = 'hand'
    goal_ahead_s: ClassVar[float] = GOAL_AHEAD_S

    def build(self, client: int) -> None:
        """Nothing but the arm is there."""
        self._client = client
        self._path = Trajectory(np.zeros((2, 3)), self.duration_s)
        self._elapsed_s = self._image_sum_px = self._place_sum_m = 0.0
        self._counted = 0

    def reset(self, arm: Arm, random: np.random.Generator) -> None:
        """Draw a path and put the fingertip to where it begins."""
        pybullet.changeVisualShape(
            arm.body, arm.fingertip, rgbaColor=HAND_COLOUR, physicsClientId=self._client
        )
        self._path = recorded(self._draw(random), self.duration_s)
        self._elapsed_s = self._image_sum_px = self._place_sum_m = 0.0
        self._counted = 0
        for _ in range(ATTEMPTS):
            draw_posture(arm, random)
            if _lead(arm, self.place_m()):
                return
        raise SimulationError(f'the hand cannot reach {self.place_m().tolist()} m')

    def advance(self, arm: Arm, step_s: float) -> None:
        """Let the path go on, and note how far the hand is from it."""
        place, wanted = arm.fingertip_position(), self.place_m()
        apart_px = project(self.views, place) - project(self.views, wanted)
        self._image_sum_px += float(np.linalg.norm(apart_px.reshape(-1, 2), axis=1).mean())
        self._place_sum_m += length(place - wanted)
        self._counted += 1
        self._elapsed_s += step_s

    def standing(self, arm: Arm) -> Standing:
        """Tell at the end of the path whether it was followed."""
        # So many steps do not add up to exactly the duration.
        ended = self._elapsed_s > self.duration_s or math.isclose(self._elapsed_s, self.duration_s)
        followed = self.measures()['image_error_px'] <= self.tolerance_px
        return Standing(ended and followed, ended and not followed)

    def distance_m(self, arm: Arm) -> float:
        """Return how far the fingertip is from where it should be now."""
        return length(arm.fingertip_position() - self.place_m())

    def place_m(self, ahead_s: float = 0.0) -> NDArray[np.float64]:
        """Return where the hand should be some time from now, `(3,)` m."""
        return self._path.at(self._elapsed_s + ahead_s)

    def measures(self) -> dict[str, float]:
        """Return the mean distance of the hand from its path: px in a picture, and m."""
        count = max(self._counted, 1)
        return {
            'image_error_px': self._image_sum_px / count,
            'path_error_m': self._place_sum_m / count,
        }

    def goal(self) -> NDArray[np.float64]:
        """Return where the hand should be `GOAL_AHEAD_S` from now, `(4,)` px in both pictures."""
        return project(self.views, self.place_m(GOAL_AHEAD_S))

    def expert_velocity(self, arm: Arm) -> NDArray[np.float64]:
        """Go to where the hand should be `GOAL_AHEAD_S` from now, to be there by then.

        It aims at what the goal shows, and is told the place itself, not its pixels, and where
        the fingertip is: inverse kinematics without any error of a measurement.
        """
        wanted = (self.place_m(GOAL_AHEAD_S) - arm.fingertip_position()) / GOAL_AHEAD_S
        speed = length(wanted)
        return joint_velocity(arm, wanted * APPROACH_SPEED_M_S / max(speed, APPROACH_SPEED_M_S))

    def room_m(self) -> NDArray[np.float64]:
        """Return the lower and the upper corner of the box that the paths lie in, `(2, 3)` m."""
        half = np.array(self.half_size_m)
        return np.stack([LOOKED_AT_M - half, LOOKED_AT_M + half])

    def _draw(self, random: np.random.Generator) -> NDArray[np.float64]:
        if self.stroke_px is not None:
            return np.stack([triangulate(self.views, pixels) for pixels in self.stroke_px])
        kind = self.kinds[random.integers(len(self.kinds))]
        path = draw_path(kind, random.uniform(*self.radius_m), random)
        room = np.array(self.half_size_m) - np.abs(path).max(axis=0)
        return np.asarray(path + LOOKED_AT_M + random.uniform(-1, 1, 3) * room)


def _lead(arm: Arm, place_m: NDArray[np.float64]) -> bool:
    """Lead the fingertip to a place, out of time; tell whether it got there."""
    for _ in range(LEADING_STEPS):
        offset = place_m - arm.fingertip_position()
        if np.linalg.norm(offset) < ARRIVED_M:
            return True
        position, _ = arm.state()
        moved = position + LEADING_STEP_S * joint_velocity(arm, approach(offset))
        arm.set_posture(np.clip(moved, arm.lower_rad, arm.upper_rad))
    return False
