"""A decoded value: where it most likely is, and how certain that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Gaussian:
    """Mean and standard deviation of the same shape, in the modality's own unit.

    As decoded both are `(B, 2, *shape)`; of the latent `(B, Z)`.
    """

    mean: NDArray[np.float32]
    std: NDArray[np.float32]
