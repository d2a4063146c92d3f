"""Any samples, at any times, under any policy: what is sent is safe, or nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
import sys
from types import SimpleNamespace
from typing import Any

from hypothesis import event, given, HealthCheck, settings
from hypothesis import strategies as st
from mmvae_controller.control.controller import Controller
from mmvae_controller.control.errors import ControlError
from mmvae_controller.control.gate import Decision, Reason, Sent
from mmvae_controller.control.network import Network
from mmvae_controller.control.policy import Estimate, NetworkPolicy
from mmvae_controller.control.window import NS
from mmvae_controller.modality.robot import Robot
from mmvae_controller.modality.robot_file import load_robot
import numpy as np
import pytest

# One judge, for these and for the million observations of bench/fuzz.py.
sys.path.append(str(Path(__file__).parents[2] / 'bench'))

from fuzz_judge import Judge
from fuzz_stream import Episode, Stream, Tally

PERIOD_NS = NS // 50
START_NS = 100 * NS
HOSTILE = [np.nan, np.inf, -np.inf, 1.8e308, -1e308, 3.5e38, 5e-324, -0.0, 0.0, 1e3, -1e3]
FLOATS = st.sampled_from(HOSTILE) | st.floats(width=64)
MILD = st.floats(-2.0, 2.0)
TIMES_NS = st.just(PERIOD_NS) | st.sampled_from(
    [0, 1, -1, -PERIOD_NS, 3 * PERIOD_NS, NS, -NS, -START_NS, 3600 * NS]
)
# Receipts may be late, or from a clock that was ahead.
STAMPS_NS = st.just(0) | st.integers(-NS, NS)
GIVEN = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass(frozen=True)
class Sample:
    """What a sense delivers, and how far from now it came."""

    value: Any
    stamp_ns: int


@dataclass(frozen=True)
class Step:
    """One tick, and what happens before it; None where nothing does."""

    elapsed_ns: int = PERIOD_NS
    joints: Sample | None = Sample('arm', 0)
    camera: Sample | None = Sample('scene', 0)
    touch: Sample | None = None
    answer: tuple[list[float], list[float]] | None = None
    operation: str | None = None


def vectors(size: int) -> st.SearchStrategy[list[float]]:
    return st.lists(FLOATS, min_size=size, max_size=size) | st.lists(FLOATS, max_size=size + 1)


SENSED = {
    'joints': st.builds(Sample, st.just('arm') | vectors(3), STAMPS_NS),
    'camera': st.builds(
        Sample, st.sampled_from(['scene', 'black', 'noise', 'small', 'float', 'empty']), STAMPS_NS
    ),
    'touch': st.builds(Sample, vectors(2), STAMPS_NS),
}
ANSWERS = st.tuples(
    st.lists(MILD, min_size=2, max_size=2) | vectors(2),
    st.just([0.0, 0.1]) | vectors(2),
)
STRANGE = {
    'elapsed_ns': TIMES_NS,
    **{name: st.none() | samples for name, samples in SENSED.items()},
    'operation': st.sampled_from(['stop', 'resume', 'hold', 'reset']),
}
SURE = ([0.1, -0.1], [0.0, 0.1])
# With less the arm has not begun to move before things go wrong.
CALM = 3


@st.composite
def steps(draw: st.DrawFn, usual: Step, **more: st.SearchStrategy[Any]) -> list[Step]:
    """Return steps of which each has one or two things strange, or none."""
    strange = STRANGE | more
    names = st.sets(st.sampled_from(sorted(strange)), max_size=2)
    return [usual] * CALM + [
        replace(usual, **{name: draw(strange[name]) for name in sorted(some)})
        for some in draw(st.lists(names, max_size=25))
    ]


class Told:
    """A policy that says what it is told to, or what the model wants."""

    def __init__(self, policy: NetworkPolicy) -> None:
        self._policy = policy
        self.answer: tuple[list[float], list[float]] | None = None

    def decide(self, observation: Any) -> Estimate:
        if self.answer is None:
            return self._policy.decide(observation)
        return Estimate(*(np.array(part, dtype=float) for part in self.answer))


class Bout:
    """A controller, an arm that does what it is told, and the judge."""

    def __init__(self, robot: Robot, network: Network) -> None:
        self.policy = Told(NetworkPolicy(network))
        self.controller = Controller(
            robot, network.contract.modalities, network.contract.step_s, self.policy, lambda: 0
        )
        self.judge = Judge(robot, network.contract.modalities)
        self.now_ns = START_NS
        self.arm_rad = np.array([0.5, 9.0, -0.25])  # right, spare, left
        self.moved = 0

    def run(self, steps: list[Step]) -> None:
        for step in steps:
            self.now_ns += step.elapsed_ns
            self.policy.answer = step.answer
            self._operate(step.operation)
            for name in SENSED:
                self._push(name, getattr(step, name))
            self._tick(step)

    def _operate(self, operation: str | None) -> None:
        if operation == 'hold':
            self._hold(Reason.WATCHDOG)
        elif operation is not None:
            getattr(self.controller, operation)()
            getattr(self.judge, {'reset': 'begin'}.get(operation, operation))()

    def _hold(self, reason: Reason) -> None:
        decision = self.controller.hold(reason, self.now_ns)
        if decision is not None:
            assert self.judge.sent(decision, self.now_ns) == []

    def _push(self, name: str, sample: Sample | None) -> None:
        if sample is None:
            return
        value = self._value(sample.value)
        stamp_ns = self.now_ns + sample.stamp_ns
        right = {'joints': (3,), 'camera': (8, 8, 3), 'touch': (2,)}[name] == value.shape
        if right and (name != 'camera' or value.dtype == np.uint8):
            self.controller.push(name, value, stamp_ns)
            self.judge.pushed(name, value, stamp_ns)
        else:
            with pytest.raises(ControlError, match=name):
                self.controller.push(name, value, stamp_ns)

    def _value(self, value: Any) -> np.ndarray:
        scene = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
        named = {
            'arm': self.arm_rad,
            'scene': scene,
            'black': np.zeros_like(scene),
            'noise': scene[::-1] ^ 0x5A,
            'small': scene[1:],
            'float': scene.astype(float),
            'empty': np.zeros((0,)),
        }
        return named[value].copy() if isinstance(value, str) else np.array(value, dtype=float)

    def _tick(self, step: Step) -> None:
        try:
            tick = self.controller.tick(self.now_ns)
        except ControlError:
            assert step.answer is not None
            assert {len(part) for part in step.answer} != {2}
            assert self.judge.failed(self.now_ns) == []
            self._hold(Reason.ERROR)
            return
        assert self.judge.ticked(tick, self.now_ns, late=False) == []
        if tick.decision is not None:
            self.moved += not tick.decision.holding
            left, right = tick.decision.sent.position
            self.arm_rad = np.array([right, 9.0, left])


@pytest.fixture(scope='module')
def network(model_folder: Path) -> Iterator[Network]:
    return Network(model_folder)


@pytest.fixture
def watchful(robot_data: dict[str, Any], load: Any) -> Robot:
    """A robot for which a black picture is none, that is let go early, and that dares to move."""
    robot_data['modalities']['camera']['min_contrast'] = 5
    robot_data['control']['max_following_error_rad'] = 0.3
    # The model never learnt anything, and is as uncertain.
    robot_data['modalities']['motor']['output'] |= {'slow_std': False, 'max_std': False}
    return load(robot_data)


@GIVEN
@given(steps(Step()))
def test_whatever_is_sensed_the_network_moves_the_arm_safely_or_not_at_all(
    watchful: Robot, network: Network, steps: list[Step]
):
    bout = Bout(watchful, network)
    bout.run(steps)
    event(f'moved {min(bout.moved, 5)}')


@GIVEN
@given(steps(Step(answer=SURE), answer=ANSWERS))
def test_whatever_a_policy_says_is_sent_safely_or_not_at_all(
    robot: Robot, network: Network, steps: list[Step]
):
    bout = Bout(robot, network)
    bout.run(steps)
    event(f'moved {min(bout.moved, 5)}')


@settings(GIVEN, max_examples=20)
@given(st.lists(st.sampled_from([-1e9, -1.0, 1.0, 1e9]), min_size=2, max_size=2), TIMES_NS)
def test_who_pushes_with_all_might_towards_the_limits_and_back_moves_and_breaks_none(
    robot: Robot, network: Network, mean: list[float], elapsed_ns: int
):
    bout = Bout(robot, network)
    there, back = (Step(answer=([sign * part for part in mean], [0.0, 0.0])) for sign in (1, -1))
    bout.run([there] * 80 + [replace(back, elapsed_ns=elapsed_ns)] + [back] * 20)
    assert bout.moved > 60


def test_without_faults_every_tick_moves_the_arm(watchful: Robot, network: Network):
    bout = Bout(watchful, network)
    bout.run([Step()] * 10)
    assert bout.moved == 10


FAST, FAR = 1.5, 9.0


@pytest.mark.parametrize(
    ('position_rad', 'velocity_rad_s', 'holding', 'says'),
    [
        ([0.0, 0.0], [0.0, 0.0], False, None),
        ([0.0, 0.0], [0.0, 0.0], True, None),
        ([np.nan, 0.0], [0.0, 0.0], False, 'not finite'),
        ([1e-6, 0.0], [0.0, 0.0], True, 'a hold that is not the last set-point'),
        ([0.0, 0.0], [1e-6, 0.0], True, 'a hold that is not the last set-point'),
        ([FAST / 50, 0.0], [FAST, 0.0], False, 'too fast'),
        ([0.5 / 50, 0.0], [0.5, 0.0], False, 'its speed changes by'),
        ([0.1 / 50, 0.0], [0.0, 0.0], False, 'it tells'),
        ([FAR, 0.0], [0.0, 0.0], True, 'outside the position limits'),
    ],
)
def test_the_judge_finds_what_is_unsafe(
    robot: Robot, position_rad: list[float], velocity_rad_s: list[float], holding: bool, says: Any
):
    judge = Judge(robot, robot.modalities)
    judge.position = np.zeros(2)
    judge.sent(Decision(Sent(np.zeros(2), np.zeros(2)), True, ()), START_NS)
    sent = Sent(np.array(position_rad), np.array(velocity_rad_s))
    problems = judge.sent(Decision(sent, holding, ()), START_NS + PERIOD_NS)
    assert any(says in p for p in problems) if says else problems == []


def test_the_streams_of_the_bench_move_the_arm_and_repeat_themselves(iiwa_file: Path):
    robot = load_robot(iiwa_file)
    random = np.random.default_rng(0)
    episode = Episode(
        random.integers(0, 256, (3, 64, 64, 3), dtype=np.uint8),
        random.uniform(-1, 1, (3, 7)),
        np.zeros((3, 3)),
    )
    policy = SimpleNamespace(decide=lambda _: Estimate(np.full(7, 0.1), np.zeros(7)))
    contract: Any = SimpleNamespace(
        modalities=robot.modalities, step_s=0.1, longest_age_s={'camera': 1.0}
    )

    def run() -> Tally:
        tally = Tally()
        with np.errstate(all='ignore'):
            for seed in range(4):
                tally.add(Stream(robot, contract, policy, None, [episode], seed).run(200))
        return tally

    tally = run()
    assert (tally.unsafe, dict(tally.exceptions)) == ([], {})
    assert tally.counts['moved'] > 100
    assert tally.reasons == run().reasons
