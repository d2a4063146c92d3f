"""peer.yaml: what a cloned network reads and writes, read without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmvae_controller.modality.contract import (
    file_checksum,
    NETWORK_FILE,
    normaliser_data,
    read_normaliser,
    WEIGHTS_FILE,
)
from mmvae_controller.modality.normaliser import Normaliser
from mmvae_controller.modality.reader import read_yaml
from mmvae_controller.modality.robot import Robot
from mmvae_controller.modality.spec import command_of, Modality, Role
from mmvae_controller.modality.spec_data import modality_data, read_modality
from mmvae_controller.training.errors import TrainingError
import numpy as np
from numpy.typing import NDArray
import yaml

PEER_FILE = 'peer.yaml'
PEER_FILES = (WEIGHTS_FILE, NETWORK_FILE, PEER_FILE)
FORMAT = 1


@dataclass(frozen=True, slots=True)
class PeerContract:
    """What a peer was made for, and where it came from.

    Args:
        name: Of the peer.
        modalities: Senses and the command, in the order of the network's inputs.
        normalisers: By modality; they are inside the network, and here for people.
        step_s: The time between its two steps.
        network: Its layers, as `mmvae clone` was configured.
        provenance: Data, seed, versions, errors: for people.
        checksums: sha256 by file name.

    """

    name: str
    modalities: tuple[Modality, ...]
    normalisers: Mapping[str, Normaliser]
    step_s: float
    network: Mapping[str, Any]
    provenance: Mapping[str, Any]
    checksums: Mapping[str, str]

    @property
    def command(self) -> Modality:
        """The modality that is the command."""
        return command_of(self.modalities)

    def check_fits(self, robot: Robot) -> None:
        """Raise unless this peer can run on a robot.

        Raises:
            TrainingError: Names the modality that differs.

        """
        theirs = {m.name: m for m in robot.modalities}
        for ours in self.modalities:
            found = theirs.get(ours.name)
            # How old a sample may be is for the robot to say.
            if found is None or replace(found, max_age_s=ours.max_age_s) != ours:
                raise TrainingError(
                    f'peer {self.name!r} does not fit robot {robot.name!r} ({robot.path}): '
                    f'{ours.name} is {found}, expected {ours}'
                )


def before_the_start(modality: Modality, first: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return what a peer is given for t-1 where there was nothing yet: a robot that rests."""
    return np.zeros_like(first) if modality.role is Role.COMMAND else first


def write_peer_contract(folder: Path, contract: PeerContract) -> None:
    """Write peer.yaml into the peer's folder."""
    data = {
        'format': FORMAT,
        'name': contract.name,
        'step_s': contract.step_s,
        'modalities': {
            m.name: modality_data(m) | normaliser_data(contract.normalisers[m.name])
            for m in contract.modalities
        },
        'network': dict(contract.network),
        'provenance': dict(contract.provenance),
        'checksums': dict(contract.checksums),
    }
    text = yaml.safe_dump(data, sort_keys=False, width=99)
    (folder / PEER_FILE).write_text(text, encoding='utf-8')


def read_peer_contract(folder: Path) -> PeerContract:
    """Read and check peer.yaml.

    Raises:
        ModalityError: A field is wrong.
        TrainingError: The folder is no peer, or of another format.

    """
    if not (folder / PEER_FILE).is_file():
        raise TrainingError(
            f'{folder}: is no peer, it has no {PEER_FILE}; `mmvae clone` makes one'
        )
    root = read_yaml(folder / PEER_FILE)
    if root.integer('format') != FORMAT:
        raise TrainingError(
            f'{root.where}: format {root.integer("format")}, this version reads {FORMAT}'
        )
    sections = root.sections('modalities')
    modalities = tuple(read_modality(n, s) for n, s in sections.items())
    contract = PeerContract(
        name=root.text('name'),
        modalities=modalities,
        normalisers={m.name: read_normaliser(sections[m.name], m) for m in modalities},
        step_s=root.number('step_s', low=0.001),
        network=root.section('network').data,
        provenance=root.section('provenance').data,
        checksums={k: str(v) for k, v in root.section('checksums').data.items()},
    )
    command_of(contract.modalities)
    return contract


def check_peer_file(folder: Path, name: str, contract: PeerContract) -> Path:
    """Return the path of a peer's file once its checksum agrees with the contract.

    Raises:
        TrainingError: It is missing, or its content is not what the contract was written for.

    """
    path = folder / name
    if not path.is_file():
        raise TrainingError(f'{path}: is missing from the peer')
    if file_checksum(path) != contract.checksums.get(name):
        raise TrainingError(
            f'{path}: checksum differs from {PEER_FILE}; the file is damaged or was replaced'
        )
    return path
