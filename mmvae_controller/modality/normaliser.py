"""The affine map between a modality's own unit and what the network computes in."""

from __future__ import annotations

from dataclasses import dataclass

from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.spec import Modality
import numpy as np
from numpy.typing import NDArray

# A channel that never moved in the training data has no spread to divide by. This fraction of
# its own size keeps a later change visible without letting it dwarf every other channel.
SMALLEST_RELATIVE_SCALE = 1e-3
SMALLEST_SCALE = 1e-6


@dataclass(frozen=True, slots=True)
class Normaliser:
    """`normalised = (value - offset) / scale`, of D numbers, or one per colour of an image."""

    offset: tuple[float, ...]
    scale: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse what cannot be inverted."""
        if len(self.offset) != len(self.scale):
            raise ModalityError(f'{len(self.offset)} offsets but {len(self.scale)} scales')
        numbers = np.array([*self.offset, *self.scale])
        if not np.all(np.isfinite(numbers)) or min(self.scale, default=0) <= 0:
            raise ModalityError(f'normaliser not invertible: {self.offset}, {self.scale}')


def fit_normaliser(modality: Modality, values: NDArray[np.generic]) -> Normaliser:
    """Return the normaliser that gives training values mean 0 and standard deviation 1.

    Args:
        modality: A vector is normalised number by number, an image colour by colour.
        values: `(N, *shape)`; rows that are not finite are left out.

    Raises:
        ModalityError: No finite row is left.

    """
    last = modality.shape[-1]
    rows = np.asarray(values).reshape(-1, last).astype(np.float64)
    rows = rows[np.isfinite(rows).all(axis=1)]
    if len(rows) == 0:
        raise ModalityError(f'{modality.name}: no finite value to fit a normaliser to')
    offset = rows.mean(axis=0)
    floor = np.maximum(SMALLEST_SCALE, SMALLEST_RELATIVE_SCALE * np.abs(offset))
    scale = np.maximum(rows.std(axis=0), floor)
    return Normaliser(tuple(offset.tolist()), tuple(scale.tolist()))
