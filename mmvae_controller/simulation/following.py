"""Asks a goal policy for what a task shows, at every tick; and takes its eyes away."""

from __future__ import annotations

from mmvae_controller.control.goal import GoalPolicy
from mmvae_controller.control.network import Network
from mmvae_controller.control.policy import Estimate
from mmvae_controller.modality.observation import Observation
from mmvae_controller.simulation.episode import Distortion, Values
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.simulation.showing import Showing
import numpy as np
from numpy.typing import NDArray

# A goal is given at every tick, so any lifetime would do.
GOAL_MAX_AGE_S = 1.0


class Follower:
    """Does what the model says leads to what is shown now; blind, to what was shown first."""

    def __init__(self, network: Network, task: Showing, blind: bool) -> None:
        """Look at this task, for one episode.

        Raises:
            ControlError: The model does not have the sense that is shown.
            SimulationError: Its step is another one than the goals are ahead.

        """
        step_s = network.contract.step_s
        if not np.isclose(step_s, task.goal_ahead_s):
            raise SimulationError(
                f'model {network.contract.name!r} has a step of {step_s:g} s, the goals are '
                f'{task.goal_ahead_s:g} s ahead'
            )
        self._policy = GoalPolicy(network, task.goal_modality, GOAL_MAX_AGE_S)
        self._task = task
        self._blind = blind
        self._first: NDArray[np.float64] | None = None

    def decide(self, observation: Observation) -> Estimate:
        """Decode the command that leads to the goal of this moment."""
        if self._first is None:
            self._first = self._task.goal()
        goal = self._first if self._blind else self._task.goal()
        self._policy.aim(goal, observation.stamp_ns)
        return self._policy.decide(observation)


def standstill(name: str, before: Distortion | None = None) -> Distortion:
    """Return a distortion, for one episode, in which a sense keeps its first value.

    As if the lens was covered when it had been looked through once: the sense is there, and tells
    nothing new.

    Args:
        name: Of the sense.
        before: What becomes of the values before that.

    """
    first: Values = {}

    def distort(values: Values, now_ns: int) -> Values:
        values = before(values, now_ns) if before else values
        if name not in values:
            return values
        return values | {name: first.setdefault(name, values[name])}

    return distort
