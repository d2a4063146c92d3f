"""The fault benchmark: every fault, however it begins, for the model and those beside it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

from mmvae_controller.control.assembly import controller_of
from mmvae_controller.control.comparison import read_comparison
from mmvae_controller.control.controller import Controller
from mmvae_controller.control.network import Network
from mmvae_controller.control.policy import NetworkPolicy, Policy
from mmvae_controller.modality.robot import Robot
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.simulation.arm_file import arm_of
from mmvae_controller.simulation.episode import ticks, wire
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.simulation.expert import Expert
from mmvae_controller.simulation.faults.kinds import distortion, make_fault
from mmvae_controller.simulation.faults.peer import Fill, Peer, PeerPolicy, robot_for_peers
from mmvae_controller.simulation.faults.schedule import MOMENT_S, Schedule, Start
from mmvae_controller.simulation.faults.watch import CommandWatch, SenseWatch
from mmvae_controller.simulation.following import Follower
from mmvae_controller.simulation.showing import Showing
from mmvae_controller.simulation.simulator import Simulator, simulator_of
from mmvae_controller.simulation.tasks.task import make_task
from mmvae_controller.training.workers import each_done


class Driver(StrEnum):
    """Who drives: the model, the behaviour cloning peer with either filling, the expert."""

    MODEL = 'model'
    PEER_ZERO = 'peer_zero'
    PEER_HOLD = 'peer_hold'
    EXPERT = 'expert'


PEERS = {Driver.PEER_ZERO: Fill.ZERO, Driver.PEER_HOLD: Fill.HOLD}


@dataclass(frozen=True, slots=True)
class BenchSettings:
    """What to run; the same for every cell.

    Args:
        model: Folder of the model.
        peer: Folder of the peer; None leaves both peers out.
        robot_file: Path of the robot YAML.
        task: Its name.
        episodes: How many for each cell and driver, all cells with the same scenes.
        seed: Of the first.
        moment_s: When faults begin that are not there from the beginning.

    """

    model: str
    peer: str | None
    robot_file: str
    task: str
    episodes: int
    seed: int
    moment_s: float = MOMENT_S


@dataclass(frozen=True, slots=True)
class Case:
    """One cell of the benchmark: a fault and how it begins; without a fault, the clean runs."""

    fault: str | None
    start: Start | None


@dataclass(frozen=True, slots=True)
class Episode:
    """How one episode went.

    Args:
        success: Whether the task was done in time.
        elapsed_s: How long it took, or the time limit.
        held_share: Of the ticks: the gate held the arm, or nothing was sent.
        unsafe: Commands, see `CommandWatch`.
        largest_jump_rad: Of a first command, from where the joints really were.
        delay_s: By modality at fault, from the fault's begin until it was given up; None: never.
        false_alarms: How often another sense was.

    """

    success: bool
    elapsed_s: float
    held_share: float
    unsafe: int
    largest_jump_rad: float
    delay_s: dict[str, float | None]
    false_alarms: int


@dataclass(frozen=True, slots=True)
class CaseDone:
    """A cell is done: its episodes, by driver."""

    case: Case
    episodes: dict[Driver, tuple[Episode, ...]]


def run_bench(
    settings: BenchSettings, cases: Sequence[Case], processes: int
) -> Generator[CaseDone, None, None]:
    """Run some cells, several at once, and yield each when it is done; close it if not read.

    Raises:
        ControlError, ModalityError, TrainingError: A model or peer cannot be run.
        SimulationError: There is no such task or fault, or the robot does not fit.

    """
    check_bench(settings)
    yield from each_done([partial(run_case, settings, case) for case in cases], processes)


def check_bench(settings: BenchSettings) -> None:
    """Refuse what no cell could run, before hours of work.

    Raises:
        ControlError, ModalityError, TrainingError: A model or peer cannot be run.
        SimulationError: There is no such task, or nothing simulates the robot.

    """
    robot = load_robot(Path(settings.robot_file))
    make_task(settings.task)
    arm_of(robot)
    Network(Path(settings.model)).contract.check_fits(robot)
    if settings.peer is not None:
        Peer(Path(settings.peer)).contract.check_fits(robot)


def run_case(settings: BenchSettings, case: Case) -> CaseDone:
    """Run one cell with every driver, in this process."""
    robot = load_robot(Path(settings.robot_file))
    simulator = simulator_of(robot, settings.task)
    try:
        return CaseDone(
            case,
            {
                driver: tuple(
                    run_episode(settings, case, simulator, robot, make(), seed)
                    for seed in range(settings.seed, settings.seed + settings.episodes)
                )
                for driver, make in drivers(settings, robot, simulator).items()
            },
        )
    finally:
        simulator.close()


def drivers(
    settings: BenchSettings, robot: Robot, simulator: Simulator
) -> dict[Driver, Callable[[], Controller]]:
    """Return what makes a controller for an episode, by driver.

    Model and expert differ in the policy alone. Lying senses are found by the model's own
    expectations, which peers do not have.
    """
    network = Network(Path(settings.model))
    comparison = read_comparison(network)
    task = simulator.task

    def controlled(policy: Policy) -> Controller:
        return controller_of(network, robot, policy, comparison)

    def model() -> Controller:
        if isinstance(task, Showing):
            return controlled(Follower(network, task, blind=False))
        return controlled(NetworkPolicy(network))

    def expert() -> Controller:
        return controlled(Expert(simulator))

    found: dict[Driver, Callable[[], Controller]] = {Driver.MODEL: model}
    if settings.peer is not None:
        peer = Peer(Path(settings.peer))
        for driver, fill in PEERS.items():
            found[driver] = _peer_maker(peer, fill, robot)
    return found | {Driver.EXPERT: expert}


def _peer_maker(peer: Peer, fill: Fill, robot: Robot) -> Callable[[], Controller]:
    configured = robot_for_peers(robot)

    def make() -> Controller:
        contract = peer.contract
        policy = PeerPolicy(peer, fill)
        return Controller(configured, contract.modalities, contract.step_s, policy)

    return make


def run_episode(
    settings: BenchSettings,
    case: Case,
    simulator: Simulator,
    robot: Robot,
    controller: Controller,
    seed: int,
) -> Episode:
    """Run one episode under a fault and watch it."""
    faulty: dict[str, int] = {}
    distort = None
    if case.fault is not None and case.start is not None:
        fault = make_fault(case.fault)
        schedule = Schedule(case.start, settings.moment_s)
        faulty = dict.fromkeys(fault.modalities(robot), schedule.begin_ns)
        distort = distortion(fault, robot, schedule, seed)
    if robot.output.limits is None:
        raise SimulationError(f'robot {robot.name!r} has no joint limits: {robot.path}')
    commands = CommandWatch(robot.output.limits)
    senses = SenseWatch(faulty)
    held = []
    for tick in ticks(simulator, controller, wire(robot, simulator), seed, distort=distort):
        decision = tick.decision
        sent = None if decision is None else decision.sent.position
        commands.see(tick.observation.stamp_ns, sent, simulator.arm.state()[0])
        senses.see(tick)
        held.append(decision is None or decision.holding)
    outcome = simulator.outcome()
    return Episode(
        outcome.success,
        outcome.elapsed_s,
        sum(held) / len(held),
        commands.unsafe,
        commands.largest_jump_rad,
        senses.delay_s,
        senses.false_alarms,
    )
