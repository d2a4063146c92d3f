"""The fusions: from what is known of all modalities to one posterior q(z | what is known)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from mmvae_controller.modality.spec import Modality
from mmvae_controller.vae.blocks import mlp
from mmvae_controller.vae.branches import branch_in, Rows, VectorIn
from mmvae_controller.vae.config import Fusion, NetworkConfig
from mmvae_controller.vae.distributions import Distribution, product
import torch
from torch import nn, Tensor


class Posterior(Protocol):
    """A fusion.

    `normalised` is by modality `(B, S, *shape)`, whose masked slots may hold anything; `known`
    is `(B, M, S)`, 0 where masked and else how fresh, up to 1; `rows`, if given, says in which of
    the values each mask looks. The result is exactly N(0, I) where nothing is known.
    """

    def __call__(
        self, normalised: Mapping[str, Tensor], known: Tensor, rows: Rows = None
    ) -> Distribution:
        """Return mean and log-variance `(B, Z)`."""
        ...


class JointEncoder(nn.Module):
    """One network over all modalities and the mask (Zambelli et al. 2020)."""

    def __init__(self, modalities: Sequence[Modality], config: NetworkConfig) -> None:
        """Build it for some modalities, with their rows of the mask in that order."""
        super().__init__()
        self.names = tuple(m.name for m in modalities)
        branches = {m.name: branch_in(m, config) for m in modalities}
        self.branches = nn.ModuleDict(branches)
        joined = sum(b.features for b in branches.values())
        self.shared = mlp([joined, *config.shared_encoder], config.activation)
        self.head = nn.Linear((joined, *config.shared_encoder)[-1], 2 * config.latent)
        with torch.no_grad():
            self.head.bias[config.latent :] = config.initial_log_variance
        ways = {n: b for n, b in branches.items() if isinstance(b, VectorIn) and config.straight}
        self.straight = nn.ModuleDict(
            {n: nn.Linear(b.inputs, config.latent, bias=False) for n, b in ways.items()}
        )

    def forward(
        self, normalised: Mapping[str, Tensor], known: Tensor, rows: Rows = None
    ) -> Distribution:
        """Return the posterior."""
        features = [
            self.branches[name](normalised[name], known[:, row], rows)
            for row, name in enumerate(self.names)
        ]
        hidden = self.shared(torch.cat(features, dim=1))
        mean, log_variance = self.head(hidden).chunk(2, dim=1)
        for name, way in self.straight.items():
            branch = self.branches[name]
            assert isinstance(branch, VectorIn)
            mask = known[:, self.names.index(name)]
            mean = mean + way(branch.read(normalised[name], mask, rows))
        anything = (known.flatten(1).amax(dim=1, keepdim=True) > 0).to(known.dtype)
        return Distribution(mean * anything, log_variance * anything)


class SubsetEncoder(nn.Module):
    """q(z | x, w) for what is complete and a second network for every subset (JMVAE-kl)."""

    def __init__(self, modalities: Sequence[Modality], config: NetworkConfig) -> None:
        """Build both."""
        super().__init__()
        self.complete = JointEncoder(modalities, config)
        self.subset = JointEncoder(modalities, config)

    def forward(
        self, normalised: Mapping[str, Tensor], known: Tensor, rows: Rows = None
    ) -> Distribution:
        """Return, row by row, what the network in charge says."""
        everything = known.flatten(1).amin(dim=1, keepdim=True) > 0
        whole = self.complete(normalised, known, rows)
        part = self.subset(normalised, known, rows)
        return Distribution(
            torch.where(everything, whole.mean, part.mean),
            torch.where(everything, whole.log_variance, part.log_variance),
        )


class ExpertsEncoder(nn.Module):
    """A Gaussian for each modality, multiplied; a masked modality has nothing to say."""

    def __init__(self, modalities: Sequence[Modality], config: NetworkConfig) -> None:
        """Build an encoder for each modality."""
        super().__init__()
        self.names = tuple(m.name for m in modalities)
        self.prior = config.fusion is Fusion.EXPERTS_AND_PRIOR
        self.each = nn.ModuleDict({m.name: JointEncoder([m], config) for m in modalities})

    def experts(
        self, normalised: Mapping[str, Tensor], known: Tensor, rows: Rows = None
    ) -> tuple[list[Distribution], list[Tensor]]:
        """Return each modality's own posterior, and `(B, 1)` whether it knows anything."""
        posteriors, present = [], []
        for row, name in enumerate(self.names):
            mask = known[:, row : row + 1]
            posteriors.append(self.each[name]({name: normalised[name]}, mask, rows))
            present.append((mask.flatten(1).amax(dim=1, keepdim=True) > 0).to(mask.dtype))
        return posteriors, present

    def forward(
        self, normalised: Mapping[str, Tensor], known: Tensor, rows: Rows = None
    ) -> Distribution:
        """Return the product."""
        return product(*self.experts(normalised, known, rows), prior=self.prior)


Encoders = JointEncoder | SubsetEncoder | ExpertsEncoder


def encoder(modalities: Sequence[Modality], config: NetworkConfig) -> Encoders:
    """Return the fusion that a configuration asks for."""
    if config.fusion is Fusion.JOINT:
        return JointEncoder(modalities, config)
    if config.fusion is Fusion.SUBSETS:
        return SubsetEncoder(modalities, config)
    return ExpertsEncoder(modalities, config)
