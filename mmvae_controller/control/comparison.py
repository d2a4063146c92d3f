"""What senses are compared with, for one model: read from its folder, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmvae_controller.control.cusum import SoundRunning
from mmvae_controller.control.errors import ControlError
from mmvae_controller.control.network import Network
from mmvae_controller.control.pace import AtMost
from mmvae_controller.control.rota import Channel
from mmvae_controller.control.surprise import Surprise
from mmvae_controller.control.trust import Sound, Trust
from mmvae_controller.control.window import ObservationWindow
from mmvae_controller.modality.contract import NETWORK_FILE
from mmvae_controller.modality.reader import read_yaml, Section
from mmvae_controller.modality.robot import Robot
from mmvae_controller.modality.shared_files import MODELS, typed
from mmvae_controller.modality.whole_files import write_whole
import yaml

SOUND_FILE = 'sound_running.yaml'
FORMAT = 1


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """How lying senses are found.

    Args:
        surprise: What the model expects.
        sound: How surprising each sense is while nothing is wrong.
        provenance: What that was measured on, and how often there were false alarms.

    """

    surprise: Surprise
    sound: Sound
    provenance: Mapping[str, Any]

    def elsewhere(self, robot: Robot) -> str:
        """Say on which other robot it was measured; empty if on this one, or if nobody said.

        On a faster loop the senses are compared as often as they were where it was measured.
        """
        name = self.provenance.get('robot', robot.name)
        rate_hz = self.provenance.get('rate_hz', robot.rate_hz)
        if name == robot.name and rate_hz <= robot.rate_hz:
            return ''
        return (
            f'{SOUND_FILE} was measured on {name} at {rate_hz:g} Hz, this is {robot.name} at '
            f'{robot.rate_hz:g} Hz: what is normal here may be taken for a lie'
        )

    def foreign(self, robot: Robot) -> str:
        """Say that it was measured elsewhere, and what to do about it; empty if it was not."""
        said = self.elsewhere(robot)
        return said and f'{said}; {how_to_calibrate(self.surprise.network.folder, robot)}'

    def trust(self, window: ObservationWindow, robot: Robot) -> Trust:
        """Return what judges the senses of a robot that are to be compared."""
        sound = {n: c for n, c in self.sound.items() if robot.sources[n].compared}
        return Trust(self.surprise, sound, window, self._at_most(robot.rate_hz))

    def _at_most(self, loop_hz: float) -> AtMost | None:
        measured_hz = float(self.provenance.get('rate_hz', loop_hz))
        return AtMost(measured_hz, loop_hz) if measured_hz < loop_hz else None


def how_to_calibrate(folder: Path, robot: Robot) -> str:
    """Say what to type to have a model measured on a robot; what is measured already is kept."""
    command = f'mmvae calibrate {typed(folder)} --robot {typed(robot.path)}'
    if (folder / SOUND_FILE).exists():
        command += f' --out {typed(MODELS / f"{folder.name}_{robot.name}")}'
    if robot.arm:
        return f'run `{command}`'
    return f'it takes a simulated arm (`simulation: arm:` in {robot.path.name}): `{command}`'


def read_comparison(network: Network) -> Comparison | None:
    """Read what was measured of a model, from its folder; None if nothing was.

    Raises:
        ControlError: It was measured of another network, or names what is no sense of it.
        ModalityError: The file is damaged.

    """
    path = network.folder / SOUND_FILE
    if not path.is_file():
        return None
    root = read_yaml(path)
    if root.integer('format') != FORMAT:
        raise ControlError(f'{path}: format {root.integer("format")}, this version reads {FORMAT}')
    contract = network.contract
    if root.text('network_sha256') != contract.checksums[NETWORK_FILE]:
        raise ControlError(
            f'{path}: was measured of another network than {NETWORK_FILE} beside it: run '
            '`mmvae calibrate` again, or remove it, and no lying sense is found'
        )
    senses = {m.name for m in contract.modalities if m.name != contract.command.name}
    found = root.section('senses')
    sound = {str(name): _channels(found, str(name)) for name in found.data}
    unknown = sorted(set(sound) - senses)
    if unknown:
        raise ControlError(f'{path}: {unknown} is no sense of the model, it has {sorted(senses)}')
    provenance = root.section('provenance').data
    root.done()
    return Comparison(Surprise(network), sound, provenance)


def write_sound(
    network: Network, sound: Sound, provenance: Mapping[str, Any], folder: Path | None = None
) -> Path:
    """Write what was measured into the model's folder, or a copy of it; return where."""
    data = {
        'format': FORMAT,
        'network_sha256': network.contract.checksums[NETWORK_FILE],
        'senses': {
            name: {channel.value: _data(s) for channel, s in channels.items()}
            for name, channels in sound.items()
        },
        'provenance': dict(provenance),
    }
    place = (folder or network.folder) / SOUND_FILE
    write_whole(place, yaml.safe_dump(data, sort_keys=False, width=99).encode())
    return place


def _channels(senses: Section, name: str) -> dict[Channel, SoundRunning]:
    channels = senses.sections(name)
    unknown = sorted(set(channels) - set(Channel))
    if unknown:
        raise ControlError(f'{senses.where}.{name}: {unknown}, expected some of {list(Channel)}')
    return {Channel(channel): _read(section) for channel, section in channels.items()}


def _data(sound: SoundRunning) -> dict[str, float]:
    return {key: float(f'{getattr(sound, key):.6g}') for key in SoundRunning.__slots__}


def _read(section: Section) -> SoundRunning:
    numbers = {key: section.number(key) for key in SoundRunning.__slots__}
    section.done()
    try:
        return SoundRunning(**numbers)
    except ControlError as error:
        raise ControlError(f'{section.where}: {error}') from error
