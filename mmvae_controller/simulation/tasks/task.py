"""Tasks: what stands in the scene, where the arm starts, when it is done, and how to do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from mmvae_controller.simulation.arm import Arm
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.simulation.tasks.imitate import Imitate
from mmvae_controller.simulation.tasks.intercept import Intercept
from mmvae_controller.simulation.tasks.names import IMITATE, INTERCEPT, PRESS, TOUCH_TARGET
from mmvae_controller.simulation.tasks.press import Press
from mmvae_controller.simulation.tasks.standing import Standing
from mmvae_controller.simulation.tasks.touch_target import TouchTarget
import numpy as np
from numpy.typing import NDArray


class Task(Protocol):
    """What a simulator and its expert need to know of a task."""

    name: str
    time_limit_s: float

    def build(self, client: int) -> None:
        """Put the task's bodies into the physics client, once."""

    def reset(self, arm: Arm, random: np.random.Generator) -> None:
        """Draw a new scene and a new posture."""

    def advance(self, arm: Arm, step_s: float) -> None:
        """Move what moves by itself, before each physics step."""

    def standing(self, arm: Arm) -> Standing:
        """Tell how it stands at this moment; asked again, the answer is the same."""

    def distance_m(self, arm: Arm) -> float:
        """Return how far the fingertip is from where it should be, for reports."""

    def expert_velocity(self, arm: Arm) -> NDArray[np.float64]:
        """Return the joint velocity `(D,)` rad/s of somebody who knows everything."""


TASKS: dict[str, Callable[[], Task]] = {
    TOUCH_TARGET: TouchTarget,
    INTERCEPT: Intercept,
    PRESS: Press,
    IMITATE: Imitate,
}


def make_task(name: str) -> Task:
    """Return a new task.

    Raises:
        SimulationError: There is none of that name.

    """
    if name not in TASKS:
        raise SimulationError(f'no task {name!r}, there are {", ".join(TASKS)}')
    return TASKS[name]()
