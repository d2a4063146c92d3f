"""The study YAML of the KL schedules: which models are trained, and how they are grouped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mmvae_controller.modality.reader import Section
from mmvae_controller.studies.errors import StudyError
from mmvae_controller.training.config import muting_config, TrainingConfig
from mmvae_controller.training.muting import Muting
from mmvae_controller.vae.schedule import kl_schedule, KlSchedule

# Below the lowest slash: a model is named scaling/protocol/schedule/seed.
SEPARATOR = '/'


@dataclass(frozen=True, slots=True)
class Condition:
    """What distinguishes a model from others of its seed."""

    scaling: str
    protocol: str
    schedule: str


@dataclass(frozen=True, slots=True)
class Group:
    """The models of one scaling and seed, one for each protocol and schedule: one ensemble.

    Seed by seed: they draw alike, and what is finished when a study is cut short is complete.
    """

    scaling: str
    seed: int
    conditions: tuple[Condition, ...]
    configs: tuple[TrainingConfig, ...]
    record_every: int

    @property
    def name(self) -> str:
        """Of its files."""
        return f'{self.scaling}_{self.seed}'


@dataclass(frozen=True, slots=True)
class KlStudy:
    """The whole study.

    Args:
        schedules: Of the weight of the KL term, by name.
        protocols: Which masks are drawn in training, by name.
        scalings: By name, the weight of every modality's log-likelihood; None leaves those of
            the training YAML.
        seeds: How many of each.
        record_every: Epochs between two looks at the held-out rows.

    """

    training: TrainingConfig
    schedules: Mapping[str, KlSchedule]
    protocols: Mapping[str, Muting]
    scalings: Mapping[str, float | None]
    seeds: int
    record_every: int

    def groups(self) -> list[Group]:
        """Return everything to train, all scalings of a seed before the next seed."""
        return [
            self._group(scaling, weight, seed)
            for seed in range(self.seeds)
            for scaling, weight in self.scalings.items()
        ]

    def _group(self, scaling: str, weight: float | None, seed: int) -> Group:
        network = self.training.network
        if weight is not None:
            branches = {n: replace(b, weight=weight) for n, b in network.branches.items()}
            network = replace(network, branches=branches)
        conditions, configs = [], []
        for protocol, muting in self.protocols.items():
            for schedule, kl in self.schedules.items():
                condition = Condition(scaling, protocol, schedule)
                name = SEPARATOR.join((scaling, protocol, schedule, str(seed)))
                conditions.append(condition)
                configs.append(
                    replace(
                        self.training, name=name, network=network, seed=seed, kl=kl, muting=muting
                    )
                )
        return Group(scaling, seed, tuple(conditions), tuple(configs), self.record_every)


def kl_study(section: Section, training: TrainingConfig, reduced: bool) -> KlStudy:
    """Read and check the study; `kind` and `training` are read by whoever calls.

    Args:
        section: The YAML.
        training: What the models have in common.
        reduced: Whether to take what the section `reduced` says instead.

    Raises:
        ModalityError: A key is missing, wrong or unknown.
        StudyError: Nothing is held out to judge the models on.
        TrainingError: A protocol has an unknown pattern, or none with a share.
        VaeError: The weight of a schedule would grow.

    """
    if training.held_out == 0:
        raise StudyError(f'{section.where}: held_out is 0, but the models are judged on such rows')
    schedules = {n: kl_schedule(s, epochs=1) for n, s in section.sections('schedules').items()}
    protocols = {n: muting_config(s) for n, s in section.sections('protocols').items()}
    scalings = {n: _weight(s) for n, s in section.sections('scalings').items()}
    full = section.section('full')
    less = section.section('reduced')
    section.done()
    study = KlStudy(training, schedules, protocols, scalings, 1, 1)
    sized = [_sized(study, s) for s in (full, less)]
    return sized[1] if reduced else sized[0]


def _sized(study: KlStudy, size: Section) -> KlStudy:
    training = replace(
        study.training,
        epochs=size.integer('epochs', low=1),
        learning_rate=size.number('learning_rate', study.training.learning_rate, 1e-7, 1),
        batch_size=size.integer('batch_size', study.training.batch_size, low=1),
    )
    epochs = size.integer('schedule_epochs', low=1)
    schedules = {
        name: replace(s, epochs=epochs if s.start > s.plateau else 1)
        for name, s in study.schedules.items()
    }
    sized = replace(
        study,
        training=training,
        schedules=schedules,
        seeds=size.integer('seeds', low=1),
        record_every=size.integer('record_every', low=1),
    )
    size.done()
    return sized


def _weight(section: Section) -> float | None:
    weight = section.number('weight', low=0) if section.has('weight') else None
    section.done()
    return weight
