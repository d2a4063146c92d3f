"""The controller: one tick from observation to a command that may be sent."""

from __future__ import annotations

from dataclasses import dataclass

from mmvae_controller.control.errors import ControlError
from mmvae_controller.control.gate import Decision, hold, judge, Reason, Request, Sent
from mmvae_controller.control.policy import Estimate, Policy
from mmvae_controller.control.window import NS, ObservationWindow
from mmvae_controller.modality.observation import CURRENT, Observation
from mmvae_controller.modality.robot import Robot
from mmvae_controller.modality.spec import Modality, Quantity
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Tick:
    """What one tick saw, wanted and decided.

    Args:
        observation: Valid until the next tick.
        missing: The required senses that were not known.
        estimate: None when nobody was asked.
        decision: None when there is nothing to hold yet: no joint position was ever measured.

    """

    observation: Observation
    missing: tuple[str, ...]
    estimate: Estimate | None
    decision: Decision | None


class Controller:
    """Joins window, policy and gate; knows no ROS and no clock of its own."""

    def __init__(
        self, robot: Robot, modalities: tuple[Modality, ...], step_s: float, policy: Policy
    ) -> None:
        """Build one for a robot.

        Args:
            robot: Its limits are needed: without limits nothing moves.
            modalities: In the order of the model's mask rows; how old a sample may be is for
                the robot to say.
            step_s: The time between the model's two steps.
            policy: Who decides.

        Raises:
            ControlError: The robot has no limits, or lacks a modality of the model.

        """
        if robot.output.limits is None:
            raise ControlError(
                f'robot {robot.name!r} has no joint limits: give modalities.'
                f'{robot.command.name}.output.limits in {robot.path}, or a robot_description'
            )
        self.robot = robot
        self.policy = policy
        self.window = ObservationWindow(_as_configured(robot, modalities), step_s)
        self._limits = robot.output.limits
        self._period_s = 1 / robot.rate_hz
        self._rows = {m.name: row for row, m in enumerate(modalities)}
        anchor = next(m for m in robot.modalities if m.name == robot.anchor)
        self._anchor_index = [anchor.channels.index(j) for j in robot.output.joints]
        self._sent: Sent | None = None
        self._sent_ns = 0
        self._stopped = False

    @property
    def stopped(self) -> bool:
        """Whether it was told to stop."""
        return self._stopped

    def reset(self) -> None:
        """Forget every sample and the last command, as after the robot was moved by others."""
        self.window.clear()
        self._sent = None

    def stop(self) -> None:
        """Hold until told to resume."""
        self._stopped = True

    def resume(self) -> None:
        """Go on, from where the robot is measured next."""
        self._stopped = False
        self.reset()

    def push(self, name: str, value: NDArray[np.generic], now_ns: int) -> None:
        """Take a sample of a sense; see `ObservationWindow.push`."""
        self.window.push(name, value, now_ns)

    def tick(self, now_ns: int) -> Tick:
        """Decide on the command at a moment; what it returns in `decision` is to be sent."""
        observation = self.window.read(now_ns)
        missing = tuple(
            name
            for name in self.robot.required
            if not observation.known[self._rows[name], CURRENT]
        )
        if self._sent is None:
            self._anchor(observation, now_ns)
        estimate = None
        decision = None
        if self._sent is not None and self._stopped:
            decision = hold(self._sent, Reason.STOPPED)
        elif self._sent is not None:
            estimate = None if missing else self.policy.decide(observation)
            decision = self._judge(estimate, now_ns)
        if decision is not None:
            self._remember(decision, now_ns)
        return Tick(observation, missing, estimate, decision)

    def hold(self, reason: Reason) -> Decision | None:
        """Return the decision to stay, for whoever has to send one outside a tick."""
        if self._sent is None:
            return None
        decision = hold(self._sent, reason)
        self._sent = decision.sent
        return decision

    def _judge(self, estimate: Estimate | None, now_ns: int) -> Decision:
        assert self._sent is not None
        if estimate is None:
            return hold(self._sent, Reason.STALE)
        request = Request(estimate.mean, estimate.std, self._quantity, fresh=True)
        # A late tick must not make up for lost time with a larger step.
        elapsed_s = min((now_ns - self._sent_ns) / NS, self._period_s)
        return judge(request, self._sent, self._limits, elapsed_s, self.robot.output.max_std)

    @property
    def _quantity(self) -> Quantity:
        assert self.robot.command.quantity is not None
        return self.robot.command.quantity

    def _anchor(self, observation: Observation, now_ns: int) -> None:
        """Take the measured position as the first set-point; refuse one outside the limits."""
        if not observation.known[self._rows[self.robot.anchor], CURRENT]:
            return
        measured = observation.values[self.robot.anchor][CURRENT].astype(np.float64)
        position = measured[self._anchor_index]
        limits = self._limits
        if np.any(position < limits.lower_rad) or np.any(position > limits.upper_rad):
            return
        self._sent = Sent(position, np.zeros_like(position))
        self._sent_ns = now_ns - round(self._period_s * NS)

    def _remember(self, decision: Decision, now_ns: int) -> None:
        self._sent = decision.sent
        self._sent_ns = now_ns
        self.window.push(self.robot.command.name, decision.sent.value(self._quantity), now_ns)


def _as_configured(robot: Robot, modalities: tuple[Modality, ...]) -> list[Modality]:
    """Return the robot's modalities in the model's order."""
    ours = {m.name: m for m in robot.modalities}
    absent = [m.name for m in modalities if m.name not in ours]
    if absent or robot.command.name not in {m.name for m in modalities}:
        raise ControlError(
            f'model of {[m.name for m in modalities]} does not fit robot {robot.name!r}, '
            f'which has {list(ours)}'
        )
    return [ours[m.name] for m in modalities]
