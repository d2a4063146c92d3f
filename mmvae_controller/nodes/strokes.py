"""A recorded stroke as goals in time: to where it begins, along it, and again."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.simulation.tasks.trajectories import RAMP_S, recorded, Trajectory
import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


class Phase(StrEnum):
    """What is being shown."""

    WAITING = 'waiting for the hand'
    LEADING = 'leading the hand to where the stroke begins'
    SHOWING = 'showing the stroke'
    ENDED = 'the stroke has ended'


class Strokes:
    """Says where the hand should be, given where it is; it never asks for more than a bit."""

    def __init__(
        self, stroke: Trajectory, lead_px_s: float, max_apart_px: float, repeat: bool
    ) -> None:
        """Begin by waiting for the hand.

        Args:
            stroke: In px of all pictures, one after the other.
            lead_px_s: How fast to lead to where it begins.
            max_apart_px: A hand that is farther from its goal is led to the beginning anew: it was
                held, or moved by hand.
            repeat: Whether to begin again at the end.

        """
        self.phase = Phase.WAITING
        self._stroke = stroke
        self._lead_px_s, self._max_apart_px, self._repeat = lead_px_s, max_apart_px, repeat
        self._path: Trajectory | None = None
        self._began_s = 0.0

    def goal(self, hand: Vector | None, now_s: float, ahead_s: float) -> Vector | None:
        """Return where the hand should be soon; None where nothing should be asked for.

        Args:
            hand: Where it is, px; None when that is not known.
            now_s: On any clock; set back, it begins anew, unless the stroke has ended.
            ahead_s: How soon.

        """
        if self.phase is Phase.ENDED:
            return None
        if hand is None or now_s < self._began_s:
            self.phase, self._path = Phase.WAITING, None
            if hand is None:
                return None
        if self._path is None or self._apart_px(hand, now_s) > self._max_apart_px:
            self._begin(Phase.LEADING, _lead(hand, self._stroke.at(0.0), self._lead_px_s), now_s)
        assert self._path is not None
        if now_s - self._began_s > self._path.duration_s and not self._goes_on(now_s):
            self.phase = Phase.ENDED
            return None
        return self._path.at(now_s - self._began_s + ahead_s)

    def _goes_on(self, now_s: float) -> bool:
        """Begin what comes after the end of the path; return whether anything does."""
        if self.phase is Phase.LEADING:
            self._begin(Phase.SHOWING, self._stroke, now_s)
            return True
        if self._repeat:
            end, start = self._stroke.at(self._stroke.duration_s), self._stroke.at(0.0)
            self._begin(Phase.LEADING, _lead(end, start, self._lead_px_s), now_s)
        return self._repeat

    def _begin(self, phase: Phase, path: Trajectory, now_s: float) -> None:
        self.phase, self._path, self._began_s = phase, path, now_s

    def _apart_px(self, hand: Vector, now_s: float) -> float:
        assert self._path is not None
        return float(np.abs(hand - self._path.at(now_s - self._began_s)).max())


def read_stroke(path: Path, size: int, duration_s: float) -> Trajectory:
    """Read a stroke: a text file, comma-separated, one row of `size` px for each moment.

    Raises:
        ModalityError: It cannot be read, or is no stroke.

    """
    try:
        points = np.loadtxt(path, delimiter=',', ndmin=2)
        if points.shape[1] != size:
            raise ModalityError(f'{path}: {points.shape[1]} numbers in a row, expected {size}')
        return recorded(points, duration_s)
    except (OSError, ValueError, SimulationError) as error:
        raise ModalityError(f'{path}: is no stroke: {error}') from error


def _lead(hand: Vector, to: Vector, px_s: float) -> Trajectory:
    """Return the straight way, no faster than that in any picture coordinate."""
    # Both ramps, and some time between them even when there is no way to go.
    duration_s = 3 * RAMP_S + float(np.abs(to - hand).max()) / px_s
    return Trajectory(np.stack([hand, to]), duration_s)
