"""Rolls a model out in the simulation without ROS, seeing and blind, faster than real time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
import statistics
from typing import Any

from mmvae_controller.control.assembly import controller_of
from mmvae_controller.control.comparison import read_comparison
from mmvae_controller.control.network import Network
from mmvae_controller.control.policy import NetworkPolicy, Policy
from mmvae_controller.modality.contract import NETWORK_FILE
from mmvae_controller.modality.robot import Robot
from mmvae_controller.simulation.episode import blackout, Distortion, ticks, wire, Wiring
from mmvae_controller.simulation.expert import Expert
from mmvae_controller.simulation.following import Follower, standstill
from mmvae_controller.simulation.projected import projected
from mmvae_controller.simulation.showing import Showing
from mmvae_controller.simulation.simulator import Simulator, simulator_of
from mmvae_controller.simulation.tasks.task import make_task
import numpy as np

SEEING, BLIND, EXPERT = 'seeing', 'blind', 'expert'


@dataclass(frozen=True, slots=True)
class EpisodeResult:
    """How one episode ended, in which share of the ticks the gate held the arm, and how well.

    `measures` are those of the task, by name with the unit; most have none.
    """

    seed: int
    success: bool
    elapsed_s: float
    distance_m: float
    held_share: float
    measures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RolloutReport:
    """How a model did, beside itself with black pictures, and the expert if the task measures.

    The blind rate says what the task lets pass without looking: a success rate means something
    only beside it. `min_contrast` is off for it: the robot would hold, and say nothing of the
    model.
    """

    model: str
    checksum: str
    robot: str
    task: str
    seeing: tuple[EpisodeResult, ...]
    blind: tuple[EpisodeResult, ...]
    expert: tuple[EpisodeResult, ...] = ()

    def data(self) -> dict[str, Any]:
        """Return it as plain data, for JSON."""
        return {
            'success_rate': success_rate(self.seeing),
            'blind_success_rate': success_rate(self.blind),
            'median_success_time_s': median_success_time_s(self.seeing),
            'held_share': _mean_held_share(self.seeing),
            'blind_held_share': _mean_held_share(self.blind),
            'episodes': len(self.seeing),
            'model': self.model,
            'network_sha256': self.checksum,
            'robot': self.robot,
            'task': self.task,
            'seeing': [asdict(r) for r in self.seeing],
            'blind': [asdict(r) for r in self.blind],
            **self._beside_the_expert(),
        }

    def _beside_the_expert(self) -> dict[str, Any]:
        if not self.expert:
            return {}
        runs = {SEEING: self.seeing, BLIND: self.blind, EXPERT: self.expert}
        return {
            'expert_success_rate': success_rate(self.expert),
            'means': {kind: mean_measures(results) for kind, results in runs.items() if results},
            'expert': [asdict(r) for r in self.expert],
        }


def success_rate(results: tuple[EpisodeResult, ...]) -> float | None:
    """Return the share of successes, or None of nothing."""
    return sum(r.success for r in results) / len(results) if results else None


def median_success_time_s(results: tuple[EpisodeResult, ...]) -> float | None:
    """Return the median time of the successes, or None if there were none."""
    times = [r.elapsed_s for r in results if r.success]
    return statistics.median(times) if times else None


def mean_measures(results: tuple[EpisodeResult, ...]) -> dict[str, float]:
    """Return the mean of each measure of the task over some episodes."""
    return {n: statistics.fmean(r.measures[n] for r in results) for n in results[0].measures}


def kinds_of(task: str, blind: bool) -> tuple[str, ...]:
    """Return which kinds of episodes `rollout` runs.

    Raises:
        SimulationError: There is no such task.

    """
    shown = isinstance(make_task(task), Showing)
    return (SEEING, *([BLIND] if blind else []), *([EXPERT] if shown else []))


def _mean_held_share(results: tuple[EpisodeResult, ...]) -> float | None:
    return statistics.fmean(r.held_share for r in results) if results else None


def rollout(
    network: Network,
    robot: Robot,
    task: str,
    episodes: int,
    seed: int,
    blind: bool,
    on_episode: Callable[[str, EpisodeResult], None],
) -> RolloutReport:
    """Run episodes with seeds from `seed` on; the blind ones have the same scenes.

    Args:
        network: The model; refused if it does not fit the robot.
        robot: With limits.
        task: Its name.
        episodes: How many of each kind.
        seed: Of the first.
        blind: Whether to run them again with black pictures.
        on_episode: Is told `seeing` or `blind` and the result, after each.

    Raises:
        ModalityError: The model does not fit the robot.
        SimulationError: There is no such task, or the robot does not fit the simulation.

    """
    network.contract.check_fits(robot)
    simulator = simulator_of(robot, task)
    runs: dict[str, tuple[EpisodeResult, ...]] = {SEEING: (), BLIND: (), EXPERT: ()}
    try:
        for kind in kinds_of(task, blind):
            # Or the arm would hold at a black picture: blind, the model itself is to be judged.
            configured = robot.taking_every_picture() if kind == BLIND else robot
            for result in _episodes(
                network, configured, simulator, range(seed, seed + episodes), kind
            ):
                runs[kind] += (result,)
                on_episode(kind, result)
    finally:
        simulator.close()
    contract = network.contract
    return RolloutReport(
        contract.name,
        contract.checksums[NETWORK_FILE],
        robot.name,
        task,
        runs[SEEING],
        runs[BLIND],
        runs[EXPERT],
    )


def _episodes(
    network: Network, robot: Robot, simulator: Simulator, seeds: range, kind: str
) -> Iterator[EpisodeResult]:
    task = simulator.task
    # The black pictures of the blind would be found to lie, and the arm would hold.
    comparison = None if kind == BLIND else read_comparison(network)
    for seed in seeds:
        policy = _policy(network, simulator, kind)
        wiring, distort = _senses(robot, simulator, seed, kind)
        controller = controller_of(network, robot, policy, comparison)
        held = [
            tick.decision is None or tick.decision.holding
            for tick in ticks(simulator, controller, wiring, seed, distort=distort)
        ]
        outcome = simulator.outcome()
        yield EpisodeResult(
            seed,
            outcome.success,
            outcome.elapsed_s,
            outcome.distance_m,
            sum(held) / len(held),
            task.measures() if isinstance(task, Showing) else {},
        )


def _policy(network: Network, simulator: Simulator, kind: str) -> Policy:
    """Return who decides in one episode."""
    if kind == EXPERT:
        return Expert(simulator)
    if isinstance(simulator.task, Showing):
        return Follower(network, simulator.task, kind == BLIND)
    return NetworkPolicy(network)


def _senses(
    robot: Robot, simulator: Simulator, seed: int, kind: str
) -> tuple[Wiring, Distortion | None]:
    """Return what reaches the robot in one episode.

    Blind, one that is shown a goal knows where hand and goal were in the beginning, and all the
    time where the joints are. Pictures are drawn for whoever sees.
    """
    wiring, task = wire(robot, simulator), simulator.task
    if not isinstance(task, Showing):
        return wiring, blackout(robot) if kind == BLIND else None
    if kind == SEEING:
        return wiring, None
    wiring, distort = projected(simulator, wiring, np.random.default_rng([seed, kind == BLIND]))
    return wiring, standstill(task.goal_modality, distort) if kind == BLIND else distort
