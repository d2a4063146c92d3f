"""The training YAML: network, objective, optimiser, muting; config/train/ documents every key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
import math
from pathlib import Path

from mmvae_controller.modality.observation import STEPS
from mmvae_controller.modality.reader import read_yaml, Section
from mmvae_controller.modality.spec import Modality
from mmvae_controller.training.ageing import Ageing, ageing_config
from mmvae_controller.training.blanking import blank_config
from mmvae_controller.training.errors import TrainingError
from mmvae_controller.training.muting import Muting, Pattern
from mmvae_controller.training.optimising import OptimiserConfig, OptimiserName, RateSchedule
from mmvae_controller.training.order import Order
from mmvae_controller.vae.config import network_config, NetworkConfig
from mmvae_controller.vae.objective_settings import objective_config, ObjectiveConfig
from mmvae_controller.vae.schedule import kl_schedule, KlSchedule

OFF = math.inf
LARGEST_HELD_OUT = 0.9
PICTURE_SHARE = 'picture_share'


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Everything that decides a training run, beside the data.

    Args:
        name: Of the model.
        network: Its architecture.
        muting: How masks are drawn.
        kl: The weight of the KL term.
        epochs: After each the model is validated and saved.
        batch_size: Rows per step.
        learning_rate: At its largest; warmed up, then as the schedule says.
        warmup_steps: Over which it rises.
        gradient_norm: Larger gradients are shortened to this; inf leaves them as they are.
        held_out: Share of the episodes kept for validation; 0 trains on all of them.
        seed: Of weights, order, masks, scrambled rows and noise.
        split_seed: Of which episodes are held out; models with other seeds can be compared.
        objective: What is minimised.
        optimiser: Which one.
        rate_schedule: What becomes of the learning rate once it is warm.
        passes: How often an epoch shows each row, every time with a mask of its own.
        scramble: Share of each batch put together from modalities of different rows; there only
            what is known counts, which teaches to copy it without teaching what goes with what.
        noise: Standard deviation, in normalised units, of Gaussian noise on the vectors that
            the encoder is given; what is to be decoded has none.
        stale: By sense, how often and how old it is shown; see `ageing`.
        blank: By image, in which share of the rows it shows nothing; see `blanking`.
        order: Of the rows in an epoch; see `Order`.

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
    held_out: float
    seed: int
    split_seed: int = 0
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    rate_schedule: RateSchedule = RateSchedule.COSINE
    passes: int = 1
    scramble: float = 0.0
    noise: float = 0.0
    stale: Mapping[str, Ageing] = field(default_factory=dict)
    blank: Mapping[str, float] = field(default_factory=dict)
    order: Order = Order.ROWS


def load_training_config(path: Path, modalities: tuple[Modality, ...]) -> TrainingConfig:
    """Read a training YAML for some modalities.

    Raises:
        ModalityError, TrainingError, VaeError: Names the field, what was found, what was expected.

    """
    root = read_yaml(path)
    network = network_config(root.section('network'), modalities)
    if network.steps != STEPS:
        raise TrainingError(
            f'{root.where}: network: steps is {network.steps}, windows of a robot have {STEPS}'
        )
    config = TrainingConfig(
        name=root.text('name'),
        network=network,
        muting=muting_config(root.section('muting')),
        kl=kl_schedule(root.section('kl')),
        epochs=root.integer('epochs', low=1),
        batch_size=root.integer('batch_size', low=1),
        learning_rate=root.number('learning_rate', low=1e-7, high=1),
        warmup_steps=root.integer('warmup_steps', default=200),
        gradient_norm=_gradient_norm(root),
        held_out=root.number('held_out', low=0.0, high=LARGEST_HELD_OUT),
        seed=root.integer('seed'),
        split_seed=root.integer('split_seed', default=0),
        objective=_objective(root, network),
        optimiser=_optimiser(root),
        rate_schedule=root.choice('rate_schedule', RateSchedule, RateSchedule.COSINE),
        passes=root.integer('passes', default=1, low=1),
        scramble=root.number('scramble', default=0.0, low=0.0, high=1.0),
        noise=root.number('noise', default=0.0, low=0.0),
        stale=ageing_config(root.section('stale'), modalities) if root.has('stale') else {},
        blank=blank_config(root.section('blank'), modalities) if root.has('blank') else {},
        order=root.choice('order', Order, Order.ROWS),
    )
    root.done()
    if config.stale and config.scramble > 0:
        raise TrainingError(
            f'{root.where}: scramble is {config.scramble:g} and stale is given; a row put '
            'together from others has no past: leave one of them out'
        )
    return config


def muting_config(shares: Section) -> Muting:
    """Read the share of each pattern of masks.

    Raises:
        TrainingError: A pattern is unknown, or none has a share.

    """
    unknown = set(shares.data) - {p.value for p in Pattern}
    if unknown:
        raise TrainingError(
            f'{shares.where}: unknown pattern {sorted(unknown)}; known are {", ".join(Pattern)}'
        )
    try:
        return Muting({Pattern(k): shares.number(k, low=0) for k in shares.data})
    except TrainingError as error:
        raise TrainingError(f'{shares.where}: {error}') from error


def _objective(root: Section, network: NetworkConfig) -> ObjectiveConfig:
    section = root.section('objective') if root.has('objective') else Section({}, root.where)
    objective = objective_config(section, network)
    # Concerns every objective, so it may stand above their section.
    if section.has(PICTURE_SHARE) and root.has(PICTURE_SHARE):
        raise TrainingError(f'{root.where}: {PICTURE_SHARE} is there twice, name it once')
    share = root.number(PICTURE_SHARE, objective.picture_share, low=0.01, high=1.0)
    return replace(objective, picture_share=share)


def _gradient_norm(root: Section) -> float:
    if root.is_off('gradient_norm'):
        return OFF
    return root.number('gradient_norm', default=10.0, low=1e-6)


def _optimiser(root: Section) -> OptimiserConfig:
    if not root.has('optimiser'):
        return OptimiserConfig()
    section = root.section('optimiser')
    name = section.choice('name', OptimiserName)
    decay = section.number('weight_decay', default=name.weight_decay, low=0.0)
    section.done()
    return OptimiserConfig(name, decay)
