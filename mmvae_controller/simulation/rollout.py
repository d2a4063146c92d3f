"""Rolls a model out in the simulation without ROS, seeing and blind, faster than real time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
import statistics
from typing import Any

from mmvae_controller.control.controller import Controller
from mmvae_controller.control.network import Network
from mmvae_controller.control.policy import NetworkPolicy
from mmvae_controller.modality.contract import NETWORK_FILE
from mmvae_controller.modality.robot import Robot
from mmvae_controller.simulation.episode import blackout, Distortion, ticks, wire
from mmvae_controller.simulation.simulator import Simulator
from mmvae_controller.simulation.tasks import make_task


@dataclass(frozen=True, slots=True)
class EpisodeResult:
    """How one episode ended, and in which share of the ticks the gate held the arm."""

    seed: int
    success: bool
    elapsed_s: float
    distance_m: float
    held_share: float


@dataclass(frozen=True, slots=True)
class RolloutReport:
    """How a model did, beside itself with black pictures.

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
        }


def success_rate(results: tuple[EpisodeResult, ...]) -> float | None:
    """Return the share of successes, or None of nothing."""
    return sum(r.success for r in results) / len(results) if results else None


def median_success_time_s(results: tuple[EpisodeResult, ...]) -> float | None:
    """Return the median time of the successes, or None if there were none."""
    times = [r.elapsed_s for r in results if r.success]
    return statistics.median(times) if times else None


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
    simulator = Simulator(make_task(task))
    try:
        runs: dict[str, tuple[EpisodeResult, ...]] = {'seeing': (), 'blind': ()}
        kinds: list[tuple[str, Distortion | None]] = [('seeing', None)]
        if blind:
            kinds.append(('blind', blackout(robot)))
        for kind, distort in kinds:
            # Or the arm would hold at a black picture: blind, the model itself is to be judged.
            configured = robot if distort is None else robot.taking_every_picture()
            for result in _episodes(
                network, configured, simulator, range(seed, seed + episodes), distort
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
        runs['seeing'],
        runs['blind'],
    )


def _episodes(
    network: Network,
    robot: Robot,
    simulator: Simulator,
    seeds: range,
    distort: Distortion | None,
) -> Iterator[EpisodeResult]:
    contract = network.contract
    policy = NetworkPolicy(network)
    controller = Controller(robot, contract.modalities, contract.step_s, policy)
    wiring = wire(robot, simulator)
    for seed in seeds:
        held = [
            tick.decision is None or tick.decision.holding
            for tick in ticks(simulator, controller, wiring, seed, distort=distort)
        ]
        outcome = simulator.outcome()
        yield EpisodeResult(
            seed, outcome.success, outcome.elapsed_s, outcome.distance_m, sum(held) / len(held)
        )
