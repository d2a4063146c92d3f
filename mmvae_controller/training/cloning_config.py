"""The YAML of `mmvae clone`; config/train/clone.yaml documents every key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmvae_controller.modality.reader import read_yaml, Section
from mmvae_controller.modality.spec import Encoder, Modality
from mmvae_controller.training.config import LARGEST_HELD_OUT
from mmvae_controller.training.errors import TrainingError
from mmvae_controller.vae.config import Activation


@dataclass(frozen=True, slots=True)
class PeerLayers:
    """The layers of a peer.

    Args:
        activation: Between them.
        branches: By modality: widths of a vector's layers, channels of an image's convolutions.
        hidden: Widths from the joined branches to the command.

    """

    activation: Activation
    branches: Mapping[str, tuple[int, ...]]
    hidden: tuple[int, ...]

    def data(self) -> dict[str, Any]:
        """Return it as plain data, for peer.yaml."""
        return {
            'activation': self.activation.value,
            'hidden': list(self.hidden),
            'branches': {name: list(widths) for name, widths in self.branches.items()},
        }


@dataclass(frozen=True, slots=True)
class CloningConfig:
    """Everything that decides a cloning run, beside the data.

    Args:
        name: Of the peer.
        layers: Of its network.
        epochs: After each the peer is validated and its state saved.
        batch_size: Rows per step.
        learning_rate: At its largest; warmed up, then lowered to nothing along a cosine.
        warmup_steps: Over which it rises.
        weight_decay: Of AdamW.
        gradient_norm: Larger gradients are shortened to this.
        held_out: Share of the episodes kept for validation.
        seed: Of weights and order.
        split_seed: Of which episodes are held out.

    """

    name: str
    layers: PeerLayers
    epochs: int
    batch_size: int
    learning_rate: float
    warmup_steps: int
    weight_decay: float
    gradient_norm: float
    held_out: float
    seed: int
    split_seed: int


def load_cloning_config(
    path: Path, modalities: tuple[Modality, ...], epochs: int | None = None
) -> CloningConfig:
    """Read a cloning YAML for some modalities; `epochs` instead of the file's, if given.

    Raises:
        ModalityError, TrainingError: Names the field, what was found, what was expected.

    """
    root = read_yaml(path)
    config = CloningConfig(
        name=root.text('name'),
        layers=peer_layers(root.section('network'), modalities),
        epochs=root.integer('epochs', low=1),
        batch_size=root.integer('batch_size', low=1),
        learning_rate=root.number('learning_rate', low=1e-7, high=1),
        warmup_steps=root.integer('warmup_steps'),
        weight_decay=root.number('weight_decay', low=0.0),
        gradient_norm=root.number('gradient_norm', low=1e-6),
        held_out=root.number('held_out', low=0.0, high=LARGEST_HELD_OUT),
        seed=root.integer('seed'),
        split_seed=root.integer('split_seed'),
    )
    root.done()
    return config if epochs is None else replace(config, epochs=epochs)


def peer_layers(section: Section, modalities: tuple[Modality, ...]) -> PeerLayers:
    """Read the layers of a peer, from a cloning YAML or from peer.yaml.

    Raises:
        ModalityError, TrainingError: A key is wrong, or does not fit the modalities.

    """
    widths = section.section('branches')
    layers = PeerLayers(
        activation=section.choice('activation', Activation),
        branches={m.name: widths.shape(m.name) for m in modalities},
        hidden=section.shape('hidden'),
    )
    widths.done()
    section.done()
    for modality in modalities:
        factor = 2 ** len(layers.branches[modality.name])
        if modality.encoder is Encoder.IMAGE and any(s % factor for s in modality.shape[:2]):
            raise TrainingError(
                f'{widths.where}: {modality.name} is halved to 1/{factor}, but its picture of '
                f'{modality.shape[:2]} is no multiple of that'
            )
    return layers
