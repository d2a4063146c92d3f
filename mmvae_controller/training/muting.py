"""Muting: which modalities are hidden from the encoder while it learns to do without them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mmvae_controller.modality.goal import goal_query
from mmvae_controller.modality.observation import (
    CURRENT,
    everything_known,
    Mask,
    policy_query,
    STEPS,
)
from mmvae_controller.modality.spec import Modality, Role
from mmvae_controller.training.errors import TrainingError
import numpy as np

RANDOM_KEEP = 0.5


class Pattern(StrEnum):
    """Families of masks.

    COMPLETE: everything; POLICY: all but the command at t; START: the same with nothing at t-1,
    as when an episode begins; PREVIOUS: everything at t-1, nothing at t; ALONE and WITHOUT: one
    modality, or all but one, asked as a policy; RANDOM: each slot known or not by a coin; MIXED:
    by a coin as well, of which each row has its own, from always to never; NAMED: one of the
    masks that were published with the data, each as often; GOAL: every sense at t-1 and one of
    them at t, each as often: what leads there is asked for.
    """

    COMPLETE = 'complete'
    POLICY = 'policy'
    START = 'start'
    PREVIOUS = 'previous'
    ALONE = 'alone'
    WITHOUT = 'without'
    RANDOM = 'random'
    MIXED = 'mixed'
    NAMED = 'named'
    GOAL = 'goal'


@dataclass(frozen=True, slots=True)
class Muting:
    """How often each family is drawn, as shares that need not add up to one."""

    shares: Mapping[Pattern, float]

    def __post_init__(self) -> None:
        """Refuse shares from which nothing can be drawn."""
        if min(self.shares.values(), default=0) < 0 or sum(self.shares.values()) <= 0:
            said = ', '.join(f'{p.value}: {share:g}' for p, share in self.shares.items())
            raise TrainingError(f'shares are {{{said}}}, expected some above 0 and none below')

    def check(self, patterns: Mapping[str, Mask]) -> None:
        """Raise unless all that has a share can be drawn from data with these named masks.

        Raises:
            TrainingError: Named masks are wanted, and the data has none.

        """
        if self.shares.get(Pattern.NAMED, 0) > 0 and not patterns:
            raise TrainingError(
                f'muting gives {Pattern.NAMED.value!r} a share of {self.shares[Pattern.NAMED]:g}, '
                'but this data set has no named masks: leave it out'
            )

    def draw(
        self,
        modalities: Sequence[Modality],
        count: int,
        random: np.random.Generator,
        patterns: Mapping[str, Mask],
    ) -> Mask:
        """Return masks `(count, M, 2)`.

        Args:
            modalities: The M of the mask rows.
            count: How many.
            random: Decides which.
            patterns: The named masks `(M, 2)` of the data.

        Raises:
            TrainingError: Named masks are wanted, and the data has none.

        """
        self.check(patterns)
        families = list(self.shares)
        if len(families) == 1:
            # Nothing to choose, but what follows is drawn as if there had been.
            random.random(count)
            return _draw_family(families[0], modalities, count, random, patterns)
        weights = np.array([self.shares[f] for f in families])
        chosen = random.choice(len(families), size=count, p=weights / weights.sum())
        masks = np.zeros((count, len(modalities), STEPS), dtype=bool)
        for number, family in enumerate(families):
            rows = np.flatnonzero(chosen == number)
            if len(rows) == 0:
                continue
            masks[rows] = _draw_family(family, modalities, len(rows), random, patterns)
        return masks


def _draw_family(
    family: Pattern,
    modalities: Sequence[Modality],
    count: int,
    random: np.random.Generator,
    patterns: Mapping[str, Mask],
) -> Mask:
    size = len(modalities)
    if family is Pattern.NAMED:
        named = np.stack(list(patterns.values()))
        masks: Mask = named[random.integers(len(named), size=count)]
        return masks
    if family is Pattern.RANDOM:
        return random.random((count, size, STEPS)) < RANDOM_KEEP
    if family is Pattern.MIXED:
        keep = random.random((count, 1, 1))
        return random.random((count, size, STEPS)) < keep
    if family is Pattern.GOAL:
        senses = [m.name for m in modalities if m.role is Role.SENSE]
        queries = np.stack([goal_query(modalities, name) for name in senses])
        return queries[random.integers(len(queries), size=count)]
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
