"""Networks of one architecture as a single one: their parameters stacked, their batches too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmvae_controller.training.direct import DirectElbo, is_direct
from mmvae_controller.vae.distributions import Distribution
from mmvae_controller.vae.network import TwoStepVAE
from mmvae_controller.vae.objective import Objective
from mmvae_controller.vae.objective_settings import ObjectiveConfig
from mmvae_controller.vae.objectives import objective, Sample
import torch
from torch import nn, Tensor
from torch.func import functional_call, vmap


class Stack(nn.Module):
    """K networks; everything that goes in or out has K as its first dimension.

    All parameters are the one tensor `flat` `(K, P)`: an elementwise optimiser then takes one
    step for all, and the norm of a row is that of one network's gradient.
    """

    def __init__(
        self, networks: Sequence[TwoStepVAE], config: ObjectiveConfig, device: str = 'cpu'
    ) -> None:
        """Copy the parameters of the networks."""
        super().__init__()
        # In a list, a module is hidden: its parameters are not ours to train.
        self._template = [_Asked(networks[0], config)]
        named = [*self._template[0].named_parameters()]
        self._names = [name for name, _ in named]
        self._shapes = [parameter.shape for _, parameter in named]
        self._sizes = [parameter.numel() for _, parameter in named]
        rows = [torch.cat([p.detach().flatten() for p in n.parameters()]) for n in networks]
        self.flat = nn.Parameter(torch.stack(rows).to(device))
        direct = is_direct(networks[0], config)
        self._direct = DirectElbo(networks[0], config, torch.device(device)) if direct else None

    def __len__(self) -> int:
        """How many networks."""
        return len(self.flat)

    def forward(self, sample: Sample, noise: Sequence[Tensor], kl_weights: Tensor) -> Objective:
        """Return what every network's own batch costs it: each part `(K,)`.

        Args:
            sample: Each tensor `(K, B, ...)`.
            noise: `(K, B, size)` for each latent, z_1 first.
            kl_weights: `(K,)`.

        """
        if self._direct is not None:
            parameters = {n.removeprefix('network.'): p for n, p in self._unstacked().items()}
            return self._direct(parameters, sample, noise[0], kl_weights)
        batch = (sample.shown, sample.known, sample.targets, sample.present)
        inputs = (*batch, [*noise], kl_weights)
        loss, kl, parts = self._ask('cost', (0, 0), inputs, whole=sample.whole)
        return Objective(loss, kl, parts)

    def settle(self, normalised: Mapping[str, Tensor], known: Tensor) -> Distribution:
        """Return every network's posterior `(K, B, Z)` of the same `(B, S, D)` and `(B, M, S)`."""
        return Distribution(*self._ask('settle', (0, None), (dict(normalised), known)))

    def decode(self, latent: Tensor) -> dict[str, Distribution]:
        """Return what every network decodes from its own latents `(K, B, Z)`."""
        found = self._ask('decode', (0, 0), (latent,))
        return {name: Distribution(*parts) for name, parts in found.items()}

    def state_of(self, index: int) -> dict[str, Tensor]:
        """Return the parameters of one network, as its own `state_dict` names them."""
        return {
            n.removeprefix('network.'): p[index].detach() for n, p in self._unstacked().items()
        }

    def _unstacked(self) -> dict[str, Tensor]:
        parts = torch.split(self.flat, self._sizes, dim=1)
        return {
            name: part.reshape(len(self), *shape)
            for name, part, shape in zip(self._names, parts, self._shapes, strict=True)
        }

    def _ask(
        self, what: str, dims: tuple[int, int | None], inputs: tuple[Any, ...], **told: bool
    ) -> Any:
        """Call one of the template's questions for every network at once."""

        def one(parameters: dict[str, Tensor], inputs: tuple[Any, ...]) -> Any:
            return functional_call(self._template[0], parameters, (what, *inputs), told)

        return vmap(one, in_dims=dims)(self._unstacked(), inputs)


class _Asked(nn.Module):
    """A network behind one `forward`, which is all that `functional_call` calls."""

    def __init__(self, network: TwoStepVAE, config: ObjectiveConfig) -> None:
        super().__init__()
        self.network, self.config = network, config

    def forward(self, what: str, *inputs: Any, **told: bool) -> Any:
        return getattr(self, what)(*inputs, **told)

    def cost(
        self,
        shown: dict[str, Tensor],
        known: Tensor,
        targets: dict[str, Tensor],
        present: dict[str, Tensor],
        noise: list[Tensor],
        kl_weight: Tensor,
        whole: bool,
    ) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        sample = Sample(shown, known, targets, present, whole)
        found = objective(self.network, self.config, sample, noise, kl_weight)
        return found.loss, found.kl, dict(found.negative_log_likelihood)

    def settle(self, normalised: dict[str, Tensor], known: Tensor) -> tuple[Tensor, Tensor]:
        posterior = self.network.settle(normalised, known)
        return posterior.mean, posterior.log_variance

    def decode(self, latent: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        found = self.network.decode(latent, [m.name for m in self.network.modalities])
        # Ensembles are of vectors with Gaussians alone: see `Ensemble`.
        return {n: (d.mean, d.log_variance) for n, d in found.items()}  # type: ignore[union-attr]
