"""The pieces networks are made of: perceptrons, and convolutions for pictures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from mmvae_controller.vae.config import Activation
import torch
from torch import nn, Tensor
from torch.nn import functional

ACTIVATIONS: dict[Activation, type[nn.Module]] = {
    Activation.RELU: nn.ReLU,
    Activation.ELU: nn.ELU,
    Activation.SILU: nn.SiLU,
}
# Position of a feature in the picture is read off after this many halvings: finer costs time,
# coarser loses a ball of three pixels.
POINTS_AFTER = 2


def mlp(widths: Sequence[int], activation: Activation) -> nn.Sequential:
    """Return linear layers through these widths, each followed by the activation."""
    layers: list[nn.Module] = []
    for wide, narrow in pairwise(widths):
        layers += [nn.Linear(wide, narrow), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers)


class ImageEncoder(nn.Module):
    """Convolutions, each halving the picture; from `(B, C, H, W)` to `(B, features)`.

    Beside what the last layer sees, it reports where each feature map of an earlier layer has
    its mass (spatial softmax, Finn et al. 2016): small things have a place, not a look.
    """

    grid: Tensor

    def __init__(
        self, shape: tuple[int, int, int], channels: Sequence[int], activation: Activation
    ) -> None:
        """Build it for pictures of `shape` = (H, W, C)."""
        super().__init__()
        height, width, previous = shape
        self.layers = nn.ModuleList()
        for number, now in enumerate(channels):
            kernel = 5 if number == 0 else 3
            convolution = nn.Conv2d(previous, now, kernel, stride=2, padding=kernel // 2)
            self.layers.append(nn.Sequential(convolution, ACTIVATIONS[activation]()))
            previous = now
        self.points_after = min(POINTS_AFTER, len(channels))
        points = channels[self.points_after - 1]
        self.point_maps = nn.Conv2d(points, points, 1)
        size = 2**self.points_after
        rows = torch.linspace(-1, 1, height // size)
        columns = torch.linspace(-1, 1, width // size)
        grid = torch.stack(torch.meshgrid(rows, columns, indexing='ij')).flatten(1)
        self.register_buffer('grid', grid, persistent=False)
        shrunk = 2 ** len(channels)
        flat = (height // shrunk) * (width // shrunk) * previous
        # Of the features, those that are places come first.
        self.places = 2 * points
        self.features = self.places + flat

    def forward(self, picture: Tensor) -> Tensor:
        """Return the features."""
        hidden, points = picture, picture
        for number, layer in enumerate(self.layers, start=1):
            hidden = layer(hidden)
            if number == self.points_after:
                maps = self.point_maps(hidden).flatten(2)
                points = functional.softmax(maps, dim=2) @ self.grid.T
        return torch.cat([points.flatten(1), hidden.flatten(1)], dim=1)


class ImageDecoder(nn.Module):
    """From `(B, features)` to `(B, H, W, C)` mean and log-variance of every pixel."""

    def __init__(
        self,
        features: int,
        shape: tuple[int, int, int],
        channels: Sequence[int],
        activation: Activation,
    ) -> None:
        """Build it for pictures of `shape` = (H, W, C); each layer doubles the picture."""
        super().__init__()
        height, width, colours = shape
        shrunk = 2 ** len(channels)
        self.start = (channels[0], height // shrunk, width // shrunk)
        self.expand = nn.Linear(features, self.start[0] * self.start[1] * self.start[2])
        self.activation = ACTIVATIONS[activation]()
        layers: list[nn.Module] = []
        for previous, now in zip(channels, [*channels[1:], 2 * colours], strict=True):
            layers += [nn.ConvTranspose2d(previous, now, 4, stride=2, padding=1)]
            layers += [ACTIVATIONS[activation]()]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and unbounded log-variance."""
        hidden = self.activation(self.expand(features)).reshape(-1, *self.start)
        mean, log_variance = self.layers(hidden).permute(0, 2, 3, 1).chunk(2, dim=3)
        return mean, log_variance
