"""The optimiser: which one, at what rate, and how large a gradient it is given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn

# What PyTorch takes by default. Adam adds it to the gradient, AdamW to the step.
WEIGHT_DECAY_ADAMW = 0.01
WEIGHT_DECAY_ADAM = 0.0
# Of all steps: of a longer warm-up little is left to learn in.
LONGEST_WARMUP = 0.5
# Of all steps, what is advised instead.
SHORT_WARMUP = 0.1


class OptimiserName(StrEnum):
    """Adam (Kingma and Ba 2015), or with decoupled decay (Loshchilov and Hutter 2019)."""

    ADAMW = 'adamw'
    ADAM = 'adam'

    @property
    def weight_decay(self) -> float:
        """What it takes unless told otherwise."""
        return WEIGHT_DECAY_ADAMW if self is OptimiserName.ADAMW else WEIGHT_DECAY_ADAM


class RateSchedule(StrEnum):
    """What becomes of the learning rate once it is warm: lowered to nothing, or left."""

    COSINE = 'cosine'
    CONSTANT = 'constant'

    def factor(self, step: int, steps: int, warmup_steps: int) -> float:
        """Return by what the learning rate is multiplied in a step, counted from 0, of all."""
        warm = min(1.0, (step + 1) / max(1, warmup_steps))
        if self is RateSchedule.CONSTANT:
            return warm
        return warm * 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps)))

    def slowness(self, steps: int, warmup_steps: int, learning_rate: float) -> str:
        """Say that a run is too short for its learning rate to rise; empty if it is not."""
        if warmup_steps <= LONGEST_WARMUP * steps:
            return ''
        share = 'all' if warmup_steps > steps else 'half of all'
        largest = max(self.factor(step, steps, warmup_steps) for step in range(steps))
        return (
            f'warmup_steps {warmup_steps} is more than {share} {steps} steps: the learning rate '
            f'rises to {largest * learning_rate:.2g} instead of {learning_rate:g}, and little is '
            f'learnt; lower warmup_steps in the training YAML, to {round(SHORT_WARMUP * steps)} '
            'for example, or give more --epochs, now: a training that has begun keeps its settings'
        )


@dataclass(frozen=True, slots=True)
class OptimiserConfig:
    """Which optimiser.

    Args:
        name: Of the method.
        weight_decay: How strongly weights are drawn to zero.

    """

    name: OptimiserName = OptimiserName.ADAMW
    weight_decay: float = WEIGHT_DECAY_ADAMW

    def build(
        self, parameters: Iterable[nn.Parameter], learning_rate: float, fused: bool = False
    ) -> torch.optim.Optimizer:
        """Return it for some parameters; fused takes one pass over them, and rounds otherwise."""
        # Here: a configuration is read, and refused, before PyTorch is loaded.
        import torch

        kind = torch.optim.AdamW if self.name is OptimiserName.ADAMW else torch.optim.Adam
        return kind(
            parameters, lr=learning_rate, weight_decay=self.weight_decay, fused=fused or None
        )
