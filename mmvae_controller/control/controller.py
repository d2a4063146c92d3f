"""The controller: one tick from observation to a command that may be sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
import time

from mmvae_controller.control.doubt import Doubt
from mmvae_controller.control.errors import ControlError
from mmvae_controller.control.gate import Decision, hold, judge, Reason, Request, Sent
from mmvae_controller.control.judging import Comparison
from mmvae_controller.control.policy import Estimate, Policy
from mmvae_controller.control.set_point import LET_GO, SetPoint
from mmvae_controller.control.surprise import LOOK_BACK_S
from mmvae_controller.control.tick import Sensed, Tick
from mmvae_controller.control.window import NS, ObservationWindow, SenseState
from mmvae_controller.guidance.help import explained_by, Help
from mmvae_controller.modality.observation import CURRENT, Observation
from mmvae_controller.modality.robot import Robot
from mmvae_controller.modality.spec import Modality, Quantity
import numpy as np
from numpy.typing import NDArray


class Controller:
    """Joins window, policy and gate; knows no ROS.

    Without a set-point nothing is sent. Senses that are not believed may take leave to move, and
    never give it.
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
                explained_by(
                    Help.NOT_ACTIVATED,
                    f'robot {robot.name!r} has no joint limits: give modalities.'
                    f'{robot.command.name}.output.limits in {robot.path}, or a robot_description',
                )
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
        self._doubt = Doubt(robot, self.trust)
        self._limits = robot.output.limits
        self._quantity = Quantity(robot.command.quantity or '')
        self._point = SetPoint(robot, robot.output.limits)
        self._rows = {m.name: row for row, m in enumerate(modalities)}
        anchor = next(m for m in robot.modalities if m.name == robot.anchor)
        self._anchor_index = [anchor.channels.index(j) for j in robot.output.joints]
        self._clock_ns = clock_ns
        self._measured: NDArray[np.float64] | None = None
        self._strayed_ns: int | None = None
        self._unchecked = False
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
        idle = self._follow(observation, senses, now_ns)
        estimate = None
        decision = None
        last = self._point.sent
        if last is not None and self._stopped:
            decision = hold(last, Reason.STOPPED)
        elif last is not None and missing:
            decision = hold(last, Reason.STALE)
        elif last is not None and self._unchecked:
            decision = hold(last, Reason.ERROR)
        elif last is not None:
            asked_ns = self._clock_ns()
            estimate = self.policy.decide(observation)
            # What was fresh when the question was asked is not when the answer is late.
            fresh = self._clock_ns() - asked_ns <= self.robot.watchdog_s * NS
            decision = self._judge(last, estimate, fresh, now_ns)
            if estimate.refused is not None:
                decision = hold(last, estimate.refused)
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
        """Compare a sense with the others, after the tick: its command is more urgent.

        While that fails, the arm holds.
        """
        if self.trust is None or self._seen is None:
            return
        self._unchecked = True
        last, felt = self._point.sent, self.window.newest(self.robot.anchor, self._seen.stamp_ns)
        strayed_rad = None
        if last is not None and felt is not None and felt.stamp_ns != self._strayed_ns:
            self._strayed_ns = felt.stamp_ns
            strayed_rad = self._commanded(felt.value) - last.position
        urgent = self.robot.anchor if last is None else None
        self.trust.check(self._seen, strayed_rad, urgent, self._doubt.compare_anyhow)
        self._seen = None
        self._unchecked = False

    def hold(self, reason: Reason, now_ns: int) -> Decision | None:
        """Return the decision to stay, for whoever has to send one outside a tick.

        None if there is no set-point, or the arm has left it: to stay there would be to go there.
        """
        self._leave(now_ns)
        if self._point.sent is None:
            return None
        decision = hold(self._point.sent, reason)
        self._remember(decision, now_ns)
        return decision

    def _judge(self, last: Sent, estimate: Estimate, fresh: bool, now_ns: int) -> Decision:
        request = Request(estimate.mean, estimate.std, self._quantity, fresh)
        elapsed_s = self._point.elapsed_s(now_ns)
        return judge(request, last, self._limits, elapsed_s, self.robot.output.certainty)

    def _follow(
        self, observation: Observation, senses: Mapping[str, SenseState], now_ns: int
    ) -> str:
        """Take, keep or give up the set-point, here alone; return why there is none."""
        self._leave(now_ns)
        measured = self._measure(observation, now_ns)
        if self._point.sent is not None:
            self._doubt.clear()
            if measured is None and self._point.is_lost(now_ns):
                self._forget_set_point()
            return '' if self._point.sent is not None else self._why_unmeasured()
        if self._stopped:
            return self._let_go or 'stopped'
        if measured is None:
            return self._why_unmeasured()
        return self._doubt.why(senses, now_ns) or self._point.begin(measured, now_ns)

    def _leave(self, now_ns: int) -> None:
        """Give the set-point up if the arm is elsewhere; move no more unless told to resume."""
        felt = self.window.newest(self.robot.anchor, now_ns)
        if felt is None:
            return
        resuming, self._resuming = self._resuming, False
        # Believed or not: where the arm does not follow, its joints say so, and are right.
        left = self._point.left_by(self._commanded(felt.value))
        if left:
            self._point.forget()
        if left and not resuming:
            self._stopped, self._let_go = True, left

    def _why_unmeasured(self) -> str:
        anchor = self.robot.anchor
        why = self.trust.why(anchor) if self.trust else ''
        return f'{anchor} {why}: {LET_GO}' if why else f'{anchor} is not known'

    def _measure(self, observation: Observation, now_ns: int) -> NDArray[np.float64] | None:
        """Return the measured position of the commanded joints, None when it is not known."""
        if not self.window.measured[self._rows[self.robot.anchor], CURRENT]:
            return None  # What is predicted of it is no measurement.
        self._point.measured(now_ns)
        self._measured = observation.values[self.robot.anchor][CURRENT].astype(np.float64)
        return self._commanded(self._measured)

    def _commanded(self, joints: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return those of the joints of the anchor that are commanded, in the command's order."""
        return np.asarray(joints[self._anchor_index], dtype=np.float64)

    def _clear_senses(self) -> None:
        self.window.clear()
        self._seen = self._strayed_ns = None
        self._doubt.clear()
        if self.trust is not None:
            self.trust.clear()

    def _forget_set_point(self) -> None:
        self._point.forget()
        self._let_go = ''

    def _remember(self, decision: Decision, now_ns: int) -> None:
        self._point.follow(decision, now_ns)
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
