"""What is judged and on what: the seams to the network and to the data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from mmvae_controller.datasets.store import Batch, Description
from mmvae_controller.evaluation.errors import EvaluationError
from mmvae_controller.modality.contract import ModelContract
from mmvae_controller.modality.gaussian import Gaussian
from mmvae_controller.modality.observation import CURRENT, Mask
from mmvae_controller.modality.spec import command_of, Modality
import numpy as np
from numpy.typing import NDArray

# Small enough that a batch of pictures and what is computed from it stay below 1 GB.
BATCH_ROWS = 128
COMPARED = ('role', 'encoder', 'shape', 'unit', 'channels', 'quantity')

Rows = NDArray[np.int64]
Values = Mapping[str, NDArray[np.generic]]


class Decoder(Protocol):
    """A network that decodes what is wanted from what is known; `control.network` is one."""

    contract: ModelContract

    def decode(self, values: Values, known: Mask, wanted: Sequence[str]) -> dict[str, Gaussian]:
        """Decode from `(B, 2, *shape)` values and a mask `(B, M, 2)`."""


class Windows(Protocol):
    """N two-step windows, as `Dataset` and `IcubWindows` hold them."""

    @property
    def description(self) -> Description:
        """Modalities in the order of the mask rows, time step, provenance."""
        ...

    @property
    def patterns(self) -> Mapping[str, Mask]:
        """The masks `(M, 2)` that were published with the data, by name; most have none."""
        ...

    def __len__(self) -> int:
        """How many windows there are."""
        ...

    def batch(self, rows: Rows) -> Batch:
        """Return some windows."""
        ...

    def split(self, held_out: float, seed: int) -> tuple[Rows, Rows]:
        """Return the rows to train on and the rows held out."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Some windows with the right command at t in the place of the one applied then.

    Args:
        rows: `(B,)`.
        values: By modality, `(B, 2, *shape)` in its own unit.
        present: `(B, M, 2)`: what was sensed.

    """

    rows: Rows
    values: Values
    present: Mask


def truths(windows: Windows, rows: Rows) -> Iterator[Truth]:
    """Read some rows batch by batch.

    Raises:
        EvaluationError: A value that was sensed is not finite.

    """
    modalities = windows.description.modalities
    command = command_of(modalities).name
    for start in range(0, len(rows), BATCH_ROWS):
        some = rows[start : start + BATCH_ROWS]
        batch = windows.batch(some)
        wanted = np.array(batch.values[command])
        wanted[:, CURRENT] = batch.label
        values = {**batch.values, command: wanted}
        for row, modality in enumerate(modalities):
            bad = bad_rows(values[modality.name]) & batch.known[:, row]
            if bad.any():
                first = int(some[np.argmax(bad.any(axis=1))])
                raise EvaluationError(
                    f'{modality.name} is known and yet not finite in row {first} of the data'
                )
        yield Truth(some, values, batch.known)


def shown(values: Values, known: Mask, modalities: Sequence[Modality]) -> Values:
    """Return values with zeros where they are masked: nothing hidden reaches the network."""
    blanked = {}
    for row, modality in enumerate(modalities):
        visible = known[:, row].reshape(*known[:, row].shape, *[1] * len(modality.shape))
        value = values[modality.name]
        blanked[modality.name] = np.where(visible, value, np.zeros((), value.dtype))
    return blanked


def bad_rows(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Return `(B, 2)`: whether any number of a sample `(B, 2, *shape)` is not finite."""
    if values.dtype.kind != 'f':
        return np.zeros(values.shape[:2], dtype=bool)
    finite: NDArray[np.bool_] = np.isfinite(values).all(axis=tuple(range(2, values.ndim)))
    return ~finite


def check_fits(contract: ModelContract, windows: Windows, what: str) -> None:
    """Raise unless a model can be judged on a data set.

    Raises:
        EvaluationError: Names every modality and property that differs.

    """
    description = windows.description
    ours, theirs = contract.modalities, description.modalities
    names, found = [m.name for m in ours], [m.name for m in theirs]
    if names != found:
        raise EvaluationError(f'{what} has modalities {found}, the model reads {names}')
    problems = [
        f'{mine.name}: {part} {getattr(other, part)}, the model expects {getattr(mine, part)}'
        for mine, other in zip(ours, theirs, strict=True)
        for part in COMPARED
        if getattr(mine, part) != getattr(other, part)
    ]
    if contract.step_s != description.step_s:
        problems.append(f'step_s {description.step_s}, the model expects {contract.step_s}')
    if problems:
        raise EvaluationError(f'{what} does not fit the model: ' + '; '.join(problems))
