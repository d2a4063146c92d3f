"""The benchmark's JSON: what was run, what was left out, and the cells that are done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mmvae_controller import __version__
from mmvae_controller.control.comparison import SOUND_FILE
from mmvae_controller.modality.contract import file_checksum, NETWORK_FILE, read_contract
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.simulation.faults.bench import BenchSettings, Case, CaseDone
from mmvae_controller.simulation.faults.cells import cell_data
from mmvae_controller.simulation.faults.kinds import faults_for
from mmvae_controller.simulation.faults.schedule import Start
from mmvae_controller.training.peer_contract import read_peer_contract

VERSIONS_OF = ('numpy', 'onnxruntime', 'pybullet')
CELLS, CLEAN, COMMAND = 'cells', 'clean', 'command'
Document = dict[str, Any]


def begin(
    settings: BenchSettings, faults: Sequence[str], starts: Sequence[Start], command: str
) -> Document:
    """Return the document of a benchmark of which nothing was run yet.

    Raises:
        ModalityError, TrainingError: Robot, model or peer cannot be read.
        SimulationError: There is no such fault, or none that the robot can have.

    """
    robot = load_robot(Path(settings.robot_file))
    possible, left_out = faults_for(robot, faults)
    if not possible:
        raise SimulationError(f'nothing to run: {"; ".join(left_out.values())}')
    peer = None if settings.peer is None else read_peer_contract(Path(settings.peer))
    contract = read_contract(Path(settings.model))
    sound = Path(settings.model) / SOUND_FILE
    return {
        'model': contract.name,
        'sha256': contract.checksums[NETWORK_FILE],
        'sound_running_sha256': file_checksum(sound) if sound.is_file() else None,
        'peer': None if peer is None else peer.name,
        'peer_sha256': None if peer is None else peer.checksums[NETWORK_FILE],
        'robot': robot.name,
        'robot_sha256': file_checksum(robot.path),
        'task': settings.task,
        'seed': settings.seed,
        'settings': {
            'episodes': settings.episodes,
            'moment_s': settings.moment_s,
            'faults': [f.name for f in possible],
            'starts': [s.value for s in starts],
        },
        'left_out': left_out,
        'versions': _versions(),
        COMMAND: command,
        CLEAN: None,
        CELLS: [],
    }


def go_on(new: Document, begun: Mapping[str, Any], where: str) -> Document:
    """Return the new document with the cells of one that was begun.

    Raises:
        SimulationError: That one was begun with something else.

    """
    wanted = {key: value for key, value in new.items() if key not in (COMMAND, CLEAN, CELLS)}
    differences = [
        f'{key} {begun.get(key)!r}, now {value!r}'
        for key, value in wanted.items()
        if begun.get(key) != value
    ]
    if differences or CELLS not in begun:
        raise SimulationError(
            f'{where}: was begun with {"; ".join(differences) or "no cells"}; choose another '
            'place, or repeat what it was begun with to go on'
        )
    return new | {CLEAN: begun.get(CLEAN), CELLS: list(begun[CELLS])}


def missing_cases(document: Document) -> list[Case]:
    """Return the cells that are not done, in the order in which they are to be read."""
    done = {(cell['fault'], cell['start']) for cell in document[CELLS]}
    chosen = document['settings']
    cases = [] if document[CLEAN] else [Case(None, None)]
    return cases + [
        Case(fault, Start(start))
        for fault in chosen['faults']
        for start in chosen['starts']
        if (fault, start) not in done
    ]


def with_case(document: Document, done: CaseDone) -> Document:
    """Return the document with one more cell, in its place."""
    cell = cell_data(done)
    if done.case.fault is None:
        return document | {CLEAN: cell}
    chosen = document['settings']

    def place(cell: Mapping[str, Any]) -> tuple[int, int]:
        return chosen['faults'].index(cell['fault']), chosen['starts'].index(cell['start'])

    return document | {CELLS: sorted([*document[CELLS], cell], key=place)}


def _versions() -> dict[str, str]:
    found = {'mmvae_controller': __version__}
    for package in VERSIONS_OF:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = 'not installed'  # By pip: the distribution's package has no notes.
    return found
