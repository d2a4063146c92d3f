"""Motor babbling: moves without a purpose, from which a model learns what moves the hand where.

Nobody demonstrates anything: a model that has learnt what its commands lead to is then asked for
the command that leads to a goal (Zambelli et al. 2020).
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from mmvae_controller.control.policy import Estimate
from mmvae_controller.modality.observation import Observation
from mmvae_controller.simulation.simulator import Simulator
from mmvae_controller.simulation.tasks.reach import approach, joint_velocity
import numpy as np
from numpy.typing import NDArray

# A command must last longer than a step of the model, or it would not be what moved the hand.
CHANGES_PER_S = 2.0
FASTEST_M_S = 0.25
# How far it may stray from its room.
MARGIN_M = 0.03


@runtime_checkable
class Explorable(Protocol):
    """A task that is learnt by babbling."""

    def room_m(self) -> NDArray[np.float64]:
        """Return the lower and the upper corner `(2, 3)` m of where the fingertip is to be."""


class Babbler:
    """Goes at some speed to some place while each joint turns as it likes, and changes its mind.

    The places keep it where the task is done. `clean` is all of it: there is no right command.
    """

    def __init__(
        self,
        simulator: Simulator,
        task: Explorable,
        most_rad_s: float,
        rate_hz: float,
        random: np.random.Generator,
    ) -> None:
        """Begin to babble.

        Args:
            simulator: Looked straight into.
            task: Says where to stay.
            most_rad_s: Of each joint, the standard deviation of its own turning at most.
            rate_hz: Of the control loop.
            random: Decides everything.

        """
        self.clean = np.zeros(0)
        self._simulator = simulator
        self._room = task.room_m()
        self._most = most_rad_s
        self._change = CHANGES_PER_S / rate_hz
        self._random = random
        self._turning: NDArray[np.float64] | None = None
        self._place = np.zeros(3)
        self._speed_m_s = 0.0

    def decide(self, observation: Observation) -> Estimate:
        """Return the joint velocity `(D,)` rad/s of this moment; the observation is not read."""
        arm = self._simulator.arm
        tip = arm.fingertip_position()
        if self._turning is None or self._random.random() < self._change:
            # Small turns as often as large ones: the model is to follow slow paths as well.
            most = self._most * self._random.random() ** 2
            self._turning = self._random.normal(0, most, len(arm.joints))
            self._place = self._random.uniform(self._room[0], self._room[1])
            self._speed_m_s = self._random.uniform(0, FASTEST_M_S)
        if np.any((tip < self._room[0] - MARGIN_M) | (tip > self._room[1] + MARGIN_M)):
            # It strays too far: back, and undisturbed.
            self._turning, self._speed_m_s = np.zeros(len(arm.joints)), FASTEST_M_S
        towards = joint_velocity(arm, approach(self._place - tip, self._speed_m_s))
        self.clean = towards + self._turning
        return Estimate(self.clean, np.zeros_like(self.clean))
