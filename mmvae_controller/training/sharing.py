"""What one of several processes does of a step: every N-th row, so that all together do it.

The objective is a mean over the rows of a batch, and of pictures a mean over its first rows. A
process has every N-th row of both, and its own means count by how many rows they are of: the sum
over the processes is what one alone would have found, to rounding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import copy
from dataclasses import dataclass, replace

from mmvae_controller.modality.spec import Encoder, Modality
from mmvae_controller.training.blanking import Blanks
from mmvae_controller.training.draws import StepDraws
from mmvae_controller.training.processes import Processes
from mmvae_controller.training.scrambling import Scramble
from mmvae_controller.vae.network import TwoStepVAE
from mmvae_controller.vae.objective import Objective
from mmvae_controller.vae.objective_settings import ObjectiveConfig
import numpy as np
import torch
from torch import nn

LOSS, KL = 'loss', 'kl'


@dataclass(frozen=True, slots=True)
class Part:
    """Every N-th row of a batch.

    Args:
        processes: Which one of how many it is for.
        whole: How many rows the batch has.
        pictures: Of how many of them, the first, pictures are decoded.

    """

    processes: Processes
    whole: int
    pictures: int

    @property
    def places(self) -> slice:
        """Which rows of the batch; those of which pictures are decoded come first in it too."""
        return slice(self.processes.rank, None, self.processes.count)

    @property
    def size(self) -> int:
        """How many rows; none where a batch has fewer than there are processes."""
        return self._of_first(self.whole)

    @property
    def share(self) -> float:
        """Which share of the rows."""
        return self.size / self.whole

    @property
    def share_of_pictures(self) -> float:
        """Which share of the rows of which pictures are decoded."""
        return self._of_first(self.pictures) / self.pictures

    def _of_first(self, count: int) -> int:
        return len(range(self.processes.rank, count, self.processes.count))


def part_of_batch(processes: Processes, config: ObjectiveConfig, whole: int) -> Part:
    """Return the part of a process in a batch of so many rows."""
    return Part(processes, whole, max(1, round(whole * config.picture_share)))


def part_of_draws(drawn: StepDraws, part: Part) -> StepDraws:
    """Return the draws of a part; of a scrambled batch with the rows it is put together from."""
    if part.processes.count == 1:
        return drawn
    here = part.places
    rows, scramble = drawn.rows[here], None
    if drawn.scramble is not None:
        sources = drawn.scramble.sources[here]
        needed, places = np.unique(sources, return_inverse=True)
        rows = drawn.rows[needed]
        scramble = Scramble(drawn.scramble.rows[here], places.reshape(sources.shape))
    return StepDraws(
        rows,
        drawn.mask[here],
        scramble,
        tuple(latent[here] for latent in drawn.latent_noise),
        {name: noise[here] for name, noise in drawn.input_noise.items()},
        None if drawn.ages_s is None else drawn.ages_s[here],
        {name: _part_of_blanks(blanks, here) for name, blanks in drawn.blanks.items()},
    )


def part_of_objective(
    network: TwoStepVAE, config: ObjectiveConfig, part: Part
) -> tuple[TwoStepVAE, ObjectiveConfig]:
    """Return what to ask so that a part decodes its own pictures, and they count as they should.

    Returns:
        The same network, weights and all, in which pictures count for as much more as the part
        has a larger share of them than of the rows; and the objective of so many pictures.

    """
    if part.processes.count == 1:
        return network, config
    same, branches = copy.copy(network), dict(network.config.branches)
    for modality in network.modalities:
        if modality.encoder is Encoder.IMAGE:
            branch = branches[modality.name]
            more = part.share_of_pictures / part.share
            branches[modality.name] = replace(branch, weight=more * branch.weight)
    same.config = replace(network.config, branches=branches)
    drawn = part.share_of_pictures * part.pictures / part.size
    return same, replace(config, picture_share=drawn)


def figures_of(
    modalities: Sequence[Modality], cost: Objective | None, part: Part
) -> dict[str, float]:
    """Return what a part adds to the figures of a step: `loss`, `kl` and each likelihood."""
    pictures = [m.name for m in modalities if m.encoder is Encoder.IMAGE]
    names = [m.name for m in modalities if m.name not in pictures] + pictures
    if cost is None:
        return dict.fromkeys((LOSS, KL, *names), 0.0)
    found = {LOSS: part.share * cost.loss.item(), KL: part.share * cost.kl.item()}
    for name in names:
        share = part.share_of_pictures if name in pictures else part.share
        found[name] = share * cost.negative_log_likelihood[name].item()
    return found


def add_up(
    processes: Processes, parameters: Sequence[nn.Parameter], figures: Mapping[str, float]
) -> dict[str, float]:
    """Put the sums over all processes in the place of the gradients; return those of figures.

    In one message: being one costs more than its length.
    """
    if processes.count == 1:
        return dict(figures)
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    # What no process has a gradient of must not get one of zeros: an optimiser would decay it.
    has = [float(p.grad is not None) for p in parameters]
    told = torch.tensor([*has, *figures.values()], device=gradients[0].device)
    message = torch.cat([*(g.flatten() for g in gradients), told])
    processes.add_up(message)
    *sums, told = torch.split(message, [*(g.numel() for g in gradients), len(told)])
    there = told[: len(has)].tolist()
    for parameter, gradient, total, found in zip(parameters, gradients, sums, there, strict=True):
        parameter.grad = gradient.copy_(total.view_as(gradient)) if found else None
    return dict(zip(figures, told[len(has) :].tolist(), strict=True))


def _part_of_blanks(blanks: Blanks, here: slice) -> Blanks:
    """Return the pictures of some rows: there is one for each slot, row by row."""
    number = np.cumsum(blanks.where).reshape(blanks.where.shape) - 1
    where = blanks.where[here]
    return Blanks(where, blanks.pictures[number[here][where]])
