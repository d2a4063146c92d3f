"""What is measured of every model of an ensemble on the rows that were held out.

Everything is in the unit of the network, which for the published network is the unit of the data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmvae_controller.modality.observation import CURRENT, everything_known, Mask, policy_query
from mmvae_controller.training.ensemble import Ensemble
from mmvae_controller.vae.distributions import Distribution, kl, kl_to_prior
import numpy as np
import torch
from torch import Tensor

# A unit is active if its mean varies more than this over the rows (Burda et al. 2016, eq. 8).
ACTIVE_VARIANCE = 0.01
COMPLETE = 'complete'

Record = dict[str, Any]


class HeldOut:
    """The held-out rows of an ensemble, and what its models make of them."""

    def __init__(self, ensemble: Ensemble) -> None:
        """Take the rows from the ensemble's data."""
        self._stack = ensemble.stack
        self._modalities = ensemble.modalities
        self._names = [m.name for m in ensemble.modalities]
        rows = torch.from_numpy(ensemble.validation_rows)
        self._values = {n: v[rows] for n, v in ensemble.data.values.items()}
        self._known = ensemble.data.known[rows]
        everything = everything_known(ensemble.modalities)
        self._patterns = {COMPLETE: everything, **ensemble.dataset.patterns}

    def record(self) -> list[Record]:
        """Return for each model KL, active units, and the MSE by pattern and modality."""
        records: list[Record] = [{'mse': {}} for _ in range(len(self._stack))]
        for pattern, mask in self._patterns.items():
            posterior, decoded = self._ask(mask)
            for name, errors in self._mse(decoded).items():
                for record, error in zip(records, errors, strict=True):
                    record['mse'].setdefault(pattern, {})[name] = error
            if pattern == COMPLETE:
                self._describe_latent(records, posterior)
        return records

    def importance(self) -> list[Record]:
        """Return for each model what its modalities say of each other.

        `alone_mse[i][j]`: the error of j if i alone is known, at both steps. `alone[i][j]` and
        `without[i][j]`: KL(P_j || P(i)_j) and KL(P_j || P(-i)_j) at t, asked as a policy, which
        is not told the command at t: mean over the rows, in nats, as `importance.live` has it.
        """
        found: list[Record] = [
            {'alone_mse': {}, 'alone': {}, 'without': {}} for _ in range(len(self._stack))
        ]
        query = policy_query(self._modalities)
        everything = everything_known(self._modalities)
        _, whole = self._ask(query)
        for row, name in enumerate(self._names):
            picked = (np.arange(len(self._names)) == row)[:, None]
            self._note(found, 'alone_mse', name, self._mse(self._ask(everything & picked)[1]))
            for measure, mask in (('alone', query & picked), ('without', query & ~picked)):
                lost = self._divergence(whole, self._ask(mask)[1])
                self._note(found, measure, name, lost)
        return found

    def variance(self) -> dict[str, float]:
        """Return of each modality the MSE of its mean over these rows."""
        return {n: float(v.var(dim=0, unbiased=False).mean()) for n, v in self._values.items()}

    def _ask(self, mask: Mask) -> tuple[Distribution, dict[str, Distribution]]:
        known = (self._known & torch.from_numpy(mask).to(self._known.device)).float()
        with torch.no_grad():
            self._stack.eval()
            posterior = self._stack.settle(self._values, known)
            return posterior, self._stack.decode(posterior.mean)

    def _mse(self, decoded: Mapping[str, Distribution]) -> dict[str, list[float]]:
        """Return `(K,)` by modality, over rows, time steps and numbers."""
        return {
            name: _listed(((decoded[name].mean - value) ** 2).flatten(1).mean(dim=1))
            for name, value in self._values.items()
        }

    def _describe_latent(self, records: list[Record], posterior: Distribution) -> None:
        active = posterior.mean.var(dim=1, unbiased=False) > ACTIVE_VARIANCE
        divergence = kl_to_prior(posterior).sum(dim=2).mean(dim=1)
        for record, units, nats in zip(
            records, active.sum(dim=1).tolist(), _listed(divergence), strict=True
        ):
            record |= {'active_units': units, 'kl': nats}

    def _divergence(
        self, p: Mapping[str, Distribution], q: Mapping[str, Distribution]
    ) -> dict[str, list[float]]:
        return {n: _listed(_at_t(kl(p[n], q[n])).sum(dim=2).mean(dim=1)) for n in self._names}

    def _note(
        self, found: list[Record], measure: str, of: str, values: Mapping[str, list[float]]
    ) -> None:
        for index, record in enumerate(found):
            record[measure][of] = {name: values[name][index] for name in self._names}


def _at_t(values: Tensor) -> Tensor:
    """Return `(K, B, D)` of `(K, B, 2, D)`."""
    return values[:, :, CURRENT]


def _listed(values: Tensor) -> list[float]:
    numbers: list[float] = values.double().tolist()
    return numbers
