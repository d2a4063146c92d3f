"""An expert that knows where everything is: damped least squares on the fingertip's Jacobian."""

from __future__ import annotations

from mmvae_controller.control.policy import Estimate
from mmvae_controller.modality.observation import Observation
from mmvae_controller.simulation.simulator import Simulator
from mmvae_controller.simulation.tasks import HOME_RAD
import numpy as np
from numpy.typing import NDArray

APPROACH_GAIN_PER_S = 4.0
APPROACH_SPEED_M_S = 0.6
# Keeps the finger pointing at the floor, so that the tip, and not the arm, comes first.
UPRIGHT_GAIN_PER_S = 2.0
UPRIGHT_WEIGHT = 0.3
DOWN = np.array([0.0, 0.0, -1.0])
# Damping of the pseudo-inverse (Nakamura and Hanafusa 1986): larger is calmer near singularities.
DAMPING = 0.08
POSTURE_GAIN_PER_S = 0.4
JOINT_SPEED_RAD_S = 1.2
# The fingertip goes over a ball that is far to the side and comes down on it from above.
HOVER_PER_SIDEWAYS = 0.6
HOVER_MAX_M = 0.15


class Expert:
    """Moves the fingertip to the task's target, and rests once it is there."""

    def __init__(self, simulator: Simulator) -> None:
        """Look straight into this simulator."""
        self._simulator = simulator

    def decide(self, observation: Observation) -> Estimate:
        """Return the joint velocity `(7,)` rad/s it would use now; the observation is not read."""
        velocity = self.velocity()
        return Estimate(velocity, np.zeros_like(velocity))

    def velocity(self) -> NDArray[np.float64]:
        """Return the joint velocity `(7,)` rad/s towards the target.

        It rests while it touches, not because it once did: pushed away, it comes back.
        """
        arm = self._simulator.arm
        if self._simulator.task.succeeded(arm):
            return np.zeros(len(arm.joints))
        position, _ = arm.state()
        linear, angular = arm.fingertip_jacobian(position)
        error = self._simulator.task.target() - arm.fingertip_position()
        sideways = float(np.linalg.norm(error[:2]))
        error[2] += min(HOVER_PER_SIDEWAYS * sideways, HOVER_MAX_M)
        tip = _shortened(APPROACH_GAIN_PER_S * error, APPROACH_SPEED_M_S)
        turn = UPRIGHT_GAIN_PER_S * np.cross(arm.fingertip_axis(), DOWN)
        jacobian = np.vstack([linear, UPRIGHT_WEIGHT * angular])
        wanted = np.concatenate([tip, UPRIGHT_WEIGHT * turn])
        square = jacobian @ jacobian.T + DAMPING**2 * np.eye(len(wanted))
        inverse = jacobian.T @ np.linalg.inv(square)
        free = np.eye(len(position)) - inverse @ jacobian
        joints = inverse @ wanted + free @ (POSTURE_GAIN_PER_S * (HOME_RAD - position))
        largest = float(np.max(np.abs(joints)))
        limited: NDArray[np.float64] = joints * min(
            1.0, JOINT_SPEED_RAD_S / max(largest, JOINT_SPEED_RAD_S)
        )
        return limited


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
        """Return the disturbed joint velocity `(7,)` rad/s; the right one is kept in `clean`."""
        self.clean = self._expert.velocity()
        if self._noise is None or self._random.random() < self._change:
            # Half of the time nothing disturbs it, or it would never show a calm approach.
            calm = self._random.random() < 0.5
            self._noise = self._random.normal(0, 0 if calm else self._std, len(self.clean))
        return Estimate(self.clean + self._noise, np.zeros_like(self.clean))


def _shortened(vector: NDArray[np.float64], length: float) -> NDArray[np.float64]:
    return vector * min(1.0, length / max(float(np.linalg.norm(vector)), length))
