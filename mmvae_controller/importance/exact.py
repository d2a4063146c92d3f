"""What every importance measure of a linear-Gaussian world is, in closed form.

With the factors' posterior N(m, V) given what is known, a new reading of sensor j is
N(W_j m, W_j V W_j' + noise^2). That is what an ideal model decodes, so `ExactDecoder` stands in
for one. Its divergences, averaged over the world, have a closed form: with v the variance of a
number given everything and v' given less, E[KL] = log(v' / v) / 2, because the means differ by
exactly as much as the variances (law of total variance).
"""

from __future__ import annotations

from collections.abc import Sequence

from mmvae_controller.datasets.linear_world import LinearWorld
from mmvae_controller.importance.divergences import masked_copies, Values
from mmvae_controller.importance.measures import measures_of
from mmvae_controller.modality.contract import LATENT, ModelContract
from mmvae_controller.modality.gaussian import Gaussian
from mmvae_controller.modality.normaliser import Normaliser
from mmvae_controller.modality.observation import Freshness, Mask, STEPS, value_rows
import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


class ExactDecoder:
    """Decodes a world as an ideal model would; satisfies `divergences.Decoder`."""

    def __init__(self, world: LinearWorld) -> None:
        """Know the world."""
        self.world = world
        self.contract = ModelContract(
            name='exact',
            modalities=world.modalities,
            normalisers={
                m.name: Normaliser((0.0,) * m.size, (1.0,) * m.size) for m in world.modalities
            },
            step_s=0.1,
            latent_size=len(world.factors),
            network={},
            provenance={},
            checksums={},
        )

    def decode(
        self, values: Values, known: Mask | Freshness, wanted: Sequence[str]
    ) -> dict[str, Gaussian]:
        """Decode from values `(V, 2, *shape)` under masks `(B, M, 2)`, B / V for each value."""
        rows = value_rows(values, known)
        mean, covariance = self.posterior({n: v[rows] for n, v in values.items()}, known > 0)
        decoded = {}
        for sensor in self.world.sensors:
            gain = self.world.readings(sensor)
            spread = np.einsum('dk,bkl,dl->bd', gain, covariance, gain) + sensor.noise_std**2
            both = (len(known), STEPS, len(sensor.readings))
            decoded[sensor.name] = Gaussian(
                _float32(np.broadcast_to((mean @ gain.T)[:, None], both)),
                _float32(np.broadcast_to(np.sqrt(spread)[:, None], both)),
            )
        std = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
        decoded[LATENT] = Gaussian(_float32(mean), _float32(std))
        return {name: decoded[name] for name in wanted}

    def posterior(self, values: Values, known: Mask) -> tuple[Vector, Vector]:
        """Return mean `(B, K)` and covariance `(B, K, K)` of the factors given what is known."""
        size = len(self.world.factors)
        precision = np.broadcast_to(np.eye(size), (len(known), size, size)).copy()
        weighted = np.zeros((len(known), size))
        for row, sensor in enumerate(self.world.sensors):
            gain = self.world.readings(sensor) / sensor.noise_std
            steps = known[:, row].sum(axis=1)
            precision += steps[:, None, None] * (gain.T @ gain)
            seen = np.where(known[:, row, :, None], values[sensor.name], 0.0).sum(axis=1)
            weighted += seen @ gain / sensor.noise_std
        covariance: Vector = np.linalg.inv(precision).astype(np.float64)
        return np.einsum('bkl,bl->bk', covariance, weighted), covariance


def expected_matrices(world: LinearWorld, known: Mask) -> tuple[Vector, Vector]:
    """Return E[KL(P_j || P(i)_j)] and E[KL(P_j || P(-i)_j)], each `(M, M)`, for a mask `(M, 2)`.

    Rows of what is not known are NaN in the first.
    """
    copies = masked_copies(known[None])[0]
    nothing = {m.name: np.zeros((1, STEPS, m.size)) for m in world.modalities}
    names = [m.name for m in world.modalities]
    decoded = ExactDecoder(world).decode(nothing, copies, names)
    nats = np.stack(
        [np.log(decoded[n].std / decoded[n].std[:1])[:, 0].sum(axis=1) for n in names], axis=1
    )
    alone, without = nats[1 : 1 + len(names)], nats[1 + len(names) :]
    alone[~known.any(axis=1)] = np.nan
    return alone, without


def expected_measures(world: LinearWorld, known: Mask) -> dict[str, Vector]:
    """Return what each measure of each modality is on average, `(M,)`."""
    command = [s.command for s in world.sensors].index(True)
    return measures_of(*expected_matrices(world, known), command)


def _float32(values: NDArray[np.generic]) -> NDArray[np.float32]:
    # As a network answers, so that nobody relies on more digits than there will be.
    return values.astype(np.float32)
