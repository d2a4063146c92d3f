"""Judges what a controller sent, by the promises of docs/safety.md and without the gate's code."""

from __future__ import annotations

from mmvae_controller.control.gate import Decision
from mmvae_controller.control.tick import Tick
from mmvae_controller.modality.robot import Robot
from mmvae_controller.modality.spec import Modality
import numpy as np

NS = 1_000_000_000
# What float64 cannot tell apart: of a position in rad, and of a speed in rad/s.
EPSILON = float(np.finfo(np.float64).eps)
SLACK = 1e-9
# An arm that rests on its limit may be measured a little beyond it.
BEYOND_RAD = 1e-4
REMEMBERED = 100


class Judge:
    """Is told all that a controller is told, and remembers in `position` what was sent."""

    def __init__(self, robot: Robot, modalities: tuple[Modality, ...]) -> None:
        """Start with nothing sent; `robot` has limits, `modalities` are as the controller's."""
        self._robot = robot
        self._limits = robot.output.limits
        self._period_s = 1 / robot.rate_hz
        self._rows = {m.name: row for row, m in enumerate(modalities)}
        anchor = next(m for m in robot.modalities if m.name == robot.anchor)
        self._index = [anchor.channels.index(joint) for joint in robot.output.joints]
        self._anchor_age_s = anchor.max_age_s
        # A sense that is predicted may be missing for longer, but no sense for ever.
        self._longest_ns = {
            m.name: round(max(m.max_age_s, robot.max_prediction_s.get(m.name, 0.0)) * NS)
            for m in robot.modalities
        }
        self.begin()

    def begin(self) -> None:
        """Expect a controller as if just built."""
        self._sound_ns: dict[str, list[int]] = {name: [] for name in self._rows}
        self._joints: list[tuple[int, np.ndarray | None]] = []
        self._stopped = self._resuming = False
        self._forget()

    def stop(self) -> None:
        """Note that it was told to stop."""
        self._stopped = True

    def resume(self) -> None:
        """Note that it may go on, with what it senses from now on."""
        self._stopped, self._resuming = False, True
        self._sound_ns = {name: [] for name in self._rows}
        self._joints = []

    def pushed(self, name: str, value: np.ndarray, now_ns: int) -> None:
        """Note a sample that was taken."""
        with np.errstate(over='ignore'):
            sound = np.isfinite(value.astype(np.float32)).all()
        if sound and not (name in self._robot.min_contrast and np.ptp(value) == 0):
            # The last few: a clock that goes back and forth may leave one of them fresh.
            self._sound_ns[name] = [*self._sound_ns[name][-REMEMBERED:], now_ns]
        if name == self._robot.anchor:
            said = value.astype(np.float32).astype(float)[self._index] if sound else None
            if self._joints and now_ns < self._joints[-1][0]:
                self._joints = []  # The clock was set back.
            kept = [j for j in self._joints[-REMEMBERED:] if j[0] != now_ns]
            self._joints = [*kept, (now_ns, said)]

    def ticked(self, tick: Tick, now_ns: int, late: bool) -> list[str]:
        """Return what is unsafe about a tick; `late` if the policy took too long."""
        if tick.decision is None:
            self._let_go(self._felt(now_ns))
            return []
        problems = self._follow(self._felt(now_ns), now_ns)
        if not tick.decision.holding:
            problems += self._may_move(tick, now_ns, late)
        return problems + self.sent(tick.decision, now_ns)

    def failed(self, now_ns: int) -> list[str]:
        """Return what is unsafe about a tick that ended with an exception of the policy."""
        return self._follow(self._felt(now_ns), now_ns)

    def sent(self, decision: Decision, now_ns: int) -> list[str]:
        """Return what is unsafe about a decision that is sent, in a tick or outside of one."""
        last, position, velocity = self.position, decision.sent.position, decision.sent.velocity
        if last is None:
            self._remember(decision, now_ns)
            return ['it was sent without a set-point to begin from']
        problems = []
        if position.shape != last.shape or not np.isfinite([position, velocity]).all():
            problems.append('it is not finite, or of another size')
        elif decision.holding:
            if not np.array_equal(position, last) or velocity.any():
                problems.append('a hold that is not the last set-point at rest')
        else:
            problems += self._steps(decision, last, now_ns)
        if np.any(position < self._limits.lower_rad) or np.any(position > self._limits.upper_rad):
            problems.append(f'it is outside the position limits: {position.tolist()}')
        self._remember(decision, now_ns)
        return problems

    def _steps(self, decision: Decision, last: np.ndarray, now_ns: int) -> list[str]:
        """Judge speed and change of speed, counted from what was sent before."""
        elapsed_s = min((now_ns - self._sent_ns) / NS, self._period_s)
        if elapsed_s <= 0:
            return ['it moves though no time has passed']
        problems = []
        position, velocity = decision.sent.position, decision.sent.velocity
        speed = (position - last) / elapsed_s
        blur = SLACK + 8 * EPSILON * max(1.0, float(np.abs(position).max())) / elapsed_s
        if np.any(np.abs(speed) > self._limits.velocity_rad_s + blur):
            problems.append(f'too fast: {speed.tolist()} rad/s')
        if np.any(np.abs(speed - velocity) > blur):
            problems.append(f'it tells {velocity.tolist()} rad/s and goes at {speed.tolist()}')
        change = np.abs(velocity - self._velocity) - self._limits.acceleration_rad_s2 * elapsed_s
        if np.any(change > SLACK):
            problems.append(f'its speed changes by {change.max()} rad/s more than it may')
        return problems

    def _may_move(self, tick: Tick, now_ns: int, late: bool) -> list[str]:
        problems = ['it moves though stopped'] if self._stopped else []
        problems += ['it moves on an answer that came too late'] if late else []
        for name in self._robot.required:
            ages_ns = (now_ns - stamp_ns for stamp_ns in self._sound_ns[name])
            if not any(0 <= age_ns <= self._longest_ns[name] for age_ns in ages_ns):
                problems.append(f'it moves without {name}')
        estimate, bound = tick.estimate, self._robot.output.certainty.max_std
        if estimate is None or not np.isfinite([estimate.mean, estimate.std]).all():
            problems.append('it moves for a policy that says nothing finite')
        elif bound is not None and np.any(estimate.std > bound):
            problems.append(f'it moves for a policy as uncertain as {estimate.std.max()}')
        return problems

    def _follow(self, measured: np.ndarray | None, now_ns: int) -> list[str]:
        """Take a new set-point where one may begin; say if one goes on that may not."""
        if measured is None:
            return [] if self.position is not None else ['it begins without measured joints']
        if self._is_near(measured):
            self._resuming = False
            return []
        if self.position is not None and not self._resuming:
            return ['it goes on though the arm is elsewhere']
        self._resuming = False
        self.position = np.clip(measured, self._limits.lower_rad, self._limits.upper_rad)
        self._velocity = np.zeros_like(self.position)
        self._sent_ns = now_ns - round(self._period_s * NS)
        problems = ['it begins though stopped'] if self._stopped else []
        if np.abs(self.position - measured).max() > BEYOND_RAD:
            problems.append(f'it begins outside the limits, at {measured.tolist()}')
        return problems

    def _let_go(self, measured: np.ndarray | None) -> None:
        """Note that nothing is sent: an arm that does not follow needs to be resumed."""
        if measured is not None:
            elsewhere = self.position is not None and not self._is_near(measured)
            self._stopped = self._stopped or (elsewhere and not self._resuming)
            self._resuming = False
        self._forget()

    def _is_near(self, measured: np.ndarray) -> bool:
        if self.position is None:
            return False
        error_rad = np.abs(measured - self.position).max()
        return bool(error_rad <= self._robot.max_following_error_rad + SLACK)

    def _felt(self, now_ns: int) -> np.ndarray | None:
        """Return what the joints said last, believed or not; None if that is too old to count."""
        if self._joints and self._joints[-1][0] > now_ns:
            self._joints = []
        said = next(((ns, v) for ns, v in reversed(self._joints) if v is not None), None)
        if said is None or (now_ns - said[0]) / NS > self._anchor_age_s:
            return None
        return said[1]

    def _forget(self) -> None:
        self.position: np.ndarray | None = None

    def _remember(self, decision: Decision, now_ns: int) -> None:
        self.position = np.array(decision.sent.position)
        self._velocity = np.array(decision.sent.velocity)
        self._sent_ns = now_ns
