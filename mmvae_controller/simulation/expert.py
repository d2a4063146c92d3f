"""An expert that knows where everything is, and one that is led astray."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from mmvae_controller.control.policy import Estimate
from mmvae_controller.modality.observation import Observation
from mmvae_controller.simulation.arm import Arm
from mmvae_controller.simulation.simulator import Simulator
import numpy as np
from numpy.typing import NDArray


class Expert:
    """Does what the task's expert does."""

    def __init__(self, simulator: Simulator) -> None:
        """Look straight into this simulator."""
        self._simulator = simulator
        task = simulator.task
        self._delicate = task if isinstance(task, Delicate) else None

    def decide(self, observation: Observation) -> Estimate:
        """Return the joint velocity `(D,)` rad/s it would use now; the observation is not read."""
        velocity = self.velocity()
        return Estimate(velocity, np.zeros_like(velocity))

    def velocity(self) -> NDArray[np.float64]:
        """Return the joint velocity `(D,)` rad/s it would use now."""
        return self._simulator.task.expert_velocity(self._simulator.arm)

    def disturbance(self) -> float:
        """Return by what share it may be disturbed now."""
        return self._delicate.disturbance(self._simulator.arm) if self._delicate else 1.0


class Demonstrator(Protocol):
    """A policy that moves the arm, and tells in `clean` what would have been right there."""

    @property
    def clean(self) -> NDArray[np.float64]:
        """What would be right now, `(D,)` rad/s."""

    def decide(self, observation: Observation) -> Estimate:
        """Return the command it wants."""


@runtime_checkable
class Delicate(Protocol):
    """A task that cannot be shown while pushed about in full."""

    def disturbance(self, arm: Arm) -> float:
        """Return by what share a demonstrator may be disturbed now, 0 to 1."""


class NoisyExpert:
    """The expert, disturbed: it shows what to do about mistakes (Laskey et al. 2017, DART).

    The disturbance lasts for a while, so the arm is really led astray; what is recorded as the
    right command is what the undisturbed expert wants.
    """

    def __init__(
        self, expert: Expert, std_rad_s: float, duration_ticks: int, random: np.random.Generator
    ) -> None:
        """Disturb each joint by `std_rad_s`, anew after `duration_ticks` on average."""
        self.clean = np.zeros(0)
        self._expert = expert
        self._std = std_rad_s
        self._change = 1 / duration_ticks
        self._random = random
        self._noise: NDArray[np.float64] | None = None

    def decide(self, observation: Observation) -> Estimate:
        """Return the disturbed joint velocity `(D,)` rad/s; the right one is kept in `clean`."""
        self.clean = self._expert.velocity()
        if self._noise is None or self._random.random() < self._change:
            # Half of the time nothing disturbs it, or it would never show a calm approach.
            calm = self._random.random() < 0.5
            self._noise = self._random.normal(0, 0 if calm else self._std, len(self.clean))
        noise = self._expert.disturbance() * self._noise
        return Estimate(self.clean + noise, np.zeros_like(self.clean))
