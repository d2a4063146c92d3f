"""What an epoch draws: order, masks, scrambled rows, noise; all from its configuration and number.

Nothing here depends on the model or on earlier epochs. So a resumed run draws what the
uninterrupted one would have, and a model trained together with others what it would have alone.
Scrambling and input noise have generators of their own: with or without them, order, masks and
latent noise are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
import math

from mmvae_controller.datasets.spans import Spans
from mmvae_controller.modality.observation import Mask, STEPS
from mmvae_controller.modality.spec import Encoder, Modality
from mmvae_controller.training.ageing import draw_ages
from mmvae_controller.training.blanking import Blanks, draw_blanks
from mmvae_controller.training.config import TrainingConfig
from mmvae_controller.training.order import batches_of_places, Order
from mmvae_controller.training.scrambling import draw_scramble, Scramble
from mmvae_controller.training.windows import Rows
from mmvae_controller.vae.config import NetworkConfig
import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

LARGEST_TORCH_SEED = 2**62
# Beside seed and epoch; not 0, which NumPy's seeds do not tell from nothing.
AUGMENTING = 1
AGEING = 2
BLANKING = 3
ORDERING = 4


@dataclass(frozen=True, slots=True, eq=False)
class StepDraws:
    """What one step draws; on the CPU, wherever the model is.

    Args:
        rows: `(B,)` of the data set.
        mask: `(B, M, 2)` what muting leaves to the encoder; the data may lack more.
        scramble: Which rows are put together from others; None where none is.
        latent_noise: Standard normal `(B, Z)` for each latent, z_1 first.
        input_noise: `(B, 2, D)` by vector modality, in normalised units; empty without noise.
        ages_s: `(B, M)` by how much what is shown is older; None where nothing is.
        blanks: By image, which pictures show nothing.

    """

    rows: Rows
    mask: Mask
    scramble: Scramble | None
    latent_noise: tuple[Tensor, ...]
    input_noise: Mapping[str, Tensor]
    ages_s: NDArray[np.float64] | None = None
    blanks: Mapping[str, Blanks] = field(default_factory=dict)


def steps_per_epoch(config: TrainingConfig, count: int) -> int:
    """Return in how many steps `count` training rows are shown."""
    return math.ceil(count * config.passes / config.batch_size)


def epoch_draws(
    config: TrainingConfig,
    modalities: Sequence[Modality],
    patterns: Mapping[str, Mask],
    rows: Rows | Spans,
    epoch: int,
) -> Iterator[StepDraws]:
    """Draw the steps of an epoch, one by one.

    Args:
        config: Its seed, order, batch size, passes, muting, latent sizes and all that augments
            decide.
        modalities: In the order of the mask rows.
        patterns: The named masks of the data.
        rows: Those to train on.
        epoch: Counted from 0.

    """
    random = np.random.default_rng([config.seed, epoch])
    noise = _torch_generator(random)
    own = _OwnStreams(config.seed, epoch)
    ordering = random if config.order is Order.ROWS else own.ordering
    batches = batches_of_places(
        config.order, len(rows), config.passes, config.batch_size, ordering
    )
    latents = _latent_sizes(config.network)
    for places in batches:
        batch = rows[places]
        mask = config.muting.draw(modalities, len(batch), random, patterns)
        scramble = None
        if config.scramble > 0:
            scramble = draw_scramble(
                len(modalities), len(batch), config.scramble, own.augmenting[0]
            )
        latent = tuple(torch.randn((len(batch), z), generator=noise) for z in latents)
        inputs = {}
        if config.noise > 0:
            inputs = _input_noise(config.noise, modalities, len(batch), own.augmenting[1])
        ages_s = None
        if config.stale:
            ages_s = draw_ages(config.stale, modalities, len(batch), own.ageing)
        blanks = {}
        if config.blank:
            blanks = draw_blanks(config.blank, modalities, len(batch), own.blanking)
        yield StepDraws(batch, mask, scramble, latent, inputs, ages_s, blanks)


class _OwnStreams:
    """Generators of what most trainings do without: made when they are first asked for."""

    def __init__(self, seed: int, epoch: int) -> None:
        self._seed, self._epoch = seed, epoch

    @cached_property
    def augmenting(self) -> tuple[np.random.Generator, torch.Generator]:
        """Of scrambled rows and of input noise; the seed of the latter is drawn first."""
        random = self._stream(AUGMENTING)
        return random, _torch_generator(random)

    @cached_property
    def ageing(self) -> np.random.Generator:
        return self._stream(AGEING)

    @cached_property
    def blanking(self) -> np.random.Generator:
        return self._stream(BLANKING)

    @cached_property
    def ordering(self) -> np.random.Generator:
        return self._stream(ORDERING)

    def _stream(self, number: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, self._epoch, number])


def _torch_generator(random: np.random.Generator) -> torch.Generator:
    return torch.Generator().manual_seed(int(random.integers(LARGEST_TORCH_SEED)))


def _latent_sizes(network: NetworkConfig) -> tuple[int, ...]:
    upper = network.hierarchy.latents if network.hierarchy else ()
    return (network.latent, *upper)


def _input_noise(
    std: float, modalities: Sequence[Modality], count: int, generator: torch.Generator
) -> dict[str, Tensor]:
    vectors = [m for m in modalities if m.encoder is Encoder.VECTOR]
    return {
        m.name: std * torch.randn((count, STEPS, *m.shape), generator=generator) for m in vectors
    }
