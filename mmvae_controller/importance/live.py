"""Importance of every sense for one observation: one batched pass through the network."""

from __future__ import annotations

from dataclasses import dataclass

from mmvae_controller.importance.divergences import (
    Decoder,
    diverge,
    matrix_of,
    require_comparable,
)
from mmvae_controller.importance.measures import gaussian_kl, measures_of
from mmvae_controller.modality.contract import LATENT
from mmvae_controller.modality.gaussian import Gaussian
from mmvae_controller.modality.observation import Mask, Observation, policy_query
import numpy as np
from numpy.typing import NDArray

# A latent unit whose KL from the prior is larger carries something (Burda et al. 2016 use the
# variance of its mean; for one observation the KL itself is what there is).
ACTIVE_NATS = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Importance:
    """All measures at one moment, of the values at t, in nats.

    Args:
        modalities: In the order of rows and columns.
        measures: By measure, then by modality.
        without: `(M, M)`: what column j loses without row i.
        alone: `(M, M)`: how far row i alone is from explaining column j; NaN where i is missing,
            and nowhere else unless the network's answer is broken.
        known: `(M, 2)`: what was known when it was asked, at [t - dt, t].
        predicted: By modality, decoded from everything known, `(1, 2, *shape)`.
        latent_kl: KL(q || prior), given everything known.
        active_units: Latent dimensions that carry something.

    """

    modalities: tuple[str, ...]
    measures: dict[str, dict[str, float]]
    without: NDArray[np.float64]
    alone: NDArray[np.float64]
    known: Mask
    predicted: dict[str, Gaussian]
    latent_kl: float
    active_units: int


class LiveImportance:
    """Asks a network 2M + 1 times at once."""

    def __init__(self, network: Decoder) -> None:
        """Measure with this network.

        Raises:
            ImportanceError: It has one modality: there is nothing to compare.

        """
        require_comparable(network.contract)
        self._network = network
        modalities = network.contract.modalities
        self._names = tuple(m.name for m in modalities)
        self._command = self._names.index(network.contract.command.name)
        self._query = policy_query(modalities)

    def evaluate(self, observation: Observation) -> Importance:
        """Return every measure for what is known now, asked as the policy asks.

        Raises:
            ImportanceError: A decoded standard deviation is not above 0.

        """
        values = {name: value[None] for name, value in observation.values.items()}
        known = observation.known & self._query
        told = self._network.contract.freshness(observation) * self._query
        found = diverge(self._network, values, told[None])
        alone = matrix_of(found.alone, self._names)[0]
        without = matrix_of(found.without, self._names)[0]
        latent = found.decoded[LATENT]
        unit_kl = gaussian_kl(latent.mean[0], latent.std[0], np.zeros(1), np.ones(1))
        return Importance(
            self._names,
            {
                measure: dict(zip(self._names, row.tolist(), strict=True))
                for measure, row in measures_of(alone, without, self._command).items()
            },
            without,
            alone,
            known,
            {name: found.decoded[name] for name in self._names},
            float(unit_kl.sum()),
            int((unit_kl > ACTIVE_NATS).sum()),
        )
