"""The training YAML: network, objective, optimiser, muting; config/train/ documents every key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mmvae_controller.modality.reader import read_yaml
from mmvae_controller.modality.spec import Modality
from mmvae_controller.training.errors import TrainingError
from mmvae_controller.training.muting import Muting, Pattern
from mmvae_controller.vae.config import network_config, NetworkConfig
from mmvae_controller.vae.schedule import KlSchedule


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Everything that decides a training run, beside the data.

    Args:
        name: Of the model.
        network: Its architecture.
        muting: How masks are drawn.
        kl: The weight of the KL term.
        epochs: Passes over the training rows.
        batch_size: Rows per step.
        learning_rate: At its largest; warmed up, then lowered by a cosine to nothing.
        warmup_steps: Over which it rises.
        gradient_norm: Larger gradients are shortened to this.
        picture_share: Share of each batch whose pictures are decoded, for speed.
        held_out: Share of the episodes kept for validation.
        seed: Of weights, order, masks and latent noise.

    """

    name: str
    network: NetworkConfig
    muting: Muting
    kl: KlSchedule
    epochs: int
    batch_size: int
    learning_rate: float
    warmup_steps: int
    gradient_norm: float
    picture_share: float
    held_out: float
    seed: int


def load_training_config(path: Path, modalities: tuple[Modality, ...]) -> TrainingConfig:
    """Read a training YAML for some modalities.

    Raises:
        ModalityError, TrainingError, VaeError: Names the field, what was found, what was expected.

    """
    root = read_yaml(path)
    shares = root.section('muting')
    unknown = set(shares.data) - {p.value for p in Pattern}
    if unknown:
        raise TrainingError(
            f'{shares.where}: unknown pattern {sorted(unknown)}; known are {[*Pattern]}'
        )
    muting = Muting({Pattern(k): shares.number(k, low=0) for k in shares.data})
    kl = root.section('kl')
    config = TrainingConfig(
        name=root.text('name'),
        network=network_config(root.section('network'), modalities),
        muting=muting,
        kl=KlSchedule(kl.number('start'), kl.number('plateau'), kl.integer('epochs', low=1)),
        epochs=root.integer('epochs', low=1),
        batch_size=root.integer('batch_size', low=1),
        learning_rate=root.number('learning_rate', low=1e-7, high=1),
        warmup_steps=root.integer('warmup_steps', default=200),
        gradient_norm=root.number('gradient_norm', default=10.0, low=1e-6),
        picture_share=root.number('picture_share', default=1.0, low=0.01, high=1.0),
        held_out=root.number('held_out', low=0.0, high=0.9),
        seed=root.integer('seed'),
    )
    kl.done()
    root.done()
    return config
