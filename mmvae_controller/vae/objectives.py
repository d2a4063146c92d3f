"""The objectives of the family: what a batch costs a network, whichever its fusion.

All are minimised: each is the negative of what its paper maximises.

    elbo      -E_q log p(all | z) + KL(q(z | known) || p(z)); JMVAE where nothing is masked
              (Suzuki, Nakayama and Matsuo 2016, arXiv 1611.01891); with a hierarchy JMVAE-h
    jmvae_kl  the same for what is complete, + alpha * sum KL(q(z | all) || q(z | subset))
    mvae      the sum of the ELBOs of everything, of each modality alone and/or of a drawn subset,
              each of what it was shown (Wu and Goodman 2018, arXiv 1802.05335, equation 6)
    mvtcae    -(M - alpha)/M E_q log p(all | z) + beta (KL(q(z | all) || p(z)) (1 - alpha)
              + alpha/M sum KL(q(z | all) || q(z | one)))    (Hwang et al. 2021, NeurIPS)

The weight of the KL schedule is that of every KL to the prior, and the beta of mvtcae.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mmvae_controller.modality.spec import Encoder
from mmvae_controller.vae.distributions import Decoded, Distribution, kl, product
from mmvae_controller.vae.encoders import ExpertsEncoder, SubsetEncoder
from mmvae_controller.vae.network import TwoStepVAE
from mmvae_controller.vae.objective import Objective, weighted_elbo
from mmvae_controller.vae.objective_settings import Kind, ObjectiveConfig, Subsets
import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Sample:
    """What a network is shown, and what it should say.

    Args:
        shown: By modality, `(B, S, *shape)` normalised.
        known: `(B, M, S)` float, 1 where the encoder may look.
        targets: Like `shown`.
        present: By modality, `(B, S)` bool, whether a target counts. Where it does, what is
            shown is no hole either: objectives that ask about everything look there.
        whole: Whether every target is known to count, which saves looking for those that do not.

    """

    shown: Mapping[str, Tensor]
    known: Tensor
    targets: Mapping[str, Tensor]
    present: Mapping[str, Tensor]
    whole: bool = False


def noise_sizes(network: TwoStepVAE) -> tuple[int, ...]:
    """Return the size of each latent that an objective draws, z_1 first."""
    return (network.config.latent, *network.prior.upper_sizes)


def objective(
    network: TwoStepVAE,
    config: ObjectiveConfig,
    sample: Sample,
    noise: Sequence[Tensor],
    kl_weight: float | Tensor,
) -> Objective:
    """Return what a batch costs.

    Args:
        network: In training.
        config: Which objective.
        sample: The batch.
        noise: Standard normal `(B, size)` for each of `noise_sizes`.
        kl_weight: From the KL schedule.

    """
    if config.kind is Kind.JMVAE_KL:
        return _jmvae_kl(network, config, sample, noise, kl_weight)
    if config.kind is Kind.MVAE:
        return _mvae(network, config, sample, noise, kl_weight)
    if config.kind is Kind.MVTCAE:
        return _mvtcae(network, config, sample, noise, kl_weight)
    posterior = network.encode(sample.shown, sample.known)
    return _elbo(network, config, sample, posterior, noise, kl_weight)


def _elbo(
    network: TwoStepVAE,
    config: ObjectiveConfig,
    sample: Sample,
    posterior: Distribution,
    noise: Sequence[Tensor],
    kl_weight: float | Tensor,
) -> Objective:
    latent = posterior.at(noise[0])
    divergence = network.prior.divergence(posterior, latent, noise[1:])
    targets, present = dict(sample.targets), {} if sample.whole else dict(sample.present)
    decoded = _decode(network, config, latent, targets, present)
    weights = {n: b.weight for n, b in network.config.branches.items()}
    return weighted_elbo(
        targets, present, decoded, divergence, weights, kl_weight, config.variance_power
    )


def _decode(
    network: TwoStepVAE,
    config: ObjectiveConfig,
    latent: Tensor,
    targets: dict[str, Tensor],
    present: dict[str, Tensor],
) -> dict[str, Decoded]:
    """Decode everything; of pictures a share, to which their targets are cut as well."""
    pictures = [m.name for m in network.modalities if m.encoder is Encoder.IMAGE]
    decoded = network.decode(latent, [n for n in targets if n not in pictures])
    if pictures:
        # Drawing pictures costs more than all the rest: only some rows do, and count for more.
        drawn = slice(0, max(1, round(len(latent) * config.picture_share)))
        decoded |= network.decode(latent[drawn], pictures)
        for name in pictures:
            targets[name] = targets[name][drawn]
            if name in present:
                present[name] = present[name][drawn]
    return decoded


def _complete(network: TwoStepVAE, sample: Sample) -> Tensor:
    """Return the mask `(B, M, S)` of everything the data has."""
    there = [sample.present[m.name] for m in network.modalities]
    return torch.stack(there, dim=1).to(sample.known.dtype)


def _subsets(config: ObjectiveConfig, sample: Sample, complete: Tensor) -> list[Tensor]:
    """Return masks `(B, M, S)`."""
    rows = complete.shape[1]
    chosen = torch.eye(rows, dtype=complete.dtype, device=complete.device)
    alone = [complete * one[None, :, None] for one in chosen]
    if config.subsets is Subsets.ALONE:
        return alone
    return [sample.known] if config.subsets is Subsets.DRAWN else [*alone, sample.known]


def _jmvae_kl(
    network: TwoStepVAE,
    config: ObjectiveConfig,
    sample: Sample,
    noise: Sequence[Tensor],
    kl_weight: float | Tensor,
) -> Objective:
    assert isinstance(network.encoder, SubsetEncoder)
    complete = _complete(network, sample)
    posterior = network.encode(sample.shown, complete)
    found = _elbo(network, config, sample, posterior, noise, kl_weight)
    loss = found.loss
    for known in _subsets(config, sample, complete):
        apart = kl(posterior, network.encoder.subset(sample.shown, known)).sum(dim=1)
        # A subset of nothing is N(0, I), which no encoder can bring closer; one of everything is
        # the joint posterior, and no distance from itself.
        proper = known.flatten(1).amax(dim=1) * (1 - known.flatten(1).amin(dim=1))
        loss = loss + config.alpha * (apart * proper).mean()
    return replace(found, loss=loss)


def _mvae(
    network: TwoStepVAE,
    config: ObjectiveConfig,
    sample: Sample,
    noise: Sequence[Tensor],
    kl_weight: float | Tensor,
) -> Objective:
    complete = _complete(network, sample)
    posterior = network.encode(sample.shown, complete)
    found = _elbo(network, config, sample, posterior, noise, kl_weight)
    loss = found.loss
    for known in _subsets(config, sample, complete):
        seen = {
            m.name: sample.present[m.name] & (known[:, row] > 0)
            for row, m in enumerate(network.modalities)
        }
        part = replace(sample, present=seen, whole=False)
        posterior = network.encode(sample.shown, known)
        loss = loss + _elbo(network, config, part, posterior, noise, kl_weight).loss
    return replace(found, loss=loss)


def _mvtcae(
    network: TwoStepVAE,
    config: ObjectiveConfig,
    sample: Sample,
    noise: Sequence[Tensor],
    kl_weight: float | Tensor,
) -> Objective:
    assert isinstance(network.encoder, ExpertsEncoder)
    count, alpha = len(network.modalities), config.alpha
    experts, present = network.encoder.experts(sample.shown, _complete(network, sample))
    posterior = product(experts, present, prior=network.encoder.prior)
    apart = [
        (kl(posterior, expert).sum(dim=1) * there[:, 0]).mean()
        for expert, there in zip(experts, present, strict=True)
    ]
    found = _elbo(network, config, sample, posterior, noise, kl_weight=0.0)
    divergence = (1 - alpha) * found.kl + alpha / count * torch.stack(apart).sum()
    return replace(found, loss=(count - alpha) / count * found.loss + kl_weight * divergence)
