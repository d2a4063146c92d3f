"""The published network trained as its code does: one model, rows muted beforehand, no classes.

After train_final_completeloss.py of ImperialCollegeLondon/Zambelli2019_RAS_multimodal_VAE, in
PyTorch; layers in the order of our parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
import math

import torch
from torch import nn, Tensor
from torch.nn import functional

LOG_2_PI = math.log(2 * math.pi)
FLOOR = 1e-4
SHARED, LATENT = 100, 28
# Of joint, vision, touch, sound and motor: numbers at both steps, widths in, trunk, widths out.
WIDTHS = [8, 8, 2, 2, 8]
READS = ((40, 20), (40, 20), (10, 5), (10, 5), (40, 10))
TRUNKS = [20, 20, 5, 5, 20]
WRITES = ((40, 8), (40, 8), (10, 2), (10, 2), (40, 8))


class BareNetwork(nn.Module):
    """28 numbers into 28 units and out again."""

    def __init__(self) -> None:
        """Build it."""
        super().__init__()
        ins, outs = zip(WIDTHS, READS, strict=True), zip(TRUNKS, WRITES, WIDTHS, strict=True)
        self.reads = nn.ModuleList(_layers([size, *widths]) for size, widths in ins)
        self.join = nn.Linear(sum(widths[-1] for widths in READS), SHARED)
        self.posterior = nn.Linear(SHARED, 2 * LATENT)
        self.trunk = _layers([LATENT, SHARED, sum(TRUNKS)])
        self.writes = nn.ModuleList(
            nn.Sequential(*_layers([size, *widths]), nn.Linear(widths[-1], 2 * out))
            for size, widths, out in outs
        )

    def forward(self, shown: Tensor, target: Tensor, noise: Tensor, kl_weight: float) -> Tensor:
        """Return the loss of rows `(B, 28)`: each likelihood divided by its width, and the KL."""
        parts = zip(self.reads, torch.split(shown, WIDTHS, dim=1), strict=True)
        features = torch.cat([read(part) for read, part in parts], dim=1)
        mean, log_variance = self.posterior(functional.relu(self.join(features))).chunk(2, dim=1)
        latent = mean + torch.exp(0.5 * log_variance) * noise
        kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=1)
        loss = kl_weight * kl
        trunks = torch.split(self.trunk(latent), TRUNKS, dim=1)
        targets = torch.split(target, WIDTHS, dim=1)
        for write, own, wanted in zip(self.writes, trunks, targets, strict=True):
            mean, log_variance = write(own).chunk(2, dim=1)
            log_variance = torch.log(torch.exp(log_variance) + FLOOR)
            error = (wanted - mean) ** 2 * torch.exp(-log_variance)
            loss = loss + 0.5 * (LOG_2_PI + log_variance + error).mean(dim=1)
        return torch.mean(loss)


def naive_epochs(
    shown: Tensor, target: Tensor, batch: int, learning_rate: float, kl_weight: float
) -> Callable[[], float]:
    """Return what trains one model for one epoch and returns the last loss."""
    network = BareNetwork()
    optimiser = torch.optim.Adam(network.parameters(), learning_rate, fused=True)

    def epoch() -> float:
        order = torch.randperm(len(shown))
        for start in range(0, len(shown), batch):
            rows = order[start : start + batch]
            noise = torch.randn(len(rows), LATENT)
            loss = network(shown[rows], target[rows], noise, kl_weight)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        return float(loss.item())

    return epoch


def _layers(widths: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for wide, narrow in pairwise(widths):
        layers += [nn.Linear(wide, narrow), nn.ReLU()]
    return nn.Sequential(*layers)
