"""Tasks that show in pictures of their own what is to be done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from mmvae_controller.simulation.projection import View
import numpy as np
from numpy.typing import NDArray


@runtime_checkable
class Showing(Protocol):
    """What such a task has besides being one."""

    views: Mapping[str, View]
    goal_modality: str
    goal_ahead_s: float

    def goal(self) -> NDArray[np.float64]:
        """Return the value that `goal_modality` should have `goal_ahead_s` from now."""

    def measures(self) -> dict[str, float]:
        """Return how well it has been followed so far, by name with the unit."""


def views_of(task: object) -> Mapping[str, View]:
    """Return the cameras of a task, by name; most have none."""
    return task.views if isinstance(task, Showing) else {}
