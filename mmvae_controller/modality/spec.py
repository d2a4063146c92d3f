"""The specification of one modality: a sense of the robot, or its command."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
import math

from mmvae_controller.modality.errors import ModalityError
import numpy as np
from numpy.typing import DTypeLike


class Role(StrEnum):
    """What a modality is to the robot."""

    SENSE = 'sense'
    COMMAND = 'command'


class Encoder(StrEnum):
    """Which kind of network reads a modality."""

    VECTOR = 'vector'
    IMAGE = 'image'


class Quantity(StrEnum):
    """What the numbers of a command mean for each joint."""

    POSITION = 'position'
    VELOCITY = 'velocity'


@dataclass(frozen=True, slots=True)
class Modality:
    """One modality, as the model sees it.

    Args:
        name: The key under which every room knows it.
        role: A sense, or the command.
        encoder: The kind of network; decides the rank of `shape`.
        shape: `(D,)` for a vector, `(H, W, C)` for an image.
        unit: Of every channel, e.g. `rad`; images are 8-bit intensities, or levels whose unit says
            what they mean: `m, 1 at 0.3 to 255 at 2`.
        channels: A name for each of the D numbers of a vector, or C colours of an image.
        max_age_s: An older sample is masked.
        quantity: Of a command only: position or velocity.

    Raises:
        ModalityError: Two of these contradict each other.

    """

    name: str
    role: Role
    encoder: Encoder
    shape: tuple[int, ...]
    unit: str
    channels: tuple[str, ...]
    max_age_s: float
    quantity: Quantity | None = None

    def __post_init__(self) -> None:
        """Validate once, when built."""
        if not (self.name.isidentifier() and self.name.isascii()):
            raise ModalityError(
                f'modality name {self.name!r}: expected ASCII letters, digits and underscores, '
                'for it becomes part of topic names'
            )
        if any(n < 1 for n in self.shape):
            raise ModalityError(f'{self.name}: shape {self.shape} has a size below 1')
        rank = 3 if self.encoder is Encoder.IMAGE else 1
        if len(self.shape) != rank:
            raise ModalityError(
                f'{self.name}: encoder {self.encoder} needs a shape of {rank} sizes, '
                f'found {self.shape}'
            )
        if len(self.channels) != self.shape[-1]:
            raise ModalityError(
                f'{self.name}: {self.shape[-1]} numbers but {len(self.channels)} channel names'
            )
        if len(set(self.channels)) != len(self.channels):
            raise ModalityError(f'{self.name}: a channel is named twice in {self.channels}')
        if not (math.isfinite(self.max_age_s) and self.max_age_s > 0):
            raise ModalityError(f'{self.name}: max_age_s is {self.max_age_s}, expected above 0')
        if (self.role is Role.COMMAND) != (self.quantity is not None):
            raise ModalityError(
                f'{self.name}: a command, and only a command, says its quantity '
                f'({", ".join(Quantity)}); found role {self.role}, quantity {self.quantity}'
            )
        if self.role is Role.COMMAND and self.encoder is not Encoder.VECTOR:
            raise ModalityError(f'{self.name}: a command is a vector, found {self.encoder}')

    @property
    def size(self) -> int:
        """How many numbers one sample has."""
        return math.prod(self.shape)

    @property
    def dtype(self) -> DTypeLike:
        """uint8 for images, float32 for vectors."""
        return np.uint8 if self.encoder is Encoder.IMAGE else np.float32


def command_of(modalities: tuple[Modality, ...]) -> Modality:
    """Return the one modality that is the command.

    Raises:
        ModalityError: There is none, or more than one, or a name stands twice.

    """
    names = [m.name for m in modalities]
    if len(set(names)) != len(names):
        raise ModalityError(f'a modality is named twice in {names}')
    commands = [m for m in modalities if m.role is Role.COMMAND]
    if len(commands) != 1:
        found = ', '.join(m.name for m in commands) or 'none'
        raise ModalityError(f'exactly one modality has the role command, found {found}')
    return commands[0]
