"""The branches of the network: one modality's way in and its way out."""

from __future__ import annotations

import math

from mmvae_controller.modality.normaliser import Normaliser
from mmvae_controller.modality.observation import STEPS
from mmvae_controller.modality.spec import Encoder, Modality
from mmvae_controller.vae.blocks import ImageDecoder, ImageEncoder, mlp
from mmvae_controller.vae.config import Activation, BranchConfig
import torch
from torch import nn, Tensor

# The convolutions see batches of multiples of this alone: each size is compiled anew.
PICTURES_AT_ONCE = 32


class Scaling(nn.Module):
    """The normaliser of a modality inside the network, so that it reads and writes real units."""

    offset: Tensor
    scale: Tensor

    def __init__(self, normaliser: Normaliser) -> None:
        """Hold offset and scale; they are part of the contract, not of the weights."""
        super().__init__()
        self.register_buffer('offset', torch.tensor(normaliser.offset), persistent=False)
        self.register_buffer('scale', torch.tensor(normaliser.scale), persistent=False)

    def normalise(self, value: Tensor) -> Tensor:
        """Return a value in the unit of the network."""
        return (value.float() - self.offset) / self.scale

    def restore(self, normalised: Tensor) -> Tensor:
        """Return a value in its own unit."""
        return normalised * self.scale + self.offset


class VectorIn(nn.Module):
    """From both time steps of a vector, and their mask, to features."""

    def __init__(self, modality: Modality, config: BranchConfig, activation: Activation) -> None:
        """Build it."""
        super().__init__()
        self.layers = mlp([STEPS * (modality.size + 1), *config.encoder], activation)
        self.features = config.encoder[-1]

    def forward(self, normalised: Tensor, known: Tensor) -> Tensor:
        """Return features `(B, F)` from `(B, 2, D)` and `(B, 2)`; masked values are not seen."""
        # where, not a product: a masked slot may hold NaN, and NaN times zero is NaN.
        seen = torch.where(known[:, :, None] > 0, normalised, 0.0)
        features: Tensor = self.layers(torch.cat([seen.flatten(1), known], dim=1))
        return features


class ImageIn(nn.Module):
    """From both time steps of a picture, and their mask, to features."""

    def __init__(self, modality: Modality, config: BranchConfig, activation: Activation) -> None:
        """Build it; both time steps go through the same convolutions."""
        super().__init__()
        height, width, colours = modality.shape
        self.encoder = ImageEncoder((height, width, colours), config.encoder, activation)
        self.features = STEPS * (self.encoder.features + 1)

    def forward(self, normalised: Tensor, known: Tensor) -> Tensor:
        """Return features `(B, F)` from `(B, 2, H, W, C)` and `(B, 2)`."""
        pictures = normalised.flatten(0, 1).permute(0, 3, 1, 2)
        visible = known.flatten() > 0
        if self.training:
            features = self._look_at_visible(pictures, visible)
        else:
            shown = torch.where(visible[:, None, None, None], pictures, 0.0)
            features = torch.where(visible[:, None], self.encoder(shown), 0.0)
        return torch.cat([features.reshape(-1, STEPS * self.encoder.features), known], dim=1)

    def _look_at_visible(self, pictures: Tensor, visible: Tensor) -> Tensor:
        """Return features, 0 where masked; what muting hides costs no convolution."""
        features = pictures.new_zeros(len(pictures), self.encoder.features)
        chosen = pictures[visible]
        empty = pictures.new_zeros(-len(chosen) % PICTURES_AT_ONCE, *pictures.shape[1:])
        padded = torch.cat([chosen, empty]).contiguous(memory_format=torch.channels_last)
        if len(padded) == 0:
            return features
        return features.masked_scatter(visible[:, None], self.encoder(padded)[: len(chosen)])


class VectorOut(nn.Module):
    """From the decoded trunk to mean and log-variance `(B, 2, D)`."""

    def __init__(
        self, features: int, modality: Modality, config: BranchConfig, activation: Activation
    ) -> None:
        """Build it."""
        super().__init__()
        self.layers = mlp([features, *config.decoder], activation)
        self.head = nn.Linear(config.decoder[-1], 2 * STEPS * modality.size)
        self.variance_floor = config.variance_floor

    def forward(self, trunk: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance."""
        mean, log_variance = self.head(self.layers(trunk)).chunk(2, dim=1)
        log_variance = floored(log_variance, self.variance_floor)
        shape = (-1, STEPS, mean.shape[1] // STEPS)
        return mean.reshape(shape), log_variance.reshape(shape)


class ImageOut(nn.Module):
    """From the decoded trunk to mean and log-variance `(B, 2, H, W, C)`."""

    def __init__(
        self, features: int, modality: Modality, config: BranchConfig, activation: Activation
    ) -> None:
        """Build it; both time steps go through the same convolutions."""
        super().__init__()
        height, width, colours = modality.shape
        self.split = mlp([features, STEPS * features], activation)
        self.decoder = ImageDecoder(features, (height, width, colours), config.decoder, activation)
        self.variance_floor = config.variance_floor

    def forward(self, trunk: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance."""
        per_step = self.split(trunk).unflatten(1, (STEPS, -1)).flatten(0, 1)
        mean, log_variance = self.decoder(per_step)
        log_variance = floored(log_variance, self.variance_floor)
        shape = (-1, STEPS, *mean.shape[1:])
        return mean.reshape(shape), log_variance.reshape(shape)


def branch_in(modality: Modality, config: BranchConfig, act: Activation) -> VectorIn | ImageIn:
    """Return the way in for a modality."""
    return (ImageIn if modality.encoder is Encoder.IMAGE else VectorIn)(modality, config, act)


def branch_out(
    features: int, modality: Modality, config: BranchConfig, act: Activation
) -> VectorOut | ImageOut:
    """Return the way out for a modality."""
    kind = ImageOut if modality.encoder is Encoder.IMAGE else VectorOut
    return kind(features, modality, config, act)


def floored(log_variance: Tensor, floor: float) -> Tensor:
    """Return log(exp(a) + floor), computed without overflow."""
    return torch.logaddexp(log_variance, torch.full_like(log_variance, math.log(floor)))
