"""Listens to the senses in episodes in which nothing is wrong, and fits the tests to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mmvae_controller.control.assembly import controller_of
from mmvae_controller.control.comparison import Comparison
from mmvae_controller.control.controller import Controller
from mmvae_controller.control.gate import Reason
from mmvae_controller.control.listening import fit, Listener, Listening
from mmvae_controller.control.network import Network
from mmvae_controller.control.rota import Channel
from mmvae_controller.control.surprise import Surprise
from mmvae_controller.control.tick import Tick
from mmvae_controller.control.trust import Sound
from mmvae_controller.modality.robot import Robot
from mmvae_controller.simulation.episode import ticks, wire
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.simulation.simulator import Simulator, simulator_of

S_PER_HOUR = 3600
# So few already show whether the arm moves at all.
FEWEST_RUNS = 10
# An arm that rests between two moves is held for a while; one held longer does no task.
MOST_HELD = 0.95
TOO_UNCERTAIN = (
    ': train it longer or on more demonstrations, or allow it more than slow_std and max_std of '
    'the robot YAML'
)
Noted = dict[str, dict[Channel, list[float]]]


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """What sound running led to.

    Args:
        minutes: It lasted.
        alarms: By sense, how often it was distrusted.
        failed: In how many episodes the task was not done.
        alarmed: In how many a sense was distrusted.
        lost_anyway: In how many of those it is not done either where every sense is believed.

    """

    minutes: float
    alarms: dict[str, int]
    failed: int
    alarmed: int
    lost_anyway: int


def listen(
    network: Network, robot: Robot, task: str, seeds: range, on_episode: Callable[[], None]
) -> tuple[list[Noted], float]:
    """Return what each sense's surprises were, episode by episode, and how many hours it took.

    Raises:
        SimulationError: The arm is held nearly all the time, so that nothing can be compared.

    """
    simulator = simulator_of(robot, task)
    controller = controller_of(network, robot, comparison=Listening(Surprise(network)))
    runs: list[Noted] = []
    seconds, held = 0.0, _Held()
    try:
        for _ in _run(simulator, controller, robot, seeds, held.look):
            assert isinstance(controller.trust, Listener)
            runs.append(controller.trust.noted)
            seconds += simulator.outcome().elapsed_s
            if len(runs) in (FEWEST_RUNS, len(seeds)):
                held.require_enough(runs, task)
            on_episode()
    finally:
        simulator.close()
    return runs, seconds / S_PER_HOUR


def fit_sound(runs: list[Noted], hours: float, alarms_per_hour: float) -> Sound:
    """Return the test of each sense and channel."""
    return {
        name: {
            channel: fit(channel, [run[name][channel] for run in runs], hours, alarms_per_hour)
            for channel in channels
        }
        for name, channels in runs[0].items()
    }


def count_alarms(
    network: Network,
    robot: Robot,
    task: str,
    comparison: Comparison,
    seeds: range,
    on_episode: Callable[[], None],
) -> FalseAlarms:
    """Return how often a sense was distrusted in episodes in which nothing is wrong.

    Those with an alarm in which the task was not done are run again, every sense believed: an
    alarm that holds the arm may have been the cause.
    """
    simulator = simulator_of(robot, task)
    seconds, alarms, failed, alarmed = 0.0, dict.fromkeys(comparison.sound, 0), 0, 0
    doubtful: list[int] = []
    try:
        controller = controller_of(network, robot, comparison=comparison)
        for seed, distrusted in zip(seeds, _run(simulator, controller, robot, seeds), strict=True):
            outcome = simulator.outcome()
            seconds += outcome.elapsed_s
            failed += not outcome.success
            alarmed += bool(distrusted)
            if distrusted and not outcome.success:
                doubtful.append(seed)
            for name in distrusted:
                alarms[name] += 1
            on_episode()
        believing = controller_of(network, robot, comparison=Listening(comparison.surprise))
        again = _run(simulator, believing, robot, doubtful)
        lost_anyway = sum(not simulator.outcome().success for _ in again)
    finally:
        simulator.close()
    return FalseAlarms(seconds / 60, alarms, failed, alarmed, lost_anyway)


class _Held:
    """Counts how often the arm was held, and why."""

    def __init__(self) -> None:
        self._ticks = 0
        self._why: Counter[str] = Counter()

    def look(self, tick: Tick) -> None:
        """Count a tick."""
        self._ticks += 1
        if tick.decision is None:
            self._why['no set-point'] += 1
        elif tick.decision.holding:
            # What the request was limited by comes first, what it is held for last.
            self._why[tick.decision.reasons[-1]] += 1

    def require_enough(self, runs: Sequence[Noted], task: str) -> None:
        """Refuse to go on where the arm hardly moves, or a sense is not compared once a run.

        What was measured of an arm at rest would be what is normal of one that moves.

        Raises:
            SimulationError: Says how often the arm was held, why, and what to do.

        """
        counts: Counter[tuple[str, Channel]] = Counter()
        for run in runs:
            for name, channels in run.items():
                counts.update({(name, channel): len(channels[channel]) for channel in channels})
        if not counts:  # The robot YAML has none compared.
            return
        (name, channel), count = min(counts.items(), key=lambda item: item[1])
        held = sum(self._why.values()) / self._ticks
        if held < MOST_HELD and (count >= len(runs) or not self._why):
            return
        why, _ = self._why.most_common(1)[0]
        raise SimulationError(
            f'in {len(runs)} episodes of {task} the arm was held {held:.0%} of the time, mostly '
            f'for {why!r}, and {name} ({channel}) was compared {count} times: too little to '
            'measure it; a model is calibrated once it does the task, as `mmvae rollout` shows'
            + (TOO_UNCERTAIN if why == Reason.UNCERTAIN else '')
        )


def _run(
    simulator: Simulator,
    controller: Controller,
    robot: Robot,
    seeds: Sequence[int],
    look: Callable[[Tick], None] = lambda tick: None,
) -> Iterator[list[str]]:
    """Yield after each episode which senses became distrusted, as often as they did."""
    wiring = wire(robot, simulator)
    for seed in seeds:
        distrusted: list[str] = []
        before: set[str] = set()
        for tick in ticks(simulator, controller, wiring, seed):
            look(tick)
            assert controller.trust is not None
            now = {name for name in robot.sources if controller.trust.why(name)}
            distrusted += sorted(now - before)
            before = now
        yield distrusted
