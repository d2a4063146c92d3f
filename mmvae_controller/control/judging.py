"""What a controller asks of whoever says which senses are believed."""

from __future__ import annotations

from typing import Protocol

from mmvae_controller.control.window import ObservationWindow
from mmvae_controller.modality.observation import Observation
from mmvae_controller.modality.robot import Robot
import numpy as np
from numpy.typing import NDArray


class Judge(Protocol):
    """Says which senses are believed; see `Trust`."""

    def clear(self) -> None:
        """Begin anew."""

    def check(
        self,
        observation: Observation,
        strayed_rad: NDArray[np.float64] | None,
        urgent: str | None = None,
        anyhow: bool = False,
    ) -> None:
        """Compare a sense; an urgent one out of turn, and though others are missing if told so."""

    def why(self, name: str) -> str:
        """Return why a sense is distrusted; empty if it is believed."""

    def doubts(self, name: str) -> bool:
        """Tell whether it could be compared, and has not agreed yet."""

    def evidence(self, name: str) -> float | None:
        """Return how much speaks against it, 1 at the alarm; None if it is not compared."""


class Comparison(Protocol):
    """How lying senses are found; see `comparison`."""

    def trust(self, window: ObservationWindow, robot: Robot) -> Judge:
        """Return what judges the senses of a robot, as they come into its window."""
