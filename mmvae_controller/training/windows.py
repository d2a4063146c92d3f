"""What the trainer needs of a data set: two-step windows, whatever they were read from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from mmvae_controller.datasets.store import Array, Batch, Description
from mmvae_controller.modality.observation import Mask
import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


class Windows(Protocol):
    """N windows that end in the rows 0 to N-1, such as `Dataset` and `IcubWindows`."""

    @property
    def description(self) -> Description:
        """Modalities in the order of the mask rows, time step, provenance."""
        ...

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which modalities were sensed at t, `(N, M)`."""
        ...

    @property
    def patterns(self) -> Mapping[str, Mask]:
        """The masks `(M, 2)` that were published with the data, by name; most have none."""
        ...

    def __len__(self) -> int:
        """How many windows there are."""
        ...

    def column(self, name: str, rows: Rows) -> Array:
        """Return the values at t `(B, *shape)` of one modality, in its own unit."""
        ...

    def batch(self, rows: Rows) -> Batch:
        """Return some windows, as copies that may be changed."""
        ...

    def split(self, held_out: float, seed: int) -> tuple[Rows, Rows]:
        """Return the rows to train on and the rows to validate on, which share no time step."""
        ...
