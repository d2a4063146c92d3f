"""The two-step observation and its mask: the one definition of both.

Every array over time steps has the order [t - dt, t]. A mask is a bool array `(M, 2)`, one row
for each modality in the order of the model's contract; True means known, False means missing.
What a masked slot holds is never read.

What a network is told may say more: the freshness of a slot, a float array `(M, 2)`, 0 where it is
masked, 1 where it is new, and between them the older the less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.spec import Modality, Role
import numpy as np
from numpy.typing import NDArray

STEPS = 2
PREVIOUS = 0
CURRENT = 1

Mask = NDArray[np.bool_]
Freshness = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything the robot knows at one moment.

    Args:
        stamp_ns: The moment t.
        values: By modality, `(2, *shape)`: float32, or uint8 for images.
        known: `(M, 2)` mask: there is a sample, and it is new enough to be shown to a model.
        age_s: `(M, 2)` seconds by which each sample is older than its slot; inf if there is none.

    """

    stamp_ns: int
    values: Mapping[str, NDArray[np.generic]]
    known: Mask
    age_s: NDArray[np.float32]


def freshness(known: Mask, age_s: NDArray[np.floating]) -> Freshness:
    """Return how new each slot is: 1 / (1 + age in s), 0 where it is masked."""
    return np.where(known, 1 / (1 + age_s), 0).astype(np.float32)


def nothing_known(modalities: Sequence[Modality]) -> Mask:
    """Return the mask `(M, 2)` in which everything is missing."""
    return np.zeros((len(modalities), STEPS), dtype=bool)


def everything_known(modalities: Sequence[Modality]) -> Mask:
    """Return the mask `(M, 2)` in which nothing is missing."""
    return np.ones((len(modalities), STEPS), dtype=bool)


def policy_query(modalities: Sequence[Modality]) -> Mask:
    """Return the slots a policy may read: all but the command at t, which is asked for."""
    query = everything_known(modalities)
    for row, modality in enumerate(modalities):
        if modality.role is Role.COMMAND:
            query[row, CURRENT] = False
    return query


def pattern_mask(modalities: Sequence[Modality], pattern: Mapping[str, Sequence[bool]]) -> Mask:
    """Return the mask of a named pattern, e.g. `{'camera': [True, True]}`; the rest is missing.

    Raises:
        ModalityError: The pattern names no modality, or a row is not two booleans.

    """
    names = [m.name for m in modalities]
    mask = nothing_known(modalities)
    for name, row in pattern.items():
        if name not in names:
            raise ModalityError(f'mask pattern names {name!r}, expected one of {names}')
        if len(row) != STEPS or not all(isinstance(known, (bool, np.bool_)) for known in row):
            raise ModalityError(f'mask of {name}: {row!r}, expected [known at t-1, known at t]')
        mask[names.index(name)] = row
    return mask


def value_rows(
    values: Mapping[str, NDArray[np.generic]], known: Mask | Freshness
) -> NDArray[np.int64]:
    """Return in which of V values each of B masks `(B, M, 2)` looks, `(B,)`: B / V in a row."""
    count = len(next(iter(values.values())))
    return np.repeat(np.arange(count, dtype=np.int64), len(known) // count)


def empty_values(modalities: Sequence[Modality]) -> dict[str, NDArray[np.generic]]:
    """Return zeroed arrays `(2, *shape)` for each modality, to be written in place."""
    return {m.name: np.zeros((STEPS, *m.shape), dtype=m.dtype) for m in modalities}
