"""Demonstrations moment by moment, as the topics of the simulation would tell of them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from mmvae_controller.control.controller import Controller
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.modality.spec import Quantity
from mmvae_controller.simulation.collect import CollectSettings, demonstrator, no_time
from mmvae_controller.simulation.episode import ticks, wire
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.simulation.simulator import NS, Readings, Simulator, simulator_of
import numpy as np
from numpy.typing import NDArray

# Time 0 means to ROS that there is none.
FIRST_NS = NS
# In between nothing happens: so long that nobody takes two episodes for one.
PAUSE_NS = 2 * NS


@dataclass(frozen=True, slots=True, eq=False)
class Sensed:
    """What the sensors deliver at a moment, before the controller ticks."""

    now_ns: int
    readings: Readings


@dataclass(frozen=True, slots=True, eq=False)
class Commanded:
    """What a tick sends, `(D,)` rad, and what would have been right, rad/s."""

    now_ns: int
    sent: NDArray[np.float64]
    wanted: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Begun:
    """An episode begins: what comes from now on belongs to it."""

    now_ns: int


@dataclass(frozen=True, slots=True)
class Ended:
    """An episode is over, and how."""

    now_ns: int
    success: bool


Moment = Sensed | Commanded | Begun | Ended


def film(settings: CollectSettings) -> Generator[Moment, None, None]:
    """Yield what happens in the episodes that `collect` would collect from an expert.

    Raises:
        SimulationError: There is a learner, or the robot does not fit the simulation.

    """
    robot = load_robot(Path(settings.robot_file))
    if settings.learner:
        raise SimulationError('a learner drives only where a data set is collected, not a bag')
    if robot.command.quantity is not Quantity.VELOCITY:
        raise SimulationError(
            f'{robot.command.name} of {robot.path} is a {robot.command.quantity}, the expert '
            f'shows a {Quantity.VELOCITY}'
        )
    simulator = simulator_of(robot, settings.task)
    try:
        wiring = wire(robot, simulator)
        if wiring.hand is not None:
            raise SimulationError(
                f'{wiring.hand} of {robot.path} is found by the tracker, a node of its own: start '
                'it all with `mmvae up`, and `mmvae record` it'
            )
        for episode in range(settings.episodes):
            yield from _episode(settings, simulator, episode)
    finally:
        simulator.close()


def _episode(settings: CollectSettings, simulator: Simulator, episode: int) -> Iterator[Moment]:
    robot = load_robot(Path(settings.robot_file))
    seed, shift_ns = settings.seed + episode, FIRST_NS + episode * PAUSE_NS
    driver = demonstrator(settings, robot, simulator, np.random.default_rng([seed, 1]))
    controller = Controller(robot, robot.modalities, robot.step_s, driver, no_time)
    sensed: list[Sensed] = []

    def watch(readings: Readings, now_ns: int) -> None:
        sensed.append(Sensed(now_ns + shift_ns, readings))

    begun = False
    wiring = wire(robot, simulator)
    run = ticks(simulator, controller, wiring, seed, settings.linger_s, watch=watch)
    for tick in run:
        if not begun:
            begun = True
            yield Begun(sensed[0].now_ns)
        yield from sensed
        sensed.clear()
        if tick.decision is not None:
            now_ns = tick.observation.stamp_ns + shift_ns
            yield Commanded(now_ns, tick.decision.sent.position.copy(), driver.clean.copy())
    yield Ended(simulator.time_ns + shift_ns, simulator.outcome().success)
