"""Blanking: a model is shown pictures of nothing, and is to learn that they tell nothing.

A covered lens, a blinded or a dead sensor still deliver pictures, all of one grey. To a network
that never saw one, they look like a scene, and it acts on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmvae_controller.modality.reader import Section
from mmvae_controller.modality.spec import Encoder, Modality
from mmvae_controller.training.errors import TrainingError
from mmvae_controller.training.normalising import BRIGHTEST
import numpy as np
from numpy.typing import NDArray

# Of the sensor around the grey, in grey levels, at most.
NOISE = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Blanks:
    """Which pictures of a batch are replaced, and by what.

    Args:
        where: `(B, 2)` bool.
        pictures: uint8 `(n, *shape)`, one for each of these slots, row by row.

    """

    where: NDArray[np.bool_]
    pictures: NDArray[np.uint8]


def blank_config(section: Section, modalities: Sequence[Modality]) -> dict[str, float]:
    """Read the section `blank`: the share of the rows, 0 to 1, by image modality.

    Raises:
        ModalityError: A share is wrong.
        TrainingError: It names something else than an image.

    """
    images = [m.name for m in modalities if m.encoder is Encoder.IMAGE]
    for name in section.data:
        if name not in images:
            raise TrainingError(f'{section.where}: {name!r} is no image, images are {images}')
    return {name: section.number(name, low=0.0, high=1.0) for name in section.data}


def draw_blanks(
    shares: Mapping[str, float],
    modalities: Sequence[Modality],
    count: int,
    random: np.random.Generator,
) -> dict[str, Blanks]:
    """Choose rows and draw what is shown there.

    At t alone, as when a lens was just covered, or at both steps, each as often.
    """
    blanks = {}
    for modality in modalities:
        if modality.name not in shares:
            continue
        now = random.random(count) < shares[modality.name]
        where = np.stack([now & (random.random(count) < 0.5), now], axis=1)
        size = (int(where.sum()), *(1 for _ in modality.shape))
        grey, noise = random.uniform(0, BRIGHTEST, size), random.uniform(0, NOISE, size)
        pictures = random.normal(grey, noise, (size[0], *modality.shape))
        rounded = np.clip(np.rint(pictures), 0, BRIGHTEST).astype(np.uint8)
        blanks[modality.name] = Blanks(where, rounded)
    return blanks
