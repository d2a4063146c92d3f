"""The evidence lower bound with weights, and its parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import math

from mmvae_controller.vae.network import Distribution
import torch
from torch import Tensor

LOG_2_PI = math.log(2 * math.pi)


@dataclass(frozen=True, slots=True)
class Objective:
    """What is minimised, and what it is made of: scalars, means over the batch, in nats."""

    loss: Tensor
    kl: Tensor
    negative_log_likelihood: Mapping[str, Tensor]


def gaussian_nll(target: Tensor, decoded: Distribution) -> Tensor:
    """Return -log N(target; mean, variance), element by element."""
    error = (target - decoded.mean) ** 2 * (-decoded.log_variance).exp()
    return 0.5 * (LOG_2_PI + decoded.log_variance + error)


def kl_to_prior(posterior: Distribution) -> Tensor:
    """Return KL(q || N(0, I)) of each sample and dimension, `(B, Z)`; never negative."""
    variance = posterior.log_variance.exp()
    return 0.5 * (posterior.mean**2 + variance - 1 - posterior.log_variance)


def weighted_elbo(
    targets: Mapping[str, Tensor],
    present: Mapping[str, Tensor],
    decoded: Mapping[str, Distribution],
    posterior: Distribution,
    weights: Mapping[str, float],
    kl_weight: float,
) -> Objective:
    """Return the negative ELBO, each modality's likelihood and the KL with its weight.

    Args:
        targets: By modality, `(B, 2, *shape)` normalised.
        present: By modality, `(B, 2)` whether the data has this target at all; not the mask of
            the input: what was masked is to be predicted.
        decoded: By modality, like the targets.
        posterior: `(B, Z)`.
        weights: By modality.
        kl_weight: From the KL schedule.

    """
    kl = kl_to_prior(posterior).sum(dim=1).mean()
    parts = {}
    for name, distribution in decoded.items():
        # A target that the data lacks may be NaN, which zero times its gradient would still be:
        # fill before the likelihood, and not only after.
        there = present[name].reshape(*present[name].shape, *[1] * (targets[name].dim() - 2))
        target = torch.where(there, targets[name], 0.0)
        nll = gaussian_nll(target, distribution).flatten(2).sum(dim=2)
        parts[name] = nll.where(present[name], 0.0).sum() / max(len(nll), 1)
    total = sum(weights[name] * part for name, part in parts.items())
    return Objective(kl_weight * kl + total, kl, parts)
