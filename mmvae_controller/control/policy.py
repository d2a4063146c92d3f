"""What decides on a command: the model asked as a policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mmvae_controller.control.gate import Reason
from mmvae_controller.control.network import Network
from mmvae_controller.modality.observation import CURRENT, Observation, policy_query
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """A wanted command and how certain it is.

    Args:
        mean: `(D,)`.
        std: `(D,)`.
        refused: Why nothing is wanted, whatever the numbers are; None if something is.

    """

    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    refused: Reason | None = None


class Policy(Protocol):
    """Anything that wants to move the robot."""

    def decide(self, observation: Observation) -> Estimate:
        """Return the command it wants, given what is known."""


class NetworkPolicy:
    """The model with the command at t masked and decoded from everything else."""

    def __init__(self, network: Network) -> None:
        """Ask this network."""
        self.network = network
        self._command = network.contract.command.name
        self._query = policy_query(network.contract.modalities)

    def decide(self, observation: Observation) -> Estimate:
        """Decode the command at t."""
        known = self.network.contract.freshness(observation) * self._query
        decoded = self.network.decode_one(observation, known, [self._command])[self._command]
        return Estimate(
            decoded.mean[0, CURRENT].astype(np.float64), decoded.std[0, CURRENT].astype(np.float64)
        )
