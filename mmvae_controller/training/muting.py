"""Muting: which modalities are hidden from the encoder while it learns to do without them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mmvae_controller.modality.observation import (
    CURRENT,
    everything_known,
    Mask,
    policy_query,
    STEPS,
)
from mmvae_controller.modality.spec import Modality
from mmvae_controller.training.errors import TrainingError
import numpy as np

RANDOM_KEEP = 0.5


class Pattern(StrEnum):
    """Families of masks.

    COMPLETE: everything; POLICY: all but the command at t; START: the same with nothing at t-1,
    as when an episode begins; PREVIOUS: everything at t-1, nothing at t; ALONE and WITHOUT: one
    modality, or all but one, asked as a policy; RANDOM: each slot known or not by a coin.
    """

    COMPLETE = 'complete'
    POLICY = 'policy'
    START = 'start'
    PREVIOUS = 'previous'
    ALONE = 'alone'
    WITHOUT = 'without'
    RANDOM = 'random'


@dataclass(frozen=True, slots=True)
class Muting:
    """How often each family is drawn, as shares that need not add up to one."""

    shares: Mapping[Pattern, float]

    def __post_init__(self) -> None:
        """Refuse shares from which nothing can be drawn."""
        if min(self.shares.values(), default=0) < 0 or sum(self.shares.values()) <= 0:
            raise TrainingError(f'muting shares {dict(self.shares)}: expected some above 0')

    def draw(
        self, modalities: Sequence[Modality], count: int, random: np.random.Generator
    ) -> Mask:
        """Return masks `(count, M, 2)`."""
        families = list(self.shares)
        weights = np.array([self.shares[f] for f in families])
        chosen = random.choice(len(families), size=count, p=weights / weights.sum())
        masks = np.zeros((count, len(modalities), STEPS), dtype=bool)
        for number, family in enumerate(families):
            rows = np.flatnonzero(chosen == number)
            masks[rows] = _draw_family(family, modalities, len(rows), random)
        return masks


def _draw_family(
    family: Pattern, modalities: Sequence[Modality], count: int, random: np.random.Generator
) -> Mask:
    size = len(modalities)
    if family is Pattern.RANDOM:
        return random.random((count, size, STEPS)) < RANDOM_KEEP
    base = everything_known(modalities)
    if family in (Pattern.POLICY, Pattern.START, Pattern.ALONE, Pattern.WITHOUT):
        base = policy_query(modalities)
    if family is Pattern.START:
        base[:, 1 - CURRENT] = False
    if family is Pattern.PREVIOUS:
        base[:, CURRENT] = False
    masks = np.repeat(base[None], count, axis=0)
    if family in (Pattern.ALONE, Pattern.WITHOUT):
        picked = np.arange(size) == random.integers(size, size=count)[:, None]
        masks &= (picked if family is Pattern.ALONE else ~picked)[:, :, None]
    return masks
