"""Paths for the hand to follow: circles, figure eights, drawn by a careless hand, or recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
import math

from mmvae_controller.simulation.errors import SimulationError
import numpy as np
from numpy.typing import NDArray

# So many that the straight pieces between them are shorter than a millimetre.
POINTS = 800
# From rest to full speed, and back at the end.
RAMP_S = 0.5
# Waves of a drawn path, the k-th of them about 1 / k as large as the first.
WAVES = 3

Vector = NDArray[np.float64]


class Kind(StrEnum):
    """What a drawn path looks like."""

    CIRCLE = 'circle'
    EIGHT = 'eight'
    DRAWN = 'drawn'


@dataclass(frozen=True, slots=True, eq=False)
class Trajectory:
    """A path and how long it takes, from rest to rest, at one speed but for the ramps.

    Args:
        points: `(N, D)` at equal distances along the path.
        duration_s: More than both ramps.

    Raises:
        SimulationError: It is no path, or too short a time.

    """

    points: Vector
    duration_s: float

    def __post_init__(self) -> None:
        """Refuse what no hand can follow."""
        if self.points.ndim != 2 or len(self.points) < 2 or not np.isfinite(self.points).all():
            raise SimulationError(
                f'a path of shape {self.points.shape}, expected two or more finite points (N, D)'
            )
        if not (math.isfinite(self.duration_s) and self.duration_s > 2 * RAMP_S):
            raise SimulationError(
                f'a path of {self.duration_s:g} s, expected more than {2 * RAMP_S:g} s: it begins '
                'and ends at rest'
            )

    def at(self, time_s: float) -> Vector:
        """Return the place `(D,)` at a time; before and after it rests at its ends."""
        place = self._share(time_s) * (len(self.points) - 1)
        before = min(int(place), len(self.points) - 2)
        rest = place - before
        return np.asarray((1 - rest) * self.points[before] + rest * self.points[before + 1])

    def _share(self, time_s: float) -> float:
        """Return which share of the way, 0 to 1, is done."""
        time_s = min(max(time_s, 0.0), self.duration_s)
        full_s = self.duration_s - RAMP_S  # What it would take without ramps.
        if time_s < RAMP_S:
            return time_s**2 / (2 * RAMP_S * full_s)
        left_s = self.duration_s - time_s
        if left_s < RAMP_S:
            return 1 - left_s**2 / (2 * RAMP_S * full_s)
        return (time_s - RAMP_S / 2) / full_s


def recorded(points: Vector, duration_s: float) -> Trajectory:
    """Return the trajectory along recorded points `(N, D)`, however unevenly they were recorded.

    Raises:
        SimulationError: They are no path, or the time is too short.

    """
    points = np.asarray(points, dtype=np.float64)
    Trajectory(points, duration_s)  # Refused here, before anything is divided by its length.
    way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    if way[-1] == 0:
        raise SimulationError('a path whose points are all the same place')
    even = np.linspace(0, way[-1], POINTS)
    columns = [np.interp(even, way, column) for column in points.T]
    return Trajectory(np.stack(columns, axis=1), duration_s)


def draw_path(kind: Kind, radius_m: float, random: np.random.Generator) -> Vector:
    """Return a closed path `(N, 3)` m around 0 that lies within a radius of it.

    It may lie in any plane, begin anywhere and go either way round.
    """
    angle = np.linspace(0, 2 * math.pi, POINTS) + random.uniform(0, 2 * math.pi)
    path = SHAPES[kind](angle * random.choice([-1, 1]), random)
    path = path @ _turn(random).T
    return np.asarray(path * radius_m / np.linalg.norm(path, axis=1).max())


def _circle(angle: Vector, random: np.random.Generator) -> Vector:
    return np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=1)


def _eight(angle: Vector, random: np.random.Generator) -> Vector:
    """Return a lemniscate of Gerono."""
    return np.stack([np.sin(angle), np.sin(angle) * np.cos(angle), np.zeros_like(angle)], axis=1)


def _drawn(angle: Vector, random: np.random.Generator) -> Vector:
    """Return a few waves of random size in every direction: smooth, and never twice the same."""
    waves = np.arange(1, WAVES + 1)
    size = random.normal(size=(2, WAVES, 3)) / waves[:, None]
    turns = angle[:, None] * waves
    path = np.cos(turns) @ size[0] + np.sin(turns) @ size[1]
    return np.asarray(path - path.mean(axis=0))


def _turn(random: np.random.Generator) -> Vector:
    """Return a rotation `(3, 3)`, all equally likely."""
    q, r = np.linalg.qr(random.normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return np.asarray(q * np.linalg.det(q))


SHAPES: dict[Kind, Callable[[Vector, np.random.Generator], Vector]] = {
    Kind.CIRCLE: _circle,
    Kind.EIGHT: _eight,
    Kind.DRAWN: _drawn,
}
