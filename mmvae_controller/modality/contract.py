"""model.yaml: what a trained model was made for, read without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
import hashlib
from pathlib import Path
from typing import Any

from mmvae_controller.guidance.help import explained_by, Help
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.normaliser import Normaliser
from mmvae_controller.modality.observation import Freshness, freshness, Mask, Observation
from mmvae_controller.modality.reader import read_yaml, Section
from mmvae_controller.modality.robot import Robot
from mmvae_controller.modality.shared_files import CONTRACT_FILE
from mmvae_controller.modality.spec import command_of, Encoder, Modality
from mmvae_controller.modality.spec_data import modality_data, read_modality
import numpy as np
import yaml

NETWORK_FILE = 'network.onnx'
PARTS_FILE = 'parts.zip'
PROBE_FILE = 'probe.npz'
WEIGHTS_FILE = 'weights.safetensors'
FORMAT = 1
# Names in the exported network: the mask and in which of the values each row of it looks among
# its inputs, the latent among its outputs.
KNOWN = 'known'
ROWS = 'rows'
LATENT = 'latent'
# Names between the parts of the network: what decoders share, and what was seen in a picture.
TRUNK = 'trunk'
FEATURES = 'features'
LATENT_PART = f'{LATENT}.onnx'


@dataclass(frozen=True, slots=True)
class ModelContract:
    """What a model reads and writes, and where it came from.

    Args:
        name: Of the model.
        modalities: In the order of its mask rows.
        normalisers: By modality.
        step_s: The time between its two steps.
        latent_size: Of its Gaussian latent.
        network: The network's configuration, as the training room reads it.
        provenance: Data, seed, versions, metrics: for people.
        checksums: sha256 by file name.
        longest_age_s: How old the samples of a modality were at most in its training; 0 for those
            not named: the model was never shown an old one and does not know of ages.

    """

    name: str
    modalities: tuple[Modality, ...]
    normalisers: Mapping[str, Normaliser]
    step_s: float
    latent_size: int
    network: Mapping[str, Any]
    provenance: Mapping[str, Any]
    checksums: Mapping[str, str]
    longest_age_s: Mapping[str, float] = field(default_factory=dict)
    _reads_age: Mask = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse names that mean something else in the network."""
        reads_age = np.array([[self.longest_age_s.get(m.name, 0) > 0] for m in self.modalities])
        object.__setattr__(self, '_reads_age', reads_age)
        taken = [m.name for m in self.modalities if m.name in (KNOWN, ROWS, LATENT)]
        if taken:
            raise ModalityError(f'modality name {taken[0]!r} means something else in the network')

    @property
    def command(self) -> Modality:
        """The modality that is the command."""
        return command_of(self.modalities)

    def freshness(self, observation: Observation) -> Freshness:
        """Return what this model is to be told of each slot `(M, 2)`: see `Freshness`."""
        return freshness(observation.known, np.where(self._reads_age, observation.age_s, 0))

    def misfits(self, robot: Robot) -> list[str]:
        """Return what keeps this model from running on a robot, one sentence each."""
        problems = []
        ours = {m.name: m for m in self.modalities}
        theirs = {m.name: m for m in robot.modalities}
        for name in (n for n in theirs if n not in ours):
            problems.append(f'{name}: the robot has it, the model was trained on {list(ours)}')
        for name, wanted in ours.items():
            if name not in theirs:
                problems.append(f'{name}: the model needs it, the robot has {list(theirs)}')
                continue
            problems += _differences(wanted, theirs[name])
        return problems

    def check_fits(self, robot: Robot) -> None:
        """Raise unless this model can run on a robot.

        Raises:
            ModalityError: Names every modality, joint or size that differs.

        """
        problems = self.misfits(robot)
        if problems:
            raise ModalityError(
                explained_by(
                    Help.MODEL_DOES_NOT_FIT,
                    f'model {self.name!r} does not fit robot {robot.name!r} ({robot.path}): '
                    + '; '.join(problems),
                )
            )


def _differences(wanted: Modality, found: Modality) -> list[str]:
    """Return how a modality of the robot differs from the model's, one sentence each."""
    said = []
    for what in ('role', 'encoder', 'shape', 'unit', 'channels', 'quantity'):
        ours, theirs = getattr(wanted, what), getattr(found, what)
        if ours == theirs:
            continue
        listed = what == 'channels' and wanted.encoder is not Encoder.IMAGE
        if listed and sorted(ours) == sorted(theirs):
            said.append(f'{wanted.name}: its channels have to be in this order: {_plain(ours)}')
        else:
            said.append(
                f'{wanted.name}: {what} of the robot is {_plain(theirs)}, the model expects '
                f'{_plain(ours)}'
            )
    return said


def write_contract(folder: Path, contract: ModelContract) -> None:
    """Write model.yaml into the model's folder."""
    data = {
        'format': FORMAT,
        'name': contract.name,
        'step_s': contract.step_s,
        'latent_size': contract.latent_size,
        'modalities': {
            m.name: modality_data(m)
            | normaliser_data(contract.normalisers[m.name])
            | _age_data(contract.longest_age_s.get(m.name, 0.0))
            for m in contract.modalities
        },
        'network': dict(contract.network),
        'provenance': dict(contract.provenance),
        'checksums': dict(contract.checksums),
    }
    text = yaml.safe_dump(data, sort_keys=False, width=99)
    (folder / CONTRACT_FILE).write_text(text, encoding='utf-8')


def read_contract(folder: Path) -> ModelContract:
    """Read and check model.yaml.

    Raises:
        ModalityError: The folder is no model, or a field of its contract is wrong.

    """
    if not (folder / CONTRACT_FILE).is_file():
        raise ModalityError(f'{folder}: is no model folder, it has no {CONTRACT_FILE}')
    root = read_yaml(folder / CONTRACT_FILE)
    if root.integer('format') != FORMAT:
        raise ModalityError(
            f'{root.where}: format {root.integer("format")}, this version reads {FORMAT}'
        )
    modalities, normalisers, longest_age_s = [], {}, {}
    for name, section in root.sections('modalities').items():
        modality = read_modality(name, section)
        modalities.append(modality)
        normalisers[name] = read_normaliser(section, modality)
        longest_age_s[name] = section.number('longest_age_s', default=0.0, low=0.0)
    contract = ModelContract(
        name=root.text('name'),
        modalities=tuple(modalities),
        normalisers=normalisers,
        step_s=root.number('step_s', low=0.001),
        latent_size=root.integer('latent_size', low=1),
        network=root.section('network').data,
        provenance=root.section('provenance').data,
        checksums={k: str(v) for k, v in root.section('checksums').data.items()},
        longest_age_s={name: age for name, age in longest_age_s.items() if age > 0},
    )
    try:
        command_of(contract.modalities)
    except ModalityError as error:
        raise ModalityError(f'{root.where}: {error}') from error
    return contract


def file_checksum(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open('rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


def pair(name: str) -> list[str]:
    """Return the names of the two outputs of what is decoded."""
    return [f'{name}_mean', f'{name}_std']


def look_part(image: str) -> str:
    """Return the name of the part that looks at pictures of a modality."""
    return f'look.{image}.onnx'


def decode_part(name: str) -> str:
    """Return the name of the part that decodes a modality."""
    return f'decode.{name}.onnx'


def check_file(folder: Path, name: str, contract: ModelContract) -> Path:
    """Return the path of a model's file once its checksum agrees with the contract.

    Raises:
        ModalityError: It is missing, or its content is not what the contract was written for.

    """
    path = folder / name
    if not path.is_file():
        raise ModalityError(
            explained_by(Help.MODEL_IS_DAMAGED, f'{path}: is missing from the model')
        )
    if file_checksum(path) != contract.checksums.get(name):
        raise ModalityError(
            explained_by(
                Help.MODEL_IS_DAMAGED,
                f'{path}: checksum differs from {CONTRACT_FILE}; the file is damaged or was '
                'replaced',
            )
        )
    return path


def normaliser_data(normaliser: Normaliser) -> dict[str, Any]:
    """Return what to write of a normaliser, beside its modality."""
    return {'offset': list(normaliser.offset), 'scale': list(normaliser.scale)}


def _age_data(longest_age_s: float) -> dict[str, Any]:
    return {'longest_age_s': longest_age_s} if longest_age_s > 0 else {}


def read_normaliser(section: Section, modality: Modality) -> Normaliser:
    """Return what was written of a modality's normaliser.

    Raises:
        ModalityError: It cannot be inverted, or is of another size.

    """
    try:
        normaliser = Normaliser(section.numbers('offset'), section.numbers('scale'))
    except ModalityError as error:
        text = str(error)
        raise ModalityError(
            text if text.startswith(section.where) else f'{section.where}: {text}'
        ) from error
    # One for each channel of a vector; one for each colour of a picture, or for all.
    expected = {modality.shape[-1], *((1,) if modality.encoder is Encoder.IMAGE else ())}
    if len(normaliser.offset) not in expected:
        raise ModalityError(
            f'{section.where}: normaliser of {len(normaliser.offset)} numbers, expected '
            f'{" or ".join(map(str, sorted(expected)))}'
        )
    return normaliser


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return str(list(value))
    return 'not given' if value is None else str(value)
