"""Importance-weighted estimates of log-likelihoods (Burda et al. 2016, arXiv 1509.00519).

    log p(a)     >= E log 1/K sum_k p(a | z_k) p(z_k) / q(z_k)      grows with K, to log p(a)
    log p(a | b)  = log p(a, b) - log p(b)
    generation      log 1/K sum_k p(a | z_k),  z_k drawn from what b alone makes the model believe

The last is what a model really draws when a is missing (Suzuki et al. 2016, section 4.2): an
honest posterior of the joint helps it nothing if its belief from b alone is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import math

from mmvae_controller.vae.distributions import Decoded, Distribution
from mmvae_controller.vae.network import TwoStepVAE
from mmvae_controller.vae.objectives import noise_sizes
import torch
from torch import Tensor

# Of `(B, S, D)`; a picture is `(B, S, H, W, C)`.
VECTOR_RANK = 3


def log_mean_exp(log_weights: Tensor) -> Tensor:
    """Return log 1/K sum exp over the first dimension, `(K, B)` to `(B,)`."""
    return torch.logsumexp(log_weights, dim=0) - math.log(len(log_weights))


def log_likelihood(
    targets: Mapping[str, Tensor], decoded: Mapping[str, Decoded], names: Sequence[str]
) -> Tensor:
    """Return log p(names | z) `(B,)`, summed over their numbers and time steps, in nats."""
    return -torch.stack([decoded[n].nll(targets[n]).flatten(1).sum(dim=1) for n in names]).sum(0)


def log_weights(
    network: TwoStepVAE,
    values: Mapping[str, Tensor],
    known: Tensor,
    scored: Sequence[str],
    samples: int,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return log p(scored, z_k) - log q(z_k | known), `(K, B)`.

    Args:
        network: In evaluation.
        values: By modality, `(B, S, *shape)` normalised.
        known: `(B, M, S)`: what the proposal q may look at.
        scored: The modalities whose joint likelihood is meant.
        samples: K.
        generator: Of the samples.

    """
    posterior = network.encode(values, known)
    found = []
    for _ in range(samples):
        noise = _noise(network, posterior.mean, generator)
        latent = posterior.at(noise[0])
        ratio = network.prior.log_ratio(posterior, latent, noise[1:])
        decoded = network.decode(latent, scored)
        found.append(ratio + log_likelihood(values, decoded, scored))
    return torch.stack(found)


def believe(
    network: TwoStepVAE,
    values: Mapping[str, Tensor],
    known: Tensor,
    rounds: int,
    generator: torch.Generator | None = None,
    through_the_top: bool = False,
) -> Tensor:
    """Return a sample of z_1 `(B, Z)` given what is known, by iterated sampling.

    What is missing is drawn, read again together with what is known, drawn anew: q -> p -> q
    (Suzuki et al. 2018, section 3.2; Rezende et al. 2014, appendix F). 0 rounds ask the encoder
    once, as encoders do that were trained with masks.

    In a hierarchy z_1 is drawn from q as well, so that an exact q leads to p(z_1 | what is known).
    `through_the_top` draws it from p(z_1 | z_2) instead, z_2 from q, in every round: what z_2 does
    not tell is then lost, and with an upper latent that collapsed all that was known.
    """
    posterior = network.encode(values, known)
    latent = _drawn(network, posterior, generator, through_the_top and rounds > 0)
    for _ in range(rounds):
        filled = _filled(network, values, known, latent, generator)
        posterior = network.encode(filled, torch.ones_like(known))
        latent = _drawn(network, posterior, generator, through_the_top)
    return latent


def generation(
    network: TwoStepVAE,
    values: Mapping[str, Tensor],
    known: Tensor,
    scored: Sequence[str],
    samples: int,
    rounds: int = 0,
    generator: torch.Generator | None = None,
    through_the_top: bool = False,
) -> Tensor:
    """Return log 1/K sum_k p(scored | z_k), `(B,)`, z_k drawn from what is known alone."""
    found = []
    for _ in range(samples):
        latent = believe(network, values, known, rounds, generator, through_the_top)
        found.append(log_likelihood(values, network.decode(latent, scored), scored))
    return log_mean_exp(torch.stack(found))


def prior_log_likelihood(
    network: TwoStepVAE,
    targets: Mapping[str, Tensor],
    scored: Sequence[str],
    samples: int,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return log 1/K sum_k p(scored | z_k) `(B,)` with z_k from the prior.

    Precise enough for what has few values, such as a label; for pictures it needs a proposal.
    """
    like = targets[scored[0]].new_empty(samples, network.config.latent)
    noise = _noise(network, like, generator)
    decoded = network.decode(network.prior.sample(noise), scored)
    count = len(targets[scored[0]])
    found = []
    for row in range(count):
        one = {n: targets[n][row : row + 1].expand(samples, *targets[n].shape[1:]) for n in scored}
        found.append(log_mean_exp(log_likelihood(one, decoded, scored)[:, None]))
    return torch.cat(found)


def _drawn(
    network: TwoStepVAE,
    posterior: Distribution,
    generator: torch.Generator | None,
    through_the_top: bool,
) -> Tensor:
    latent = posterior.sample(generator)
    uppers = network.prior.upper_sizes
    if not (through_the_top and uppers):
        return latent
    downs = (*reversed(uppers[:-1]), network.config.latent)
    noise = [
        latent.new_empty(len(latent), size).normal_(generator=generator)
        for size in (*uppers, *downs)
    ]
    return network.prior.round_trip(posterior, latent, noise)


def _filled(
    network: TwoStepVAE,
    values: Mapping[str, Tensor],
    known: Tensor,
    latent: Tensor,
    generator: torch.Generator | None,
) -> dict[str, Tensor]:
    names = [m.name for m in network.modalities]
    decoded = network.decode(latent, names)
    filled = {}
    for row, name in enumerate(names):
        value, drawn = values[name], decoded[name]
        there = known[:, row].reshape(*known.shape[::2], *[1] * (value.dim() - 2)) > 0
        draw = drawn.mean
        # The mean of a picture or a label, as published: drawn pixels are not pictures.
        if value.dim() == VECTOR_RANK and isinstance(drawn, Distribution):
            draw = drawn.sample(generator)
        filled[name] = torch.where(there, value, draw)
    return filled


def _noise(network: TwoStepVAE, like: Tensor, generator: torch.Generator | None) -> list[Tensor]:
    return [
        like.new_empty(len(like), size).normal_(generator=generator)
        for size in noise_sizes(network)
    ]
