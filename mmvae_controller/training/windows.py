"""What the trainer needs of a data set: two-step windows, whatever they were read from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from mmvae_controller.datasets.spans import Rows as Rows
from mmvae_controller.datasets.spans import Spans
from mmvae_controller.datasets.store import Array, Batch, Dataset, Description
from mmvae_controller.modality.observation import Mask
import numpy as np
from numpy.typing import NDArray


class Known(Protocol):
    """Which modalities were sensed at t: an array `(N, M)`, or what reads one row by row."""

    def __getitem__(self, rows: Rows, /) -> NDArray[np.bool_]:
        """Return it for some rows, `(B, M)`."""
        ...


class Windows(Protocol):
    """N windows that end in the rows 0 to N-1, such as `Dataset` and `IcubWindows`."""

    @property
    def description(self) -> Description:
        """Modalities in the order of the mask rows, time step, provenance."""
        ...

    @property
    def known(self) -> Known:
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


def split_spans(windows: Windows, held_out: float, seed: int) -> tuple[Spans, Spans]:
    """Return what `split` does, with no memory for each row where the windows are a recording."""
    if isinstance(windows, Dataset):
        return windows.spans(held_out, seed)
    trained, held = windows.split(held_out, seed)
    return Spans.of(trained), Spans.of(held)
