"""The two-timestep multimodal VAE: any part of an observation in, all of it out.

    senses and command at t-1, t  ->  branch per modality  ->  shared encoder  ->  q(z) Gaussian
    q(z)  ->  shared decoder  ->  branch per modality  ->  mean, log-variance of everything

After Zambelli, Cully and Demiris 2020 (arXiv 1910.03854), with a mask instead of a magic value
for what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmvae_controller.modality.normaliser import Normaliser
from mmvae_controller.modality.spec import Modality
from mmvae_controller.vae.blocks import mlp
from mmvae_controller.vae.branches import branch_in, branch_out, Scaling
from mmvae_controller.vae.config import NetworkConfig
import torch
from torch import nn, Tensor

# Of the posterior. From 0, as the prior, the first thousand steps would drown in its noise.
INITIAL_LOG_VARIANCE = -5.0


@dataclass(frozen=True, slots=True)
class Distribution:
    """A diagonal Gaussian: mean and log-variance of the same shape."""

    mean: Tensor
    log_variance: Tensor

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """Draw by the reparameterisation trick (Kingma and Welling 2014)."""
        noise = torch.empty_like(self.mean).normal_(generator=generator)
        return self.mean + torch.exp(0.5 * self.log_variance) * noise


class TwoStepVAE(nn.Module):
    """The network, in normalised units: see `RealUnits` for its outside."""

    def __init__(self, modalities: Sequence[Modality], config: NetworkConfig) -> None:
        """Build it for modalities, in the order of the mask rows."""
        super().__init__()
        self.modalities = tuple(modalities)
        self.config = config
        act = config.activation
        branches = {m.name: branch_in(m, config.branches[m.name], act) for m in modalities}
        self.branches_in = nn.ModuleDict(branches)
        joined = sum(b.features for b in branches.values())
        self.shared_in = mlp([joined, *config.shared_encoder], act)
        self.to_latent = nn.Linear(config.shared_encoder[-1], 2 * config.latent)
        with torch.no_grad():
            self.to_latent.bias[config.latent :] = INITIAL_LOG_VARIANCE
        self.shared_out = mlp([config.latent, *config.shared_decoder], act)
        width = config.shared_decoder[-1]
        self.branches_out = nn.ModuleDict(
            {m.name: branch_out(width, m, config.branches[m.name], act) for m in modalities}
        )

    def encode(self, normalised: Mapping[str, Tensor], known: Tensor) -> Distribution:
        """Return q(z | what is known).

        Args:
            normalised: By modality, `(B, 2, *shape)`; masked slots may hold anything.
            known: `(B, M, 2)`, 1 where known and 0 where not.

        Returns:
            Mean and log-variance `(B, Z)`; exactly the prior N(0, I) where nothing is known.

        """
        features = [
            self.branches_in[m.name](normalised[m.name], known[:, row])
            for row, m in enumerate(self.modalities)
        ]
        hidden = self.shared_in(torch.cat(features, dim=1))
        mean, log_variance = self.to_latent(hidden).chunk(2, dim=1)
        anything = known.flatten(1).amax(dim=1, keepdim=True)
        return Distribution(mean * anything, log_variance * anything)

    def decode(self, latent: Tensor, wanted: Sequence[str]) -> dict[str, Distribution]:
        """Return p(modality | z) for each that is wanted, `(B, 2, *shape)`."""
        trunk = self.shared_out(latent)
        return {name: Distribution(*self.branches_out[name](trunk)) for name in wanted}


class RealUnits(nn.Module):
    """The network as the robot uses it: real units in and out, latent mean, standard deviations.

    This is what is exported, so nobody outside can forget to normalise.
    """

    def __init__(self, network: TwoStepVAE, normalisers: Mapping[str, Normaliser]) -> None:
        """Wrap a network."""
        super().__init__()
        self.network = network
        self.scalings = nn.ModuleDict({n: Scaling(s) for n, s in normalisers.items()})

    def scaling(self, name: str) -> Scaling:
        """Return the scaling of a modality."""
        scaling = self.scalings[name]
        assert isinstance(scaling, Scaling)
        return scaling

    def normalise(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return values in the unit of the network."""
        return {n: self.scaling(n).normalise(v) for n, v in values.items()}

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return mean and standard deviation of every modality, then of the latent.

        Args:
            inputs: The values of every modality in order, `(B, 2, *shape)`, then the mask
                `(B, M, 2)` float.

        """
        modalities = self.network.modalities
        names = [m.name for m in modalities]
        values = dict(zip(names, inputs[:-1], strict=True))
        latent = self.network.encode(self.normalise(values), inputs[-1])
        decoded = self.network.decode(latent.mean, names)
        outputs: list[Tensor] = []
        for name in names:
            scaling = self.scaling(name)
            outputs.append(scaling.restore(decoded[name].mean))
            outputs.append(torch.exp(0.5 * decoded[name].log_variance) * scaling.scale)
        outputs += [latent.mean, torch.exp(0.5 * latent.log_variance)]
        return tuple(outputs)
