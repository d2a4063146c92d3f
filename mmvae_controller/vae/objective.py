"""The evidence lower bound with weights, and its parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mmvae_controller.vae.distributions import Decoded, Distribution
import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Objective:
    """What is minimised, and what it is made of: scalars, means over the batch, in nats."""

    loss: Tensor
    kl: Tensor
    negative_log_likelihood: Mapping[str, Tensor]


def weighted_elbo(
    targets: Mapping[str, Tensor],
    present: Mapping[str, Tensor],
    decoded: Mapping[str, Decoded],
    divergence: Tensor,
    weights: Mapping[str, float],
    kl_weight: float | Tensor,
    variance_power: float = 0.0,
) -> Objective:
    """Return the negative ELBO, each modality's likelihood and the KL with its weight.

    Args:
        targets: By modality, `(B, S, *shape)` normalised.
        present: By modality, `(B, S)` whether this target counts, each does where it is left
            out; not the mask of the input: what was masked is to be predicted.
        decoded: By modality, like the targets.
        divergence: `(B,)` of the posterior from the prior, in nats.
        weights: By modality.
        kl_weight: From the KL schedule.
        variance_power: Each Gaussian likelihood counts by its own variance to this power, which
            passes no gradient (Seitzer et al. 2022, arXiv 2203.09168, equation 5). At 0 it is
            the likelihood; at 1 the mean learns as from a squared error, and what is known
            precisely drowns nothing else.

    """
    kl = divergence.mean()
    parts, total = {}, kl_weight * kl
    for name, distribution in decoded.items():
        there = present.get(name)
        nll = distribution.nll(_filled(targets[name], there))
        parts[name] = _over_batch(nll, there)
        if variance_power and isinstance(distribution, Distribution):
            own = torch.exp(variance_power * distribution.log_variance.detach())
            total = total + weights[name] * _over_batch(own * nll, there)
        else:
            total = total + weights[name] * parts[name]
    return Objective(total, kl, parts)


def _filled(target: Tensor, present: Tensor | None) -> Tensor:
    """Return a target without holes.

    One that the data lacks may be NaN, which zero times its gradient would still be: it is filled
    before the likelihood, and not only left out after.
    """
    if present is None:
        return target
    return torch.where(present.reshape(*present.shape, *[1] * (target.dim() - 2)), target, 0.0)


def _over_batch(nll: Tensor, present: Tensor | None) -> Tensor:
    if present is None:
        return nll.sum() / max(len(nll), 1)
    return torch.where(present, nll.flatten(2).sum(dim=2), 0.0).sum() / max(len(nll), 1)
