"""The branches of the network: one modality's way in and its way out."""

from __future__ import annotations

import math

from mmvae_controller.modality.normaliser import Normaliser
from mmvae_controller.modality.observation import CURRENT, PREVIOUS
from mmvae_controller.modality.spec import Encoder, Modality
from mmvae_controller.vae.blocks import ImageDecoder, ImageEncoder, mlp
from mmvae_controller.vae.config import Likelihood, NetworkConfig
from mmvae_controller.vae.distributions import Bernoulli, Categorical, Decoded, Distribution
import torch
from torch import nn, Tensor

# The convolutions see batches of multiples of this alone: each size is compiled anew.
PICTURES_AT_ONCE = 32
# `(B,)`: in which of V values each of B masks looks; None: mask b looks in values b.
Rows = Tensor | None


class Scaling(nn.Module):
    """The normaliser of a modality inside the network, so that it reads and writes real units."""

    offset: Tensor
    scale: Tensor

    def __init__(self, modality: Modality, normaliser: Normaliser) -> None:
        """Hold offset and scale; they are part of the contract, not of the weights."""
        super().__init__()
        for name in ('offset', 'scale'):
            numbers = torch.tensor(getattr(normaliser, name))
            if modality.encoder is Encoder.IMAGE and len(numbers) > 1:
                # A row of the picture long: to repeat three numbers is slow in onnxruntime.
                numbers = numbers.expand(modality.shape[1], -1).clone()
            self.register_buffer(name, numbers, persistent=False)

    def normalise(self, value: Tensor) -> Tensor:
        """Return a value in the unit of the network."""
        return (value.float() - self.offset) / self.scale

    def restore(self, normalised: Tensor) -> Tensor:
        """Return a value in its own unit."""
        return normalised * self.scale + self.offset


class VectorIn(nn.Module):
    """From every time step of a vector, and their mask, to features."""

    def __init__(self, modality: Modality, config: NetworkConfig) -> None:
        """Build it."""
        super().__init__()
        self.fill, self.presence = config.fill, config.presence
        self.inputs = config.steps * (modality.size + int(config.presence))
        widths = config.branches[modality.name].encoder
        self.layers = mlp([self.inputs, *widths], config.activation)
        self.features = (self.inputs, *widths)[-1]

    def read(self, normalised: Tensor, known: Tensor, rows: Rows = None) -> Tensor:
        """Return what may be seen `(B, inputs)` of `(V, S, D)` and `(B, S)`; see `Rows`."""
        if rows is not None:
            normalised = normalised[rows]
        # where, not a product: a masked slot may hold NaN, and NaN times zero is NaN.
        seen = torch.where(known[:, :, None] > 0, normalised, self.fill).flatten(1)
        return torch.cat([seen, known], dim=1) if self.presence else seen

    def forward(self, normalised: Tensor, known: Tensor, rows: Rows = None) -> Tensor:
        """Return features `(B, F)` from `(V, S, D)` and `(B, S)`; masked values are not seen."""
        features: Tensor = self.layers(self.read(normalised, known, rows))
        return features


class ImageIn(nn.Module):
    """From every time step of a picture, and their mask, to features."""

    def __init__(self, modality: Modality, config: NetworkConfig) -> None:
        """Build it; all time steps go through the same convolutions."""
        super().__init__()
        self.steps = config.steps
        height, width, colours = modality.shape
        channels = config.branches[modality.name].encoder
        self.encoder = ImageEncoder((height, width, colours), channels, config.activation)
        self.features = self.steps * (self.encoder.features + 1)
        self.motion = config.branches[modality.name].motion
        if self.motion:
            self.features += self.encoder.places

    def forward(self, normalised: Tensor, known: Tensor, rows: Rows = None) -> Tensor:
        """Return features `(B, F)` from `(V, S, H, W, C)` and `(B, S)`.

        In use each picture is looked at once, however many masks it is read under.
        """
        pictures = normalised.flatten(0, 1).permute(0, 3, 1, 2)
        visible = known > 0
        if self.training and rows is None:
            features = self._look_at_visible(pictures, visible.flatten())
            features = features.reshape(*known.shape, -1)
        else:
            if rows is None:
                pictures = torch.where(visible.flatten()[:, None, None, None], pictures, 0.0)
            features = self.encoder(pictures).reshape(-1, self.steps, self.encoder.features)
            if rows is not None:
                features = features[rows]
            features = torch.where(visible[:, :, None], features, 0.0)
        parts = [features.flatten(1), known]
        if self.motion:
            places = features[:, :, : self.encoder.places]
            both = visible.all(dim=1, keepdim=True)
            parts.append(self.motion * both * (places[:, CURRENT] - places[:, PREVIOUS]))
        return torch.cat(parts, dim=1)

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
    """From the decoded trunk to the distribution of `(B, S, D)`."""

    def __init__(self, modality: Modality, config: NetworkConfig, trunk: int) -> None:
        """Build it for as many numbers of the trunk."""
        super().__init__()
        branch = config.branches[modality.name]
        self.layers = mlp([trunk, *branch.decoder], config.activation)
        self.likelihood, self.variance_floor = branch.likelihood, branch.variance_floor
        self.shape = (config.steps, modality.size)
        size = config.steps * modality.size
        gaussian = branch.likelihood is Likelihood.GAUSSIAN
        self.head = nn.Linear((trunk, *branch.decoder)[-1], 2 * size if gaussian else size)
        self.straight = nn.Linear(config.latent, size, bias=False) if config.straight else None

    def forward(self, trunk: Tensor, latent: Tensor) -> Decoded:
        """Return what is decoded."""
        raw = self.head(self.layers(trunk))
        size = self.shape[0] * self.shape[1]
        mean, rest = raw[:, :size], raw[:, size:]
        if self.straight is not None:
            mean = mean + self.straight(latent)
        return decoded(
            self.likelihood,
            mean.unflatten(1, self.shape),
            rest.unflatten(1, self.shape) if rest.shape[1] else None,
            self.variance_floor,
        )


class ImageOut(nn.Module):
    """From the decoded trunk to the distribution of `(B, S, H, W, C)`."""

    def __init__(self, modality: Modality, config: NetworkConfig, trunk: int) -> None:
        """Build it; all time steps go through the same convolutions."""
        super().__init__()
        self.steps = config.steps
        height, width, colours = modality.shape
        branch = config.branches[modality.name]
        self.split = mlp([trunk, self.steps * trunk], config.activation)
        self.decoder = ImageDecoder(
            trunk, (height, width, colours), branch.decoder, config.activation
        )
        self.likelihood, self.variance_floor = branch.likelihood, branch.variance_floor

    def forward(self, trunk: Tensor, latent: Tensor) -> Decoded:
        """Return what is decoded; there is no straight way to a picture."""
        per_step = self.split(trunk).unflatten(1, (self.steps, -1)).flatten(0, 1)
        mean, rest = self.decoder(per_step)
        whole = (self.steps, *mean.shape[1:])
        return decoded(
            self.likelihood,
            mean.reshape(-1, *whole),
            rest.reshape(-1, *whole),
            self.variance_floor,
        )


def branch_in(modality: Modality, config: NetworkConfig) -> VectorIn | ImageIn:
    """Return the way in for a modality."""
    return (ImageIn if modality.encoder is Encoder.IMAGE else VectorIn)(modality, config)


def branch_out(modality: Modality, config: NetworkConfig, trunk: int) -> VectorOut | ImageOut:
    """Return the way out for a modality, from as many numbers of the trunk."""
    kind = ImageOut if modality.encoder is Encoder.IMAGE else VectorOut
    return kind(modality, config, trunk)


def decoded(
    likelihood: Likelihood, raw: Tensor, raw_log_variance: Tensor | None, floor: float
) -> Decoded:
    """Return what the last layer's numbers stand for."""
    if likelihood is Likelihood.BERNOULLI:
        return Bernoulli(raw)
    if likelihood is Likelihood.CATEGORICAL:
        return Categorical(raw)
    assert raw_log_variance is not None
    return Distribution(raw, floored(raw_log_variance, floor))


def floored(log_variance: Tensor, floor: float) -> Tensor:
    """Return log(exp(a) + floor), computed without overflow."""
    return torch.logaddexp(log_variance, torch.full_like(log_variance, math.log(floor)))
