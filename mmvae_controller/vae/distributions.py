"""The distributions of a VAE: Gaussian latents, and what a modality may be decoded as."""

from __future__ import annotations

from dataclasses import dataclass
import math

import torch
from torch import Tensor
from torch.nn import functional

LOG_2_PI = math.log(2 * math.pi)


@dataclass(frozen=True, slots=True)
class Distribution:
    """A diagonal Gaussian: mean and log-variance of the same shape."""

    mean: Tensor
    log_variance: Tensor

    @property
    def std(self) -> Tensor:
        """Standard deviation."""
        return torch.exp(0.5 * self.log_variance)

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """Draw by the reparameterisation trick (Kingma and Welling 2014)."""
        return self.at(torch.empty_like(self.mean).normal_(generator=generator))

    def at(self, noise: Tensor) -> Tensor:
        """Return the sample that standard normal noise of the same shape stands for."""
        return self.mean + self.std * noise

    def nll(self, target: Tensor) -> Tensor:
        """Return -log N(target; mean, variance), element by element."""
        error = (target - self.mean) ** 2 * (-self.log_variance).exp()
        return 0.5 * (LOG_2_PI + self.log_variance + error)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the log-density of a latent, summed over its last dimension."""
        return -self.nll(value).sum(dim=-1)


@dataclass(frozen=True, slots=True)
class Bernoulli:
    """Independent numbers in 0..1, as the brightness of a pixel, by their logits."""

    logits: Tensor

    @property
    def mean(self) -> Tensor:
        """Probability of 1."""
        return torch.sigmoid(self.logits)

    @property
    def std(self) -> Tensor:
        """Standard deviation."""
        return _coin_std(self.mean)

    def nll(self, target: Tensor) -> Tensor:
        """Return the cross-entropy, element by element; the target may lie between 0 and 1."""
        return functional.binary_cross_entropy_with_logits(self.logits, target, reduction='none')


@dataclass(frozen=True, slots=True)
class Categorical:
    """One of C classes, as one-hot numbers along the last dimension, by their logits."""

    logits: Tensor

    @property
    def mean(self) -> Tensor:
        """Probability of each class."""
        return torch.softmax(self.logits, dim=-1)

    @property
    def std(self) -> Tensor:
        """Standard deviation of each class's indicator."""
        return _coin_std(self.mean)

    def nll(self, target: Tensor) -> Tensor:
        """Return the cross-entropy by class; its sum over the classes is that of the choice."""
        return -target * torch.log_softmax(self.logits, dim=-1)


Decoded = Distribution | Bernoulli | Categorical


def kl(q: Distribution, p: Distribution) -> Tensor:
    """Return KL(q || p) of each sample and dimension; at least 0, but for rounding."""
    ratio = q.log_variance - p.log_variance
    distance = (q.mean - p.mean) ** 2 * (-p.log_variance).exp()
    return 0.5 * (ratio.exp() + distance - 1 - ratio)


def kl_to_prior(posterior: Distribution) -> Tensor:
    """Return KL(q || N(0, I)) by sample and dimension, `(B, Z)`; at least 0, but for rounding."""
    variance = posterior.log_variance.exp()
    return 0.5 * (posterior.mean**2 + variance - 1 - posterior.log_variance)


def standard_normal(like: Tensor) -> Distribution:
    """Return N(0, I) of some shape."""
    return Distribution(torch.zeros_like(like), torch.zeros_like(like))


def product(experts: list[Distribution], present: list[Tensor], prior: bool) -> Distribution:
    """Return the normalised product of Gaussian experts: precisions add.

    Args:
        experts: Each `(B, Z)`.
        present: Of each expert `(B, 1)`, 1 where it has something to say and 0 where not.
        prior: Whether N(0, I) is one more expert, as in MVAE (Wu and Goodman 2018).

    Returns:
        `(B, Z)`; N(0, I) where no expert is present.

    """
    precisions = [
        there * torch.exp(-e.log_variance) for e, there in zip(experts, present, strict=True)
    ]
    total = torch.stack(precisions).sum(dim=0)
    if prior:
        total = total + 1
    weighted = [p * e.mean for p, e in zip(precisions, experts, strict=True)]
    nobody = torch.stack(present).sum(dim=0) == 0
    total = torch.where(nobody, 1.0, total)
    return Distribution(torch.stack(weighted).sum(dim=0) / total, -torch.log(total))


def _coin_std(probability: Tensor) -> Tensor:
    return torch.sqrt(probability * (1 - probability))
