"""The two-timestep multimodal VAE: any part of an observation in, all of it out.

    senses and command at t-1, t  ->  branch per modality  ->  shared encoder  ->  q(z) Gaussian
    q(z)  ->  shared decoder  ->  branch per modality  ->  mean, log-variance of everything

After Zambelli, Cully and Demiris 2020 (arXiv 1910.03854), with a mask instead of a magic value
for what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmvae_controller.modality.normaliser import Normaliser
from mmvae_controller.modality.spec import Modality
from mmvae_controller.vae.blocks import mlp
from mmvae_controller.vae.branches import branch_out, Rows, Scaling
from mmvae_controller.vae.config import NetworkConfig
from mmvae_controller.vae.distributions import Decoded, Distribution
from mmvae_controller.vae.encoders import encoder
from mmvae_controller.vae.prior import prior
import torch
from torch import nn, Tensor


class TwoStepVAE(nn.Module):
    """The network, in normalised units: see `RealUnits` for its outside."""

    def __init__(self, modalities: Sequence[Modality], config: NetworkConfig) -> None:
        """Build it for modalities, in the order of the mask rows."""
        super().__init__()
        self.modalities = tuple(modalities)
        self.config = config
        self.encoder = encoder(self.modalities, config)
        self.prior = prior(config)
        self.shared_out = mlp([config.latent, *config.shared_decoder], config.activation)
        width = (config.latent, *config.shared_decoder)[-1]
        self.trunks: dict[str, slice] = {}
        branches, start = {}, 0
        for m in self.modalities:
            own = config.branches[m.name].trunk
            self.trunks[m.name] = slice(start, start + own) if own else slice(None)
            branches[m.name] = branch_out(m, config, own or width)
            start += own
        self.branches_out = nn.ModuleDict(branches)

    def encode(
        self, normalised: Mapping[str, Tensor], known: Tensor, rows: Rows = None
    ) -> Distribution:
        """Return q(z | what is known).

        Args:
            normalised: By modality, `(V, S, *shape)`; masked slots may hold anything.
            known: `(B, M, S)`, 0 where masked and else how fresh, up to 1.
            rows: `(B,)`: in which of the V values each mask looks; None where V is B.

        Returns:
            Mean and log-variance `(B, Z)`; exactly N(0, I) where nothing is known.

        """
        posterior: Distribution = self.encoder(normalised, known, rows)
        return posterior

    def decode(self, latent: Tensor, wanted: Sequence[str]) -> dict[str, Decoded]:
        """Return p(modality | z) for each that is wanted, `(B, S, *shape)`."""
        trunk = self.shared_out(latent)
        return {n: self.branches_out[n](trunk[:, self.trunks[n]], latent) for n in wanted}

    def settle(
        self, normalised: Mapping[str, Tensor], known: Tensor, rows: Rows = None
    ) -> Distribution:
        """Return q(z | what is known) for use without sampling; see `encode`.

        An encoder that never saw a mask is asked again, as often as the configuration says,
        with the mean of what it decoded in the place of what is missing.
        """
        posterior = self.encode(normalised, known, rows)
        for _ in range(self.config.fill_rounds):
            decoded = self.decode(posterior.mean, [m.name for m in self.modalities])
            filled = {}
            for row, modality in enumerate(self.modalities):
                value, mean = normalised[modality.name], decoded[modality.name].mean
                there = known[:, row].reshape(*known.shape[::2], *[1] * (mean.dim() - 2)) > 0
                filled[modality.name] = torch.where(
                    there, value if rows is None else value[rows], mean
                )
            anything = (known.flatten(1).amax(dim=1) > 0)[:, None, None]
            posterior = self.encode(filled, anything.to(known.dtype).expand_as(known))
        return posterior


class RealUnits(nn.Module):
    """The network as the robot uses it: real units in and out, latent mean, standard deviations.

    This is what is exported, so nobody outside can forget to normalise.
    """

    def __init__(self, network: TwoStepVAE, normalisers: Mapping[str, Normaliser]) -> None:
        """Wrap a network."""
        super().__init__()
        self.network = network
        self.scalings = nn.ModuleDict(
            {m.name: Scaling(m, normalisers[m.name]) for m in network.modalities}
        )

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
            inputs: The values of every modality in order, `(V, S, *shape)`, then the mask
                `(B, M, S)` float, then in which of the values each mask looks, `(B,)` integers.

        """
        modalities = self.network.modalities
        names = [m.name for m in modalities]
        *samples, known, rows = inputs
        values = dict(zip(names, samples, strict=True))
        latent = self.network.settle(self.normalise(values), known, rows)
        decoded = self.network.decode(latent.mean, names)
        outputs: list[Tensor] = []
        for name in names:
            scaling = self.scaling(name)
            outputs.append(scaling.restore(decoded[name].mean))
            outputs.append(decoded[name].std * scaling.scale)
        outputs += [latent.mean, latent.std]
        return tuple(outputs)
