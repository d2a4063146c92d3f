"""One stream of faults: a controller, an arm that does what it is told, and what goes wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from fuzz_faults import (
    ANSWERS,
    BrokenError,
    clock_step_ns,
    CLOCKS,
    NS,
    NUMBERS,
    OPERATIONS,
    PICTURES,
    spoil_answer,
    spoil_numbers,
    spoil_picture,
    stamp_ns,
    Trouble,
)
from fuzz_judge import Judge
from mmvae_controller.control.controller import Controller
from mmvae_controller.control.errors import ControlError
from mmvae_controller.control.gate import Decision, Reason
from mmvae_controller.control.judging import Comparison
from mmvae_controller.control.policy import Estimate, Policy
from mmvae_controller.modality.contract import ModelContract
from mmvae_controller.modality.observation import Observation
from mmvae_controller.modality.robot import Robot
import numpy as np

# The chance of a fault of each thing at each tick, drawn once for a stream: in some the arm must
# move undisturbed, or nothing would be found of what a fault does to a moving arm.
ONSETS = (0.0, 0.0, 0.002, 0.01, 0.05, 1.0)
CAMERA_EVERY = 2
# Of the way to its set-point, the arm goes so much in a tick.
FOLLOWED = 0.7
RESUMED = 0.1
LATE_NS = 10 * NS
BEGAN_NS = 1000 * NS
SHOWN = 20
CAMERA, JOINTS, TOUCH = 'camera', 'joints', 'touch'
KINDS = {
    CAMERA: PICTURES,
    JOINTS: NUMBERS,
    TOUCH: NUMBERS,
    'clock': CLOCKS,
    'answer': ANSWERS,
    'operator': OPERATIONS,
    'arm': ('blocked',),
}


@dataclass(frozen=True, slots=True, eq=False)
class Episode:
    """What was sensed in an episode, at T moments at which all sensors were due.

    Args:
        camera: `(T, H, W, C)` uint8.
        joints: `(T, 7)` rad.
        touch: `(T, 3)` N.

    """

    camera: np.ndarray
    joints: np.ndarray
    touch: np.ndarray

    def nearest(self, posture_rad: np.ndarray) -> int:
        """Return the moment at which the arm stood most like this."""
        return int(np.square(self.joints - posture_rad).sum(axis=1).argmin())


@dataclass
class Tally:
    """What happened."""

    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    exceptions: Counter[str] = field(default_factory=Counter)
    unsafe: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Take what happened elsewhere."""
        for name in ('counts', 'reasons', 'faults', 'exceptions'):
            getattr(self, name).update(getattr(other, name))
        self.unsafe = (self.unsafe + other.unsafe)[:SHOWN]


class Spoilt:
    """A policy whose answers may be late, mad or missing."""

    def __init__(self, policy: Policy, trouble: Trouble, random: np.random.Generator) -> None:
        """Ask this policy first, whatever becomes of its answer."""
        self._policy, self._trouble, self._random = policy, trouble, random
        self.asked, self.late, self.clock_ns = 0, False, 0

    def decide(self, observation: Observation) -> Estimate:
        """Return the answer as the present fault has it."""
        self.asked += 1
        good = self._policy.decide(observation)
        trouble = self._trouble
        self.late = trouble.kind == 'late'
        self.clock_ns += LATE_NS if self.late else 1
        return spoil_answer(trouble.kind, good, trouble.ticks, self._random)


class Stream:
    """One controller, its arm and its faults."""

    def __init__(
        self,
        robot: Robot,
        contract: ModelContract,
        policy: Policy,
        comparison: Comparison | None,
        episodes: list[Episode],
        seed: int,
    ) -> None:
        """Begin where a recorded episode does; all that follows, does from the seed."""
        self._random = random = np.random.default_rng(seed)
        self._seed, self._tally = seed, Tally()
        self._troubles = {
            name: Trouble(kinds, random, float(random.choice(ONSETS)))
            for name, kinds in KINDS.items()
        }
        self._policy = Spoilt(policy, self._troubles['answer'], random)
        self._controller = Controller(
            robot,
            contract.modalities,
            contract.step_s,
            self._policy,
            lambda: self._policy.clock_ns,
            comparison,
            contract.longest_age_s,
        )
        self._judge = Judge(robot, contract.modalities)
        self._period_ns = round(NS / robot.rate_hz)
        self._now_ns = BEGAN_NS
        self._episode, self._other = (episodes[i] for i in random.integers(len(episodes), size=2))
        self._arm_rad = self._episode.joints[0].astype(float)
        self._last: dict[str, np.ndarray] = {}

    def run(self, ticks: int) -> Tally:
        """Let so many ticks pass."""
        for number in range(ticks):
            for name, trouble in self._troubles.items():
                kind = trouble.advance()
                if kind:
                    self._tally.faults[f'{name}: {kind}'] += 1
            clock = self._troubles['clock']
            self._now_ns += clock_step_ns(
                clock.kind, clock.began, self._now_ns, self._period_ns, self._random
            )
            problems = self._operate()
            self._sense(number)
            problems += self._tick()
            self._controller.check_senses()
            self._tally.counts['observations'] += 1
            self._tally.counts['unsafe commands'] += bool(problems)
            for problem in problems:
                self._tally.unsafe.append(f'stream {self._seed}, tick {number}: {problem}')
        self._tally.counts['asked'] = self._policy.asked
        return self._tally

    def _operate(self) -> list[str]:
        operator = self._troubles['operator']
        if not operator.began:
            # An operator who stopped the arm lets it go on some time.
            goes_on = not operator.kind and self._random.random() < RESUMED
            if goes_on and self._controller.stopped:
                self._resume()
            return []
        if operator.kind == 'stop':
            self._controller.stop()
            self._judge.stop()
        elif operator.kind == 'resume':
            self._resume()
        elif operator.kind == 'reset':
            self._controller.reset()
            self._judge.begin()
        elif operator.kind == 'hold':
            return self._hold(Reason.WATCHDOG)
        return []

    def _resume(self) -> None:
        self._controller.resume()
        self._judge.resume()

    def _hold(self, reason: Reason) -> list[str]:
        decision = self._controller.hold(reason, self._now_ns)
        if decision is None:
            return []
        self._count(decision)
        return self._judge.sent(decision, self._now_ns)

    def _sense(self, number: int) -> None:
        episode, now = self._episode, self._episode.nearest(self._arm_rad)
        if number % CAMERA_EVERY == 0:
            picture, kind = episode.camera[now], self._troubles[CAMERA].kind
            last, other = self._last.get(CAMERA, picture), self._other.camera[0]
            self._push(CAMERA, spoil_picture(kind, picture, last, other, self._random))
        for name, value in ((JOINTS, self._arm_rad), (TOUCH, episode.touch[now])):
            trouble, last = self._troubles[name], self._last.get(name, value)
            self._push(name, spoil_numbers(trouble.kind, value, last, trouble.ticks, self._random))

    def _push(self, name: str, value: np.ndarray) -> None:
        kind = self._troubles[name].kind
        if kind == 'silent':
            return
        self._last[name] = value
        moment_ns = stamp_ns(kind, self._now_ns, self._random)
        try:
            self._controller.push(name, value[1:] if kind == 'size' else value, moment_ns)
        except Exception as error:
            self._fail(error, isinstance(error, ControlError) and kind == 'size')
            return
        self._judge.pushed(name, value, moment_ns)

    def _tick(self) -> list[str]:
        self._policy.late = False
        try:
            tick = self._controller.tick(self._now_ns)
        except Exception as error:
            kind = self._troubles['answer'].kind
            expected = {'raises': BrokenError, 'shape': ControlError}.get(kind)
            self._fail(error, expected is not None and isinstance(error, expected))
            problems = self._judge.failed(self._now_ns)
            return problems + self._hold(Reason.ERROR)
        before = self._judge.position
        problems = self._judge.ticked(tick, self._now_ns, self._policy.late)
        if tick.decision is None:
            self._tally.reasons[Reason.NO_ANCHOR] += 1
            return problems
        self._count(tick.decision)
        position = tick.decision.sent.position
        self._tally.counts['moved'] += before is not None and not np.array_equal(before, position)
        if not self._troubles['arm'].kind:
            self._arm_rad = self._arm_rad + FOLLOWED * (position - self._arm_rad)
        return problems

    def _fail(self, error: Exception, expected: bool) -> None:
        """Count what was refused as it should be, and what was not foreseen."""
        self._tally.counts['refused'] += expected
        if not expected:
            self._tally.exceptions[f'stream {self._seed}: {type(error).__name__}: {error}'] += 1

    def _count(self, decision: Decision) -> None:
        self._tally.counts['commands sent'] += 1
        self._tally.counts['holds'] += decision.holding
        self._tally.reasons.update(map(str, decision.reasons))
