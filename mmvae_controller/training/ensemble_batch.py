"""What the models of an ensemble draw: once for all that draw the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mmvae_controller.training.config import TrainingConfig
from mmvae_controller.training.draws import epoch_draws, StepDraws
from mmvae_controller.training.held import stacked
from mmvae_controller.training.windows import Rows, Windows


@dataclass(frozen=True, slots=True)
class SharedDraws:
    """The draws of several models, made once for all that draw the same.

    Args:
        distinct: A configuration of each kind.
        kind_of: `(K,)` which of them each model draws like.

    """

    distinct: tuple[TrainingConfig, ...]
    kind_of: tuple[int, ...]

    def epoch(self, windows: Windows, rows: Rows, epoch: int) -> Iterator[StepDraws]:
        """Draw an epoch: at each step `(K, B, ...)` what each model would draw alone."""
        modalities, patterns = windows.description.modalities, windows.patterns
        streams = [epoch_draws(c, modalities, patterns, rows, epoch) for c in self.distinct]
        for drawn in zip(*streams, strict=True):
            yield stacked([drawn[kind] for kind in self.kind_of])


def shared_draws(configs: Sequence[TrainingConfig]) -> SharedDraws:
    """Find out which models draw the same: the KL schedule and the name draw nothing."""
    like = configs[0]
    kinds = [replace(c, kl=like.kl, name=like.name) for c in configs]
    distinct: list[TrainingConfig] = []
    for kind in kinds:
        if kind not in distinct:
            distinct.append(kind)
    return SharedDraws(tuple(distinct), tuple(distinct.index(kind) for kind in kinds))
