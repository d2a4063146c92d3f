"""The controller: one tick from observation to a command that may be sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import time
from typing import Protocol

from mmvae_controller.control.errors import ControlError
from mmvae_controller.control.gate import Decision, hold, judge, Reason, Request, Sent
from mmvae_controller.control.policy import Estimate, Policy
from mmvae_controller.control.surprise import LOOK_BACK_S
from mmvae_controller.control.window import NS, ObservationWindow, SenseState
from mmvae_controller.modality.observation import CURRENT, Observation
from mmvae_controller.modality.robot import Robot
from mmvae_controller.modality.spec import Modality, Quantity
import numpy as np
from numpy.typing import NDArray

# A joint that rests on its limit may be measured beyond it by what float32 cannot hold.
LIMIT_SLACK_RAD = 1e-5
# Unmeasured for so long, and for longer than it may be predicted, the arm may be anywhere: the
# last set-point is no safe place any more.
LOST_AFTER_S = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Tick:
    """What one tick saw, wanted and decided.

    Args:
        observation: Valid until the next tick.
        senses: Where the model has each of them from.
        missing: The required senses that were neither known nor predicted.
        estimate: None when nobody was asked.
        decision: None when nothing is to be sent: there is no set-point, see `idle`.
        idle: Why there is no set-point, for an operator; empty when there is one.

    """

    observation: Observation
    senses: Mapping[str, SenseState]
    missing: tuple[str, ...]
    estimate: Estimate | None
    decision: Decision | None
    idle: str


@dataclass(frozen=True, slots=True)
class Sensed:
    """What a tick made of one sense.

    Args:
        known: At [t - dt, t].
        state: Where the model has it from.
        why: It is distrusted; empty if it is not.
        evidence: What speaks against it, 1 at the alarm; None if it is not compared.

    """

    known: tuple[bool, bool]
    state: SenseState
    why: str
    evidence: float | None


NOTHING_SENSED = Sensed((False, False), SenseState.MASKED, '', None)


class Judge(Protocol):
    """Says which senses are believed; see `Trust`."""

    def clear(self) -> None:
        """Begin anew."""

    def check(
        self,
        observation: Observation,
        strayed_rad: NDArray[np.float64] | None,
        urgent: str | None = None,
    ) -> None:
        """Compare a sense; an urgent one out of turn."""

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


class Controller:
    """Joins window, policy and gate; knows no ROS.

    It has a set-point from the moment the joints are measured inside their limits. It gives the
    set-point up, and sends nothing, when the arm does not follow it or is not measured any more:
    to repeat it then could make the arm jump to a place it left long ago.
    """

    def __init__(
        self,
        robot: Robot,
        modalities: tuple[Modality, ...],
        step_s: float,
        policy: Policy,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        comparison: Comparison | None = None,
        longest_age_s: Mapping[str, float] | None = None,
    ) -> None:
        """Build one for a robot.

        Args:
            robot: Its limits are needed: without limits nothing moves.
            modalities: In the order of the model's mask rows; how old a sample may be is for
                the robot to say.
            step_s: The time between the model's two steps.
            policy: Who decides.
            clock_ns: A steady clock: how long the policy thought.
            comparison: How lying senses are found; None believes them all.
            longest_age_s: By modality, how old a sample the policy reads; none if not named.

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
        self.window = ObservationWindow(
            _as_configured(robot, modalities),
            step_s,
            robot.min_contrast,
            robot.max_prediction_s,
            longest_age_s,
            history_s=0.0 if comparison is None else LOOK_BACK_S + step_s,
        )
        self.trust = None if comparison is None else comparison.trust(self.window, robot)
        self._seen: Observation | None = None
        self._limits = robot.output.limits
        self._period_s = 1 / robot.rate_hz
        self._lost_after_ns = round(
            max(LOST_AFTER_S, robot.max_prediction_s.get(robot.anchor, 0)) * NS
        )
        self._rows = {m.name: row for row, m in enumerate(modalities)}
        anchor = next(m for m in robot.modalities if m.name == robot.anchor)
        self._anchor_index = [anchor.channels.index(j) for j in robot.output.joints]
        self._clock_ns = clock_ns
        self._sent: Sent | None = None
        self._sent_ns = 0
        self._measured_ns: int | None = None
        self._measured: NDArray[np.float64] | None = None
        self._stopped = False
        self._resuming = False
        self._let_go = ''

    @property
    def stopped(self) -> bool:
        """Whether it was told to stop."""
        return self._stopped

    def reset(self) -> None:
        """Begin anew, as if just built."""
        self._clear_senses()
        self._forget_set_point()
        self._stopped = False
        self._resuming = False

    def stop(self) -> None:
        """Hold until told to resume."""
        self._stopped = True

    def resume(self) -> None:
        """Go on with what is sensed from now on.

        From the last set-point if the arm is still near it, so that an arm that sags under its
        weight makes no step; else from where it is measured.
        """
        self._stopped = False
        self._resuming = True
        self._let_go = ''
        self._clear_senses()

    def push(self, name: str, value: NDArray[np.generic], now_ns: int) -> str:
        """Take a sample of a sense; see `ObservationWindow.push`."""
        return self.window.push(name, value, now_ns)

    def tick(self, now_ns: int) -> Tick:
        """Decide on the command at a moment; what it returns in `decision` is to be sent."""
        observation = self.window.read(now_ns)
        senses = self.window.states()
        missing = tuple(n for n in self.robot.required if senses[n] is SenseState.MASKED)
        idle = self._follow(observation, now_ns)
        estimate = None
        decision = None
        if self._sent is not None and self._stopped:
            decision = hold(self._sent, Reason.STOPPED)
        elif self._sent is not None and missing:
            decision = hold(self._sent, Reason.STALE)
        elif self._sent is not None:
            asked_ns = self._clock_ns()
            estimate = self.policy.decide(observation)
            # What was fresh when the question was asked is not when the answer is late.
            fresh = self._clock_ns() - asked_ns <= self.robot.watchdog_s * NS
            decision = self._judge(self._sent, estimate, fresh, now_ns)
            if estimate.refused is not None:
                decision = hold(self._sent, estimate.refused)
        if decision is not None:
            self._remember(decision, now_ns)
        self._seen = observation
        return Tick(observation, senses, missing, estimate, decision, idle)

    def sensed(self, name: str, tick: Tick) -> Sensed:
        """Return what the last tick made of a sense."""
        previous, current = tick.observation.known[self._rows[name]].tolist()
        why = self.trust.why(name) if self.trust else ''
        evidence = self.trust.evidence(name) if self.trust else None
        return Sensed((previous, current), tick.senses[name], why, evidence)

    def check_senses(self) -> None:
        """Compare a sense with the others, after the tick: its command is more urgent."""
        if self.trust is None or self._seen is None:
            return
        newest = self.window.newest(self.robot.anchor)
        strayed_rad = None
        if self._sent is not None and newest is not None:
            measured = newest.value[self._anchor_index].astype(np.float64)
            strayed_rad = measured - self._sent.position
        urgent = self.robot.anchor if self._sent is None else None
        self.trust.check(self._seen, strayed_rad, urgent)
        self._seen = None

    def hold(self, reason: Reason, now_ns: int) -> Decision | None:
        """Return the decision to stay, for whoever has to send one outside a tick."""
        if self._sent is None:
            return None
        decision = hold(self._sent, reason)
        self._remember(decision, now_ns)
        return decision

    def _judge(self, last: Sent, estimate: Estimate, fresh: bool, now_ns: int) -> Decision:
        request = Request(estimate.mean, estimate.std, self._quantity, fresh)
        # A late tick must not make up for lost time with a larger step.
        elapsed_s = min((now_ns - self._sent_ns) / NS, self._period_s)
        return judge(request, last, self._limits, elapsed_s, self.robot.output.certainty)

    def _follow(self, observation: Observation, now_ns: int) -> str:
        """Compare the set-point with the arm: take, keep or give it up; return why there is none.

        Here alone a set-point begins and ends.
        """
        measured = self._measure(observation, now_ns)
        if measured is None:
            if self._sent is not None and self._is_lost(now_ns):
                self._forget_set_point()
            return '' if self._sent is not None else self._why_unmeasured()
        resuming, self._resuming = self._resuming, False
        if self._sent is not None:
            error_rad = np.abs(measured - self._sent.position)
            worst = int(np.argmax(error_rad))
            if error_rad[worst] <= self.robot.max_following_error_rad:
                return ''
            self._forget_set_point()
            if not resuming:
                self._stopped = True
                self._let_go = (
                    f'{self._limits.joints[worst]} is {error_rad[worst]:.3f} rad from its '
                    f'set-point, max_following_error_rad {self.robot.max_following_error_rad:g}: '
                    'let go until resumed'
                )
        if self._stopped:
            return self._let_go or 'stopped'
        if self.trust is not None and self.trust.doubts(self.robot.anchor):
            # Joints that lie would make the arm jump to where they seem to be.
            return f'{self.robot.anchor} has not yet agreed with the other senses'
        return self._anchor(measured, now_ns)

    def _why_unmeasured(self) -> str:
        anchor = self.robot.anchor
        why = self.trust.why(anchor) if self.trust else ''
        return f'{anchor} {why}: let go until resumed' if why else f'{anchor} is not known'

    def _measure(self, observation: Observation, now_ns: int) -> NDArray[np.float64] | None:
        """Return the measured position of the commanded joints, None when it is not known."""
        if not self.window.measured[self._rows[self.robot.anchor], CURRENT]:
            return None  # What is predicted of it is no measurement.
        self._measured_ns = now_ns
        self._measured = observation.values[self.robot.anchor][CURRENT].astype(np.float64)
        return np.asarray(self._measured[self._anchor_index])

    def _is_lost(self, now_ns: int) -> bool:
        if self._measured_ns is None or now_ns < self._measured_ns:
            self._measured_ns = now_ns  # Counted from here, also when the clock was set back.
        return now_ns - self._measured_ns > self._lost_after_ns

    def _clear_senses(self) -> None:
        self.window.clear()
        self._seen = None
        if self.trust is not None:
            self.trust.clear()

    def _forget_set_point(self) -> None:
        self._sent = None
        self._measured_ns = None
        self._let_go = ''

    @property
    def _quantity(self) -> Quantity:
        assert self.robot.command.quantity is not None
        return self.robot.command.quantity

    def _anchor(self, measured: NDArray[np.float64], now_ns: int) -> str:
        """Take the measured position as set-point; refuse one outside the limits and say so."""
        limits = self._limits
        beyond_rad = np.maximum(limits.lower_rad - measured, measured - limits.upper_rad)
        worst = int(np.argmax(beyond_rad))
        if beyond_rad[worst] > LIMIT_SLACK_RAD:
            return (
                f'{limits.joints[worst]} is outside the limits: at {measured[worst]:.4f} rad, '
                f'expected {limits.lower_rad[worst]:g} to {limits.upper_rad[worst]:g}'
            )
        inside = np.clip(measured, limits.lower_rad, limits.upper_rad)
        self._sent = Sent(inside, np.zeros_like(inside))
        self._sent_ns = now_ns - round(self._period_s * NS)
        return ''

    def _remember(self, decision: Decision, now_ns: int) -> None:
        self._sent = decision.sent
        self._sent_ns = now_ns
        self.window.push(self.robot.command.name, decision.sent.value(self._quantity), now_ns)
        # The best there is to know of where the arm is, when nobody measures it.
        if self._measured is not None:
            assumed = self._measured.copy()
            assumed[self._anchor_index] = decision.sent.position
            self.window.assume(self.robot.anchor, assumed, now_ns)


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
