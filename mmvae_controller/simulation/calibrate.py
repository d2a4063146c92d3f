"""Listens to the senses in episodes in which nothing is wrong, and fits the tests to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mmvae_controller.control.assembly import controller_of
from mmvae_controller.control.comparison import Comparison
from mmvae_controller.control.controller import Controller
from mmvae_controller.control.listening import fit, Listener, Listening
from mmvae_controller.control.network import Network
from mmvae_controller.control.rota import Channel
from mmvae_controller.control.surprise import Surprise
from mmvae_controller.control.trust import Sound
from mmvae_controller.modality.robot import Robot
from mmvae_controller.simulation.arm_file import arm_of
from mmvae_controller.simulation.episode import ticks, wire
from mmvae_controller.simulation.simulator import Simulator
from mmvae_controller.simulation.tasks.task import make_task

S_PER_HOUR = 3600
Noted = dict[str, dict[Channel, list[float]]]


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """What sound running led to.

    Args:
        minutes: It lasted.
        alarms: By sense, how often it was distrusted.

    """

    minutes: float
    alarms: dict[str, int]


def listen(
    network: Network, robot: Robot, task: str, seeds: range, on_episode: Callable[[], None]
) -> tuple[list[Noted], float]:
    """Return what each sense's surprises were, episode by episode, and how many hours it took."""
    simulator = Simulator(make_task(task), arm_of(robot))
    controller = controller_of(network, robot, comparison=Listening(Surprise(network)))
    runs, seconds = [], 0.0
    try:
        for _ in _run(simulator, controller, robot, seeds):
            assert isinstance(controller.trust, Listener)
            runs.append(controller.trust.noted)
            seconds += simulator.outcome().elapsed_s
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
    """Return how often a sense was distrusted in episodes in which nothing is wrong."""
    simulator = Simulator(make_task(task), arm_of(robot))
    controller = controller_of(network, robot, comparison=comparison)
    seconds, alarms = 0.0, dict.fromkeys(comparison.sound, 0)
    try:
        for distrusted in _run(simulator, controller, robot, seeds):
            seconds += simulator.outcome().elapsed_s
            for name in distrusted:
                alarms[name] += 1
            on_episode()
    finally:
        simulator.close()
    return FalseAlarms(seconds / 60, alarms)


def _run(
    simulator: Simulator, controller: Controller, robot: Robot, seeds: range
) -> Iterator[list[str]]:
    """Yield after each episode which senses became distrusted, as often as they did."""
    wiring = wire(robot, simulator)
    for seed in seeds:
        distrusted: list[str] = []
        before: set[str] = set()
        for _ in ticks(simulator, controller, wiring, seed):
            assert controller.trust is not None
            now = {name for name in robot.sources if controller.trust.why(name)}
            distrusted += sorted(now - before)
            before = now
        yield distrusted
