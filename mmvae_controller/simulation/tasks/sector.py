"""Where on the floor things lie, as far as an arm reaches."""

from __future__ import annotations

from dataclasses import dataclass, replace
import math

from mmvae_controller.simulation.errors import SimulationError
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Sector:
    """Where on the floor a thing can be reached: a ring around the arm's base, cut to a sector."""

    nearest_m: float
    farthest_m: float
    half_angle_rad: float

    def within(self, reach_m: tuple[float, float]) -> Sector:
        """Return what of it lies between two distances from the base.

        Raises:
            SimulationError: Nothing does.

        """
        nearest, farthest = max(self.nearest_m, reach_m[0]), min(self.farthest_m, reach_m[1])
        if nearest >= farthest:
            raise SimulationError(
                f'the arm reaches the floor from {reach_m[0]:g} to {reach_m[1]:g} m from its base '
                f'(reach_m), the things of the task lie from {self.nearest_m:g} to '
                f'{self.farthest_m:g} m'
            )
        return replace(self, nearest_m=nearest, farthest_m=farthest)

    def draw(self, random: np.random.Generator) -> NDArray[np.float64]:
        """Return a place `(2,)` m, equally likely everywhere."""
        distance = math.sqrt(random.uniform(self.nearest_m**2, self.farthest_m**2))
        angle = random.uniform(-self.half_angle_rad, self.half_angle_rad)
        return np.array([distance * math.cos(angle), distance * math.sin(angle)])

    def contains(self, place_m: NDArray[np.float64]) -> bool:
        """Tell whether a place lies in it, by its first two coordinates."""
        x, y = (float(value) for value in place_m[:2])
        ring = self.nearest_m <= math.hypot(x, y) <= self.farthest_m
        return ring and abs(math.atan2(y, x)) <= self.half_angle_rad
