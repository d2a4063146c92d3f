"""What decides on a command when a goal is given: the model asked what leads from here to there.

What is sensed now goes into the slot of t-1, the wanted value of one modality into its slot of t,
all else is masked; the command decoded at t-1 leads from here to there in one step of the model.
"""

from __future__ import annotations

import math

from mmvae_controller.control.errors import ControlError
from mmvae_controller.control.gate import Reason
from mmvae_controller.control.network import Network
from mmvae_controller.control.policy import Estimate
from mmvae_controller.control.window import NS
from mmvae_controller.modality.goal import goal_query
from mmvae_controller.modality.observation import CURRENT, empty_values, Observation, PREVIOUS
from mmvae_controller.modality.spec import Role
import numpy as np
from numpy.typing import NDArray

NO_GOAL_YET = 'no goal yet'


class GoalPolicy:
    """The model with now at t-1 and a goal at t; without a goal that counts it wants nothing."""

    def __init__(self, network: Network, goal: str, max_age_s: float) -> None:
        """Ask this network.

        Args:
            network: It should have been trained with the family `goal` of masks.
            goal: The sense of which a value is wanted.
            max_age_s: An older goal does not count.

        Raises:
            ControlError: It is no sense of the model, or no goal would ever count.

        """
        modalities = network.contract.modalities
        senses = [m.name for m in modalities if m.role is Role.SENSE]
        if goal not in senses:
            raise ControlError(f'goal {goal!r} is no sense of the model, expected one of {senses}')
        if not (math.isfinite(max_age_s) and max_age_s > 0):
            raise ControlError(f'a goal that counts for {max_age_s} s, expected above 0')
        self.network = network
        self.modality = next(m for m in modalities if m.name == goal)
        self._query = goal_query(modalities, goal)
        self._max_age_ns = round(max_age_s * NS)
        self._command = network.contract.command
        self._values = empty_values(modalities)
        self._goal: NDArray[np.generic] | None = None
        self._given_ns = 0
        self._trouble = NO_GOAL_YET

    def aim(self, value: NDArray[np.generic], now_ns: int) -> str:
        """Take a goal: the value wanted one step of the model from now.

        One that makes no sense ends the last goal too: whoever sends it does not know where to.

        Args:
            value: `(*shape)` of the modality.
            now_ns: When it was received, on the clock of the observations.

        Returns:
            Why it does not count; empty for a sound goal.

        """
        self.forget()
        if value.shape != self.modality.shape:
            self._trouble = f'goal of shape {value.shape}, expected {self.modality.shape}'
        elif not np.all(np.isfinite(value)):
            self._trouble = 'the goal is not finite'
        else:
            with np.errstate(over='ignore'):  # Too large for float32 becomes inf.
                self._goal = np.array(value, dtype=self.modality.dtype)
            self._given_ns = now_ns
            self._trouble = ''
            if not np.all(np.isfinite(self._goal)):
                self.forget('the goal is too large')
        return self._trouble

    def forget(self, why: str = NO_GOAL_YET) -> None:
        """Have no goal any more."""
        self._goal, self._trouble = None, why

    def heed(self, now_ns: int) -> None:
        """Forget a goal from later: it would count again when the clock gets there."""
        if self._goal is not None and now_ns < self._given_ns:
            self.forget(self.trouble(now_ns))

    def trouble(self, now_ns: int) -> str:
        """Return why there is no goal that counts at a moment; empty if there is one."""
        if self._goal is None:
            return self._trouble
        age_ns = now_ns - self._given_ns
        if age_ns < 0:
            return 'the goal is from later: the clock was set back'
        if age_ns > self._max_age_ns:
            return f'the goal is {age_ns / NS:.2f} s old, max {self._max_age_ns / NS:g} s'
        return ''

    def age_s(self, now_ns: int) -> float:
        """Return how old the goal is; inf if there is none."""
        return math.inf if self._goal is None else (now_ns - self._given_ns) / NS

    def decide(self, observation: Observation) -> Estimate:
        """Decode the command that leads from here to the goal.

        Without a goal it refuses; its numbers are NaN, which no gate lets through either.
        """
        trouble = self.trouble(observation.stamp_ns)
        if self._goal is None or trouble:
            self.heed(observation.stamp_ns)
            nothing = np.full(self._command.shape, np.nan)
            return Estimate(nothing, nothing, Reason.NO_GOAL)
        for name, value in self._values.items():
            value[PREVIOUS] = observation.values[name][CURRENT]
        self._values[self.modality.name][CURRENT] = self._goal
        known = np.zeros(self._query.shape, dtype=np.float32)
        known[:, PREVIOUS] = self.network.contract.freshness(observation)[:, CURRENT]
        known[:, CURRENT] = 1.0
        command = self._command.name
        asked = Observation(observation.stamp_ns, self._values, self._query, observation.age_s)
        found = self.network.decode_one(asked, known * self._query, [command])[command]
        return Estimate(
            found.mean[0, PREVIOUS].astype(np.float64), found.std[0, PREVIOUS].astype(np.float64)
        )
