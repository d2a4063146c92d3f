"""Scrambling: windows put together from modalities that never occurred together.

What is known in such a window has nothing to do with what is masked, so there only the known can
be learned: to copy it, whatever goes with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mmvae_controller.datasets.store import Batch
from mmvae_controller.modality.observation import Mask
from mmvae_controller.modality.spec import Modality, Role
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Scramble:
    """Which rows of a batch are put together from others.

    Args:
        rows: `(B,)` whether a row is.
        sources: `(B, M)` the row from which each modality comes; in all other rows itself.

    """

    rows: NDArray[np.bool_]
    sources: NDArray[np.int64]


def draw_scramble(
    modalities: int, count: int, share: float, random: np.random.Generator
) -> Scramble:
    """Choose a share of a batch, rounded to whole rows, and a source of each modality in them."""
    chosen = random.permutation(count)[: round(share * count)]
    rows = np.zeros(count, dtype=bool)
    rows[chosen] = True
    sources = np.repeat(np.arange(count, dtype=np.int64)[:, None], modalities, axis=1)
    for column in range(modalities):
        sources[chosen, column] = random.permutation(count)[: len(chosen)]
    return Scramble(rows, sources)


def recompose(batch: Batch, modalities: Sequence[Modality], scramble: Scramble) -> Batch:
    """Return a batch in which each modality, both steps and its mask, is that of its source."""
    values, label = {}, batch.label
    for row, modality in enumerate(modalities):
        sources = scramble.sources[:, row]
        values[modality.name] = batch.values[modality.name][sources]
        if modality.role is Role.COMMAND:
            label = label[sources]
    known = np.take_along_axis(batch.known, scramble.sources[:, :, None], axis=0)
    return Batch(values, known, label)


def learnable(known: Mask, mask: Mask, scramble: Scramble | None) -> Mask:
    """Return which targets `(B, M, 2)` count: all that the data has, if scrambled the unmasked."""
    if scramble is None:
        return known
    return known & (mask | ~scramble.rows[:, None, None])
