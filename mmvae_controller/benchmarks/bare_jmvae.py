"""A joint VAE of two modalities as one writes it for one's own data: no masks, nothing general.

The same network, objective and optimiser as ours, in the order of our parameters.
"""

from __future__ import annotations

from collections.abc import Callable
import math

import torch
from torch import nn, Tensor
from torch.nn import functional

LOG_2_PI = math.log(2 * math.pi)


class BareJmvae(nn.Module):
    """Two vectors `(B, 8)` into one latent and out again."""

    def __init__(self, width: int, latent: int, floor: float) -> None:
        """Build it, as wide as the published branches of eight numbers."""
        super().__init__()
        self.width, self.latent, self.floor = width, latent, floor
        self.read_x, self.read_w = _reader(width), _reader(width)
        self.join = nn.Linear(40, 100)
        self.posterior = nn.Linear(100, 2 * latent)
        self.trunk = nn.Linear(latent, 100)
        self.write_x, self.write_w = _writer(width), _writer(width)

    def forward(self, x: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        """Return the negative ELBO, mean over the batch, in nats."""
        features = torch.cat([self.read_x(x), self.read_w(w)], dim=1)
        mean, log_variance = self.posterior(functional.relu(self.join(features))).chunk(2, dim=1)
        latent = mean + torch.exp(0.5 * log_variance) * noise
        trunk = functional.relu(self.trunk(latent))
        nll = self._nll(self.write_x(trunk), x) + self._nll(self.write_w(trunk), w)
        kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum()
        return torch.div(nll + kl, len(x))

    def _nll(self, raw: Tensor, target: Tensor) -> Tensor:
        mean, log_variance = raw.chunk(2, dim=1)
        log_variance = torch.log(torch.exp(log_variance) + self.floor)
        error = (target - mean) ** 2 * (-log_variance).exp()
        return 0.5 * (LOG_2_PI + log_variance + error).sum()


def bare_epochs(
    network: BareJmvae, x: Tensor, w: Tensor, batch: int, learning_rate: float
) -> Callable[[], float]:
    """Return what trains for one epoch and returns its mean loss."""
    optimiser = torch.optim.Adam(network.parameters(), learning_rate, fused=True)

    def epoch() -> float:
        order = torch.randperm(len(x))
        total = 0.0
        for start in range(0, len(x), batch):
            rows = order[start : start + batch]
            loss = network(x[rows], w[rows], torch.randn(len(rows), network.latent))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item() * len(rows)
        return total / len(x)

    return epoch


def _reader(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, 40), nn.ReLU(), nn.Linear(40, 20), nn.ReLU())


def _writer(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(100, 40), nn.ReLU(), nn.Linear(40, 2 * width))
