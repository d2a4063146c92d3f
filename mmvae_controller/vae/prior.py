"""The prior of the latent: N(0, I), or a hierarchy above z_1 as in JMVAE-h.

    p(z_L) p(z_{L-1} | z_L) ... p(z_1 | z_2)        generative, top-down
    q(z_2 | z_1), q(z_3 | z_2), ...                 inference, bottom-up

After Suzuki, Nakayama and Matsuo 2018, "Improving bi-directional generation between different
modalities with variational autoencoders" (arXiv 1801.08702), equation for JMVAE-h.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from mmvae_controller.vae.blocks import mlp
from mmvae_controller.vae.config import Activation, Hierarchy, NetworkConfig, Reading
from mmvae_controller.vae.distributions import Distribution, kl, kl_to_prior, standard_normal
import torch
from torch import nn, Tensor

Noise = Sequence[Tensor]


class StandardPrior(nn.Module):
    """N(0, I) over the one latent."""

    upper_sizes: tuple[int, ...] = ()

    def divergence(self, posterior: Distribution, latent: Tensor, noise: Noise) -> Tensor:
        """Return KL(q || p) `(B,)`; the sample and the noise are not needed."""
        return kl_to_prior(posterior).sum(dim=1)

    def log_ratio(self, posterior: Distribution, latent: Tensor, noise: Noise) -> Tensor:
        """Return log p(z) - log q(z) of a sample of the posterior, `(B,)`."""
        return standard_normal(latent).log_prob(latent) - posterior.log_prob(latent)

    def sample(self, noise: Noise) -> Tensor:
        """Return z, given standard normal noise `(B, Z)`."""
        return noise[0]

    def round_trip(self, posterior: Distribution, latent: Tensor, noise: Noise) -> Tensor:
        """Return the latent as it is: there is nothing above it."""
        return latent


class GaussianLayer(nn.Module):
    """A Gaussian over one latent given its neighbour's value."""

    def __init__(self, below: int, hidden: Sequence[int], size: int, act: Activation) -> None:
        """Build it."""
        super().__init__()
        self.layers = mlp([below, *hidden], act)
        self.head = nn.Linear((below, *hidden)[-1], 2 * size)

    def forward(self, value: Tensor) -> Distribution:
        """Return mean and log-variance `(B, size)`."""
        mean, log_variance = self.head(self.layers(value)).chunk(2, dim=-1)
        return Distribution(mean, log_variance)


class HierarchicalPrior(nn.Module):
    """Latents z_2 ... z_L above z_1; noise is one standard normal `(B, size)` for each."""

    def __init__(self, latent: int, hierarchy: Hierarchy, activation: Activation) -> None:
        """Build the networks up and down."""
        super().__init__()
        self.reading = hierarchy.reading
        self.upper_sizes = hierarchy.latents
        sizes = pairwise((latent, *hierarchy.latents))
        ups, downs = [], []
        for below, above in sizes:
            ups.append(GaussianLayer(below, hierarchy.hidden, above, activation))
            downs.append(GaussianLayer(above, hierarchy.hidden, below, activation))
        self.up, self.down = nn.ModuleList(ups), nn.ModuleList(downs)

    def climb(
        self, posterior: Distribution, latent: Tensor, noise: Noise
    ) -> tuple[list[Distribution], list[Tensor]]:
        """Return q of every level, z_1 first, and a sample of each."""
        levels, samples = [posterior], [latent]
        for layer, draw in zip(self.up, noise, strict=True):
            deterministic = self.reading is Reading.DETERMINISTIC
            levels.append(layer(levels[-1].mean if deterministic else samples[-1]))
            samples.append(levels[-1].at(draw))
        return levels, samples

    def divergence(self, posterior: Distribution, latent: Tensor, noise: Noise) -> Tensor:
        """Return the part of the negative ELBO that is not reconstruction, `(B,)`.

        Deterministic: sum_l E_{q(z_{l+1})} KL(q(z_l) || p(z_l | z_{l+1})) + KL(q(z_L) || p(z_L)).
        Sampled: q(z_{l+1} | z_l) depends on the sample, so the expectation over z_l is one of
        -log p(z_l | z_{l+1}) - H(q(z_l)); an estimate may then be below 0.
        """
        levels, samples = self.climb(posterior, latent, noise)
        total = kl_to_prior(levels[-1]).sum(dim=1)
        for level, layer in enumerate(self.down):
            from_above = layer(samples[level + 1])
            if self.reading is Reading.DETERMINISTIC:
                total = total + kl(levels[level], from_above).sum(dim=1)
            else:
                entropy = _entropy(levels[level])
                total = total - from_above.log_prob(samples[level]) - entropy
        return total

    def log_ratio(self, posterior: Distribution, latent: Tensor, noise: Noise) -> Tensor:
        """Return log p(z_1 ... z_L) - log q(z_1 ... z_L) of a sample, `(B,)`."""
        levels, samples = self.climb(posterior, latent, noise)
        total = standard_normal(samples[-1]).log_prob(samples[-1])
        for level, layer in enumerate(self.down):
            total = total + layer(samples[level + 1]).log_prob(samples[level])
        for q, z in zip(levels, samples, strict=True):
            total = total - q.log_prob(z)
        return total

    def sample(self, noise: Noise) -> Tensor:
        """Return z_1 from the top, given noise for z_1, z_2, ... z_L."""
        latent = noise[-1]
        for layer, draw in zip(reversed(self.down), reversed(noise[:-1]), strict=True):
            latent = layer(latent).at(draw)
        return latent

    def round_trip(self, posterior: Distribution, latent: Tensor, noise: Noise) -> Tensor:
        """Return z_1 after going up by q and down by p; noise for up, then for down."""
        ups, downs = noise[: len(self.up)], noise[len(self.up) :]
        latent = self.climb(posterior, latent, ups)[1][-1]
        for layer, draw in zip(reversed(self.down), downs, strict=True):
            latent = layer(latent).at(draw)
        return latent


Prior = StandardPrior | HierarchicalPrior


def prior(config: NetworkConfig) -> Prior:
    """Return the prior that a configuration asks for."""
    if config.hierarchy is None:
        return StandardPrior()
    return HierarchicalPrior(config.latent, config.hierarchy, config.activation)


def _entropy(q: Distribution) -> Tensor:
    """Return the entropy of a Gaussian, `(B,)`."""
    # -log q at its mean is half the quadratic form's expectation short of it.
    at_mean = -q.log_prob(q.mean)
    return at_mean + 0.5 * torch.full_like(at_mean, q.mean.shape[-1])
