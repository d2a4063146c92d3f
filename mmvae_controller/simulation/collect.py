"""Collects demonstrations: an expert or a learner drives, the observation window records."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
import math
from pathlib import Path

from mmvae_controller.control.controller import Controller
from mmvae_controller.control.network import Network
from mmvae_controller.control.window import SenseState
from mmvae_controller.datasets.errors import DatasetError
from mmvae_controller.datasets.store import (
    Description,
    EPISODE,
    KNOWN,
    LABEL,
    shard_path,
    write_description,
    write_shard,
)
from mmvae_controller.modality.contract import NETWORK_FILE
from mmvae_controller.modality.observation import CURRENT
from mmvae_controller.modality.reader import read_yaml
from mmvae_controller.modality.robot import Robot
from mmvae_controller.modality.robot_file import load_robot, origin_of
from mmvae_controller.modality.spec import Quantity
from mmvae_controller.modality.whole_files import write_whole
from mmvae_controller.simulation.arm_file import arm_of
from mmvae_controller.simulation.babbling import Babbler, Explorable
from mmvae_controller.simulation.episode import ticks, wire
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.simulation.expert import Demonstrator, Expert, NoisyExpert
from mmvae_controller.simulation.learner import (
    check_learner,
    draw_losses,
    Learner,
    learner_drives,
    Witness,
)
from mmvae_controller.simulation.projected import projected
from mmvae_controller.simulation.simulator import Simulator, simulator_of
from mmvae_controller.simulation.tasks.task import make_task
from mmvae_controller.training.workers import each_done
import numpy as np
from numpy.typing import NDArray
import yaml

EPISODES_PER_SHARD = 20
SETTINGS_FILE = 'settings.yaml'
NOISE_CHANGES_PER_S = 4.0


@dataclass(frozen=True, slots=True)
class CollectSettings:
    """What to collect.

    Args:
        robot_file: Path of the robot YAML.
        task: Its name.
        episodes: How many.
        seed: Episode i has the scene of seed + i, whichever process runs it.
        record_hz: Rows per second; divides the control rate, and 1 / step_s divides it.
        noise_rad_s: Disturbance of the demonstrator on each joint.
        linger_s: How long to go on after the task is done: that is where resting is shown.
        drawn: Whether a hand that is tracked is looked for in pictures of the task's cameras, or
            projected with the tracker's errors, which takes a tenth of the time.
        learner: Folder of a model that drives in some of the episodes, and loses senses there;
            see `learner`. Empty: the expert drives in all of them.
        learner_share: In which share of the episodes, if there is one.
        learner_sha256: Of its network; found out by `collect`.

    Raises:
        SimulationError: The share is none.

    """

    robot_file: str
    task: str
    episodes: int
    seed: int
    record_hz: float = 20.0
    noise_rad_s: float = 0.6
    linger_s: float = 0.3
    drawn: bool = False
    learner: str = ''
    learner_share: float = 0.4
    learner_sha256: str = ''

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        if not 0 <= self.learner_share <= 1:
            raise SimulationError(f'learner_share is {self.learner_share:g}, expected 0 to 1')


@dataclass(frozen=True, slots=True)
class ShardDone:
    """Progress: one more shard is on disk."""

    episodes: int
    rows: int
    successes: int


def collect(
    settings: CollectSettings, folder: Path, processes: int
) -> Generator[ShardDone, None, None]:
    """Collect into a folder, shard by shard; shards that are already there are kept.

    One process is this one; of several, each takes the next shard when it is done with one. Close
    it where it is not read to its end.

    Raises:
        DatasetError: The folder belongs to other settings, or cannot be written.
        SimulationError: The robot or the rates do not fit, or the learner became another.
        ModalityError, ControlError: The learner cannot be loaded, or does not fit.

    """
    robot = load_robot(Path(settings.robot_file))
    if settings.learner:
        network = Network(Path(settings.learner))
        check_learner(network, robot)
        settings = replace(settings, learner_sha256=network.contract.checksums[NETWORK_FILE])
    arm_of(robot)  # Refused before anything is written.
    description = _describe(settings, robot)
    _claim(folder, settings)
    shards = range(math.ceil(settings.episodes / EPISODES_PER_SHARD))
    missing = [s for s in shards if not shard_path(folder, s).exists()]
    if processes == 1:
        yield from (_collect_shard(settings, str(folder), shard) for shard in missing)
    else:
        jobs = [partial(_collect_shard, settings, str(folder), shard) for shard in missing]
        yield from each_done(jobs, processes)
    write_description(folder, description)


def _describe(settings: CollectSettings, robot: Robot) -> Description:
    every = robot.rate_hz / settings.record_hz
    if not math.isclose(every, round(every)):
        raise SimulationError(
            f'record_hz {settings.record_hz:g} does not divide the control rate '
            f'{robot.rate_hz:g} Hz of {robot.path}'
        )
    provenance = asdict(settings) | {
        **origin_of(robot),
        'learner': Path(settings.learner).resolve().name,
    }
    if not settings.learner:
        provenance = {k: v for k, v in provenance.items() if not k.startswith('learner')}
    if robot.command.quantity is not Quantity.VELOCITY:
        raise SimulationError(
            f'{robot.command.name} of {robot.path} is a {robot.command.quantity}, the expert '
            f'shows a {Quantity.VELOCITY}'
        )
    return Description(robot.modalities, robot.step_s, 1 / settings.record_hz, provenance)


def _claim(folder: Path, settings: CollectSettings) -> None:
    """Note the settings, so that a resumed run cannot mix two data sets."""
    make_task(settings.task)  # Refused before anything is written.
    note = folder / SETTINGS_FILE
    wanted = asdict(settings)
    if note.exists():
        begun = read_yaml(note).data
        # What a data set was begun without is as it was before there was a choice.
        usual = {f.name: f.default for f in fields(CollectSettings)}
        del wanted['learner']  # Wherever it lies: which one it is says its checksum.
        differences = [
            f'{key} {begun.get(key, usual[key])!r}, now {value!r}'
            for key, value in wanted.items()
            if begun.get(key, usual[key]) != value
        ]
        if differences:
            raise DatasetError(
                f'{folder}: was begun with {"; ".join(differences)}; choose another folder, or '
                'repeat the settings to go on with it'
            )
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(note, yaml.safe_dump(wanted, sort_keys=False).encode())
    except OSError as error:
        raise DatasetError(f'{note}: cannot be written: {error.strerror or error}') from error


def _collect_shard(settings: CollectSettings, folder: str, shard: int) -> ShardDone:
    robot = load_robot(Path(settings.robot_file))
    simulator = simulator_of(robot, settings.task)
    rows: list[dict[str, NDArray[np.generic]]] = []
    first = shard * EPISODES_PER_SHARD
    last = min(first + EPISODES_PER_SHARD, settings.episodes)
    successes = 0
    try:
        learner = _learner(settings, simulator)
        for episode in range(first, last):
            led = learner_drives(episode, settings.learner_share)
            rows += _record(settings, robot, simulator, episode, learner if led else None)
            successes += simulator.outcome().success
    finally:
        simulator.close()
    columns = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    write_shard(Path(folder), shard, columns)
    return ShardDone(last - first, len(rows), successes)


def _record(
    settings: CollectSettings,
    robot: Robot,
    simulator: Simulator,
    episode: int,
    learner: Learner | None,
) -> list[dict[str, NDArray[np.generic]]]:
    seed = settings.seed + episode
    # Its own stream: the same seed draws the scene inside the simulator.
    random = np.random.default_rng([seed, 1])
    wiring, distort = wire(robot, simulator), None
    driver, controller = _driver(settings, robot, simulator, learner, random)
    lost_s = draw_losses(robot, simulator.task.time_limit_s, random) if learner else {}
    if not settings.drawn:
        wiring, distort = projected(simulator, wiring, random)
    # Nothing is kept from the expert's controller: what that is told is all there is to see.
    witness = Witness(robot, lost_s, distort) if learner else None
    every = round(robot.rate_hz / settings.record_hz)
    command, quantity = robot.command.name, Quantity(robot.command.quantity or '')
    command_row = [m.name for m in robot.modalities].index(command)
    rows = []
    run = ticks(simulator, controller, wiring, seed, settings.linger_s, witness or distort)
    for number, tick in enumerate(run):
        there, senses = tick.observation, tick.senses
        if witness is not None:
            there = witness.window.read(tick.observation.stamp_ns)
            senses = witness.window.states()
        late = [n for n in robot.required if senses[n] is not SenseState.MEASURED]
        if late:
            raise SimulationError(
                f'the robot misses {", ".join(late)} {number / robot.rate_hz:g} s into an '
                f'episode: max_age_s in {robot.path} is shorter than the period of the sensor'
            )
        if (number + episode) % every or tick.decision is None:
            continue
        row = {m.name: there.values[m.name][CURRENT].copy() for m in robot.modalities}
        row[command] = tick.decision.sent.value(quantity).astype(np.float32)
        row[LABEL] = driver.clean.astype(np.float32)
        known = there.known[:, CURRENT].copy()
        known[command_row] = True
        row[KNOWN] = known
        row[EPISODE] = np.array(episode, dtype=np.int64)
        rows.append(row)
    return rows


def _learner(settings: CollectSettings, simulator: Simulator) -> Learner | None:
    if not settings.learner:
        return None
    network = Network(Path(settings.learner))
    if network.contract.checksums[NETWORK_FILE] != settings.learner_sha256:
        raise SimulationError(f'{settings.learner}: became another model while collecting')
    return Learner(network, Expert(simulator))


def _driver(
    settings: CollectSettings,
    robot: Robot,
    simulator: Simulator,
    learner: Learner | None,
    random: np.random.Generator,
) -> tuple[Demonstrator, Controller]:
    """Return who moves the arm, and through what; a learner drives as on the robot."""
    if learner is not None:
        return learner, learner.controller(robot, no_time)
    driver = demonstrator(settings, robot, simulator, random)
    return driver, Controller(robot, robot.modalities, robot.step_s, driver, no_time)


def no_time() -> int:
    """Thinking takes none here: how busy this machine is must not decide what is recorded."""
    return 0


def demonstrator(
    settings: CollectSettings, robot: Robot, simulator: Simulator, random: np.random.Generator
) -> NoisyExpert | Babbler:
    """Return who moves the arm: the disturbed expert, or nobody who knows anything."""
    if isinstance(simulator.task, Explorable):
        return Babbler(simulator, simulator.task, settings.noise_rad_s, robot.rate_hz, random)
    noise_ticks = round(robot.rate_hz / NOISE_CHANGES_PER_S)
    return NoisyExpert(Expert(simulator), settings.noise_rad_s, noise_ticks, random)
