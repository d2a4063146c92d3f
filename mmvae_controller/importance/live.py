"""Importance of every sense for one observation: one batched pass through the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from mmvae_controller.importance.measures import gaussian_kl
from mmvae_controller.modality.contract import LATENT, ModelContract
from mmvae_controller.modality.gaussian import Gaussian
from mmvae_controller.modality.observation import CURRENT, Mask, Observation, policy_query
import numpy as np
from numpy.typing import NDArray

# A latent unit whose KL from the prior is larger carries something (Burda et al. 2016 use the
# variance of its mean; for one observation the KL itself is what there is).
ACTIVE_NATS = 0.01
MEASURES = (
    'single_error_own',
    'single_error_all',
    'precision_loss_own',
    'precision_loss_all',
    'precision_loss_command',
)


class Decoder(Protocol):
    """A network that decodes what is wanted from what is known; `control.network` is one."""

    contract: ModelContract

    def decode(
        self, values: Mapping[str, NDArray[np.generic]], known: Mask, wanted: Sequence[str]
    ) -> dict[str, Gaussian]:
        """Decode from `(B, 2, *shape)` values and a mask `(B, M, 2)`."""


@dataclass(frozen=True, slots=True, eq=False)
class Importance:
    """All measures at one moment, of the values at t, in nats.

    Args:
        modalities: In the order of rows and columns.
        measures: By measure, then by modality.
        without: `(M, M)`: what column j loses without row i.
        alone: `(M, M)`: how far row i alone is from explaining column j; NaN where i is missing.
        predicted: By modality, decoded from everything known, `(1, 2, *shape)`.
        latent_kl: KL(q || prior), given everything known.
        active_units: Latent dimensions that carry something.

    """

    modalities: tuple[str, ...]
    measures: dict[str, dict[str, float]]
    without: NDArray[np.float64]
    alone: NDArray[np.float64]
    predicted: dict[str, Gaussian]
    latent_kl: float
    active_units: int


class LiveImportance:
    """Asks a network 2M + 1 times at once."""

    def __init__(self, network: Decoder) -> None:
        """Measure with this network."""
        self._network = network
        modalities = network.contract.modalities
        self._names = tuple(m.name for m in modalities)
        self._command = self._names.index(network.contract.command.name)
        self._query = policy_query(modalities)

    def evaluate(self, observation: Observation) -> Importance:
        """Return every measure for what is known now, asked as the policy asks."""
        known = masked_copies(observation.known & self._query)
        values = {
            name: np.broadcast_to(observation.values[name], (len(known), *shape.shape))
            for name, shape in observation.values.items()
        }
        decoded = self._network.decode(values, known, [*self._names, LATENT])
        count = len(self._names)
        alone, without = np.zeros((count, count)), np.zeros((count, count))
        for j, name in enumerate(self._names):
            mean, std = decoded[name].mean[:, CURRENT], decoded[name].std[:, CURRENT]
            divergence = gaussian_kl(mean[:1], std[:1], mean, std).reshape(len(known), -1).sum(1)
            alone[:, j] = divergence[1 : 1 + count]
            without[:, j] = divergence[1 + count :]
        # Nothing is known of it: how far it alone is from explaining anything was not measured.
        alone[~known[0].any(axis=1)] = np.nan
        latent = decoded[LATENT]
        unit_kl = gaussian_kl(latent.mean[0], latent.std[0], np.zeros(1), np.ones(1))
        return Importance(
            self._names,
            self._measures(alone, without),
            without,
            alone,
            {n: Gaussian(decoded[n].mean[:1], decoded[n].std[:1]) for n in self._names},
            float(unit_kl.sum()),
            int((unit_kl > ACTIVE_NATS).sum()),
        )

    def _measures(
        self, alone: NDArray[np.float64], without: NDArray[np.float64]
    ) -> dict[str, dict[str, float]]:
        rows = (
            np.diag(alone),
            alone.sum(axis=1),
            np.diag(without),
            without.sum(axis=1),
            without[:, self._command],
        )
        return {
            measure: dict(zip(self._names, row.tolist(), strict=True))
            for measure, row in zip(MEASURES, rows, strict=True)
        }


def masked_copies(known: Mask) -> Mask:
    """Return `(2M + 1, M, 2)`: everything known, then each modality alone, then each left out."""
    count = len(known)
    picked = np.eye(count, dtype=bool)[:, :, None]
    return np.concatenate([known[None], known & picked, known & ~picked])
