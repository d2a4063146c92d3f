"""The ELBO of a network of vectors, or of K at once, layer by layer.

What `objective` computes, in fewer and larger operations than module by module, and than when that
is vectorised over networks: a layer is one product with its bias in it, and all that is decoded is
judged together. What is not the plain network stays with `objective`: see `is_direct`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
import math

from mmvae_controller.modality.spec import Encoder
from mmvae_controller.vae.branches import VectorIn, VectorOut
from mmvae_controller.vae.config import Likelihood
from mmvae_controller.vae.distributions import Distribution, kl_to_prior
from mmvae_controller.vae.encoders import JointEncoder
from mmvae_controller.vae.network import TwoStepVAE
from mmvae_controller.vae.objective import Objective
from mmvae_controller.vae.objective_settings import Kind, ObjectiveConfig
from mmvae_controller.vae.objectives import Sample
import torch
from torch import nn, Tensor
from torch.nn import functional

Parameters = Mapping[str, Tensor]


def is_direct(network: TwoStepVAE, config: ObjectiveConfig) -> bool:
    """Return whether this is for `DirectElbo`: Gaussian vectors, one encoder, one latent."""
    plain = config.kind is Kind.ELBO and network.config.hierarchy is None
    gaussian = all(
        m.encoder is Encoder.VECTOR
        and network.config.branches[m.name].likelihood is Likelihood.GAUSSIAN
        for m in network.modalities
    )
    return plain and gaussian and isinstance(network.encoder, JointEncoder)


class DirectElbo:
    """What a batch costs; of K networks everything has K as its first dimension."""

    def __init__(self, network: TwoStepVAE, config: ObjectiveConfig, device: torch.device) -> None:
        """Take the architecture from a network."""
        assert isinstance(network.encoder, JointEncoder)
        self.network, self.encoder = network, network.encoder
        self.names = [m.name for m in network.modalities]
        self.power = config.variance_power
        sizes = [network.config.steps * m.size for m in network.modalities]
        branches = [network.config.branches[n] for n in self.names]
        pairs = list(zip(branches, sizes, strict=True))
        weights = [b.weight for b, size in pairs for _ in range(size)]
        floors = [math.log(b.variance_floor) for b, size in pairs for _ in range(size)]
        self.weights, self.log_floors = (torch.tensor(v, device=device) for v in (weights, floors))
        self.ends = torch.cumsum(torch.tensor(sizes), 0).tolist()

    def __call__(
        self, parameters: Parameters, sample: Sample, noise: Tensor, kl_weight: float | Tensor
    ) -> Objective:
        """Return the cost and its parts.

        Args:
            parameters: By the name that the network gives them.
            sample: The batch `(B, ...)`.
            noise: Standard normal `(B, Z)`.
            kl_weight: From the KL schedule.

        """
        posterior = self._encode(parameters, sample)
        mean, log_variance = self._decode(parameters, posterior.at(noise))
        target = torch.cat([sample.targets[n].flatten(-2) for n in self.names], dim=-1)
        counts = None
        if not sample.whole:
            counts = self._counts(sample)
            target = torch.where(counts, target, 0.0)
        # Spelt out in full: of a row that is repeated, PyTorch takes one number at a time.
        floors = self.log_floors.expand_as(log_variance).clone()
        log_variance = torch.logaddexp(log_variance, floors)
        nll = Distribution(mean, log_variance).nll(target)
        if counts is not None:
            nll = torch.where(counts, nll, 0.0)
        divergence = kl_to_prior(posterior).sum(dim=-1).mean(dim=-1)
        per_number = nll.mean(dim=-2)
        weighted = per_number
        if self.power:
            weighted = (torch.exp(self.power * log_variance.detach()) * nll).mean(dim=-2)
        loss = kl_weight * divergence + weighted @ self.weights
        return Objective(loss, divergence, self._by_modality(per_number.detach()))

    def _encode(self, parameters: Parameters, sample: Sample) -> Distribution:
        features, read = [], {}
        for row, name in enumerate(self.names):
            branch, known = self.encoder.branches[name], sample.known[..., row, :]
            assert isinstance(branch, VectorIn)
            seen = torch.where(known[..., None] > 0, sample.shown[name], branch.fill).flatten(-2)
            read[name] = torch.cat([seen, known], dim=-1) if branch.presence else seen
            where = f'encoder.branches.{name}.layers'
            features.append(_layers(parameters, where, branch.layers, read[name]))
        hidden = torch.cat(features, dim=-1)
        hidden = _layers(parameters, 'encoder.shared', self.encoder.shared, hidden)
        # From here on in 32 bits, whatever matrices are multiplied in.
        head = _linear(parameters, 'encoder.head', hidden).float()
        mean, log_variance = head.chunk(2, dim=-1)
        for name in self.encoder.straight:
            mean = mean + read[name] @ parameters[f'encoder.straight.{name}.weight'].mT
        anything = (sample.known.flatten(-2).amax(dim=-1, keepdim=True) > 0).to(mean.dtype)
        return Distribution(mean * anything, log_variance * anything)

    def _decode(self, parameters: Parameters, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and unbounded log-variance `(B, D)` of all numbers of all modalities."""
        trunk = _layers(parameters, 'shared_out', self.network.shared_out, latent)
        means, rests = [], []
        for name, own in zip(self.names, self._trunks(trunk), strict=True):
            branch, where = self.network.branches_out[name], f'branches_out.{name}'
            assert isinstance(branch, VectorOut)
            hidden = _layers(parameters, f'{where}.layers', branch.layers, own)
            mean, rest = _linear(parameters, f'{where}.head', hidden).chunk(2, dim=-1)
            if branch.straight is not None:
                mean = mean + latent @ parameters[f'{where}.straight.weight'].mT
            means.append(mean)
            rests.append(rest)
        return torch.cat(means, dim=-1).float(), torch.cat(rests, dim=-1).float()

    def _trunks(self, trunk: Tensor) -> Sequence[Tensor]:
        """Return what each branch reads: the whole, or its own part."""
        own = [self.network.config.branches[n].trunk for n in self.names]
        return torch.split(trunk, own, dim=-1) if any(own) else [trunk] * len(own)

    def _counts(self, sample: Sample) -> Tensor:
        """Return `(B, D)` which numbers count."""
        there = [
            sample.present[n][..., None].expand_as(sample.targets[n]).flatten(-2)
            for n in self.names
        ]
        return torch.cat(there, dim=-1)

    def _by_modality(self, per_number: Tensor) -> dict[str, Tensor]:
        parts = torch.tensor_split(per_number, self.ends[:-1], dim=-1)
        return {n: part.sum(dim=-1) for n, part in zip(self.names, parts, strict=True)}


def _linear(parameters: Parameters, name: str, value: Tensor) -> Tensor:
    weight, bias = parameters[f'{name}.weight'], parameters[f'{name}.bias']
    if weight.dim() == 2:
        return functional.linear(value, weight, bias)
    return torch.baddbmm(bias[:, None], value, weight.mT)


def _layers(
    parameters: Parameters, name: str, layers: Iterable[nn.Module], value: Tensor
) -> Tensor:
    for number, layer in enumerate(layers):
        if isinstance(layer, nn.Linear):
            value = _linear(parameters, f'{name}.{number}', value)
        else:
            # A product does not need what came out of it: half the memory to go through.
            value = torch.relu_(value) if isinstance(layer, nn.ReLU) else layer(value)
    return value
