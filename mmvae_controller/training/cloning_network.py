"""The network of the behaviour cloning peer: everything at t-1 and t in, the command at t out."""

from __future__ import annotations

from collections.abc import Mapping

from mmvae_controller.modality.normaliser import Normaliser
from mmvae_controller.modality.observation import PREVIOUS, STEPS
from mmvae_controller.modality.spec import command_of, Encoder, Modality
from mmvae_controller.training.cloning_config import PeerLayers
from mmvae_controller.vae.blocks import ImageEncoder, mlp
from mmvae_controller.vae.branches import Scaling
import torch
from torch import nn, Tensor


class PeerNetwork(nn.Module):
    """Plain layers, in real units; it has no masks: what it is given, it takes for true."""

    def __init__(
        self,
        modalities: tuple[Modality, ...],
        layers: PeerLayers,
        normalisers: Mapping[str, Normaliser],
    ) -> None:
        """Build it with random weights."""
        super().__init__()
        self.modalities = modalities
        self.command = command_of(modalities).name
        self.scalings = nn.ModuleDict(
            {m.name: Scaling(m, normalisers[m.name]) for m in modalities}
        )
        self.branches = nn.ModuleDict()
        joined = 0
        for modality in modalities:
            widths = layers.branches[modality.name]
            if modality.encoder is Encoder.IMAGE:
                height, width, colours = modality.shape
                image = ImageEncoder((height, width, colours), widths, layers.activation)
                self.branches[modality.name] = image
                joined += STEPS * image.features
                continue
            steps = 1 if modality.name == self.command else STEPS
            vector = mlp([steps * modality.size, *widths], layers.activation)
            self.branches[modality.name] = vector
            joined += widths[-1]
        self.head = nn.Sequential(
            mlp([joined, *layers.hidden], layers.activation),
            nn.Linear(layers.hidden[-1], command_of(modalities).size),
        )

    def scaling(self, name: str) -> Scaling:
        """Return the normaliser of a modality."""
        scaling = self.scalings[name]
        assert isinstance(scaling, Scaling)
        return scaling

    def normalised(self, values: Mapping[str, Tensor]) -> Tensor:
        """Return the command at t `(B, D)`, normalised, from values `(B, 2, *shape)` in own units.

        The slot of the command at t is not read.
        """
        features = [self._features(m, values[m.name]) for m in self.modalities]
        command: Tensor = self.head(torch.cat(features, dim=1))
        return command

    def forward(self, *values: Tensor) -> Tensor:
        """Return the command at t `(B, D)` in its own unit; values in the modalities' order."""
        named = {m.name: v for m, v in zip(self.modalities, values, strict=True)}
        return self.scaling(self.command).restore(self.normalised(named))

    def _features(self, modality: Modality, value: Tensor) -> Tensor:
        seen = self.scaling(modality.name).normalise(value)
        branch = self.branches[modality.name]
        if isinstance(branch, ImageEncoder):
            pictures = seen.flatten(0, 1).permute(0, 3, 1, 2)
            found: Tensor = branch(pictures).reshape(-1, STEPS * branch.features)
            return found
        read: Tensor = branch(
            seen[:, PREVIOUS] if modality.name == self.command else seen.flatten(1)
        )
        return read
