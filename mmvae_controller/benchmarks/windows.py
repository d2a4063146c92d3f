"""Windows of random numbers: how fast training is does not depend on what it learns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmvae_controller.datasets.store import Array, Batch, Description
from mmvae_controller.modality.observation import CURRENT, Mask, STEPS
from mmvae_controller.modality.spec import command_of, Encoder, Modality, Quantity, Role
import numpy as np
from numpy.typing import NDArray

STEP_S = 1.0

Rows = NDArray[np.int64]


class RandomWindows:
    """N windows of vectors from -1 to 1, everything known, in memory like the iCub's."""

    def __init__(
        self, modalities: Sequence[Modality], count: int, patterns: Mapping[str, Mask], seed: int
    ) -> None:
        """Draw them."""
        random = np.random.default_rng(seed)
        self.description = Description(tuple(modalities), STEP_S, STEP_S, {'from': 'random'})
        self.patterns = patterns
        self.values: dict[str, NDArray[np.float32]] = {
            m.name: random.uniform(-1, 1, (count, STEPS, m.size)).astype(np.float32)
            for m in modalities
        }
        self.known = np.ones((count, len(modalities)), dtype=bool)

    def __len__(self) -> int:
        """How many windows there are."""
        return len(self.known)

    def column(self, name: str, rows: Rows) -> Array:
        """Return the values at t of one modality, for some rows."""
        values: Array = self.values[name][rows, CURRENT]
        return values

    def batch(self, rows: Rows) -> Batch:
        """Return some windows; the label is the command at t."""
        modalities = self.description.modalities
        known = np.ones((len(rows), len(modalities), STEPS), dtype=bool)
        label = self.values[command_of(modalities).name][rows, CURRENT]
        return Batch({n: v[rows] for n, v in self.values.items()}, known, label)

    def split(self, held_out: float, seed: int) -> tuple[Rows, Rows]:
        """Return the rows to train on, and the last ones to validate on."""
        count = round(len(self) * (1 - held_out))
        return np.arange(count), np.arange(count, len(self))


def vector(name: str, size: int, is_command: bool = False) -> Modality:
    """Return a vector of so many numbers."""
    role, quantity = (Role.COMMAND, Quantity.VELOCITY) if is_command else (Role.SENSE, None)
    channels = tuple(f'{name}{number}' for number in range(size))
    return Modality(name, role, Encoder.VECTOR, (size,), '', channels, STEP_S, quantity)
