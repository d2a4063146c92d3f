"""The settings of the study of bidirectional generation, as its YAML gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
import hashlib
import json
from pathlib import Path
from typing import Any

from mmvae_controller.datasets.image_label import (
    FASHION_MNIST,
    IMAGE,
    ImageLabel,
    LABEL,
    MODALITIES,
)
from mmvae_controller.modality.reader import Section
from mmvae_controller.studies.errors import StudyError
from mmvae_controller.studies.files import Kind
from mmvae_controller.training.optimising import RateSchedule
from mmvae_controller.vae.config import Fusion, Likelihood, network_config, NetworkConfig
from mmvae_controller.vae.objective_settings import objective_config, ObjectiveConfig

LIKELIHOODS = {IMAGE: Likelihood.BERNOULLI, LABEL: Likelihood.CATEGORICAL}


class Precision(StrEnum):
    """In what the matrices of training are multiplied; scores are always in float32."""

    FLOAT32 = 'float32'
    BFLOAT16 = 'bfloat16'


@dataclass(frozen=True, slots=True)
class Asking:
    """How a model is asked for what is missing; see `bounds.believe`.

    Args:
        rounds: How often what is missing is drawn, read again with what is known, drawn anew.
        top: Whether z_1 is drawn from p(z_1 | z_2) every time, rather than from q(z_1 | ...).

    """

    rounds: int
    top: bool

    def __str__(self) -> str:
        """Return it as in the results."""
        return f'{self.rounds}{" by the top" if self.top else ""}'


@dataclass(frozen=True, slots=True)
class Model:
    """One member of the family.

    Args:
        name: Of its folder, and its key in the YAML.
        title: In tables and figures.
        seeds: It is trained once with each.
        network: With its fusion, and its hierarchy if it has one.
        objective: What is minimised.
        askings: How it may be asked for what is missing; validation rows choose.
        published: Scores printed beside ours, in nats.
        said: What the YAML says of its training, for recognising it on disk.

    """

    name: str
    title: str
    seeds: tuple[int, ...]
    network: NetworkConfig
    objective: ObjectiveConfig
    askings: tuple[Asking, ...]
    published: Mapping[str, float]
    said: Mapping[str, Any]

    @property
    def knows_subsets(self) -> bool:
        """Whether it has an encoder of its own for an image without its label."""
        return self.network.fusion is not Fusion.JOINT

    def job_name(self, seed: int) -> str:
        """Return the name of one seed's folder below that of the results."""
        return f'{self.name}-seed{seed}'


@dataclass(frozen=True, slots=True)
class Training:
    """How each model is trained; see config/study/jmvae.yaml."""

    epochs: int
    batch_size: int
    learning_rate: float
    rate_schedule: RateSchedule
    warmup_epochs: int
    precision: Precision
    validation_rows: int
    save_every_s: float


@dataclass(frozen=True, slots=True)
class Scores:
    """How many rows and samples the scores take; see config/study/jmvae.yaml."""

    generation_samples: int
    label_samples: int
    importance_samples: int
    tight_samples: int
    tight_rows: int
    prior_samples: int


@dataclass(frozen=True, slots=True)
class Job:
    """One model with one seed.

    Args:
        model: Which.
        seed: Of its weights, order and noise.
        data: What it is trained and judged on; see `describe`.

    """

    model: Model
    seed: int
    data: str

    @property
    def name(self) -> str:
        """Of its folder below that of the results."""
        return self.model.job_name(self.seed)

    @property
    def identity(self) -> str:
        """What a run that goes on must have in common with the one that was saved."""
        return _hash([self.model.said, self.seed, self.data])

    def judged_by(self, scores: Scores) -> str:
        """Return what its scores depend on beside itself; it is scored anew if that changes."""
        return _hash([asdict(scores), [str(a) for a in self.model.askings]])


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole study."""

    data: Path
    training: Training
    scores: Scores
    models: tuple[Model, ...]

    def jobs(self, data: str) -> list[Job]:
        """Return what to train, in an order whose beginning is worth something by itself.

        Seed by seed, every model; models with fewer seeds than others come last.

        Args:
            data: What to train on; see `describe`.

        """
        keyed = [
            ((-len(model.seeds), turn, place), Job(model, seed, data))
            for place, model in enumerate(self.models)
            for turn, seed in enumerate(model.seeds)
        ]
        return [job for _, job in sorted(keyed, key=lambda pair: pair[0])]


def read_settings(section: Section, reduced: bool) -> Settings:
    """Read and check the YAML of the study.

    Args:
        section: The whole.
        reduced: Whether what its section `reduced` says replaces what stands outside it.

    Raises:
        ModalityError: A key is missing, wrong or unknown.
        VaeError: A network cannot be built as asked.
        StudyError: A network is not of this study's images and labels.

    """
    less = section.section('reduced').data if section.has('reduced') else {}
    whole = {k: v for k, v in section.data.items() if k != 'reduced'}
    section = Section(merged(whole, less) if reduced else whole, section.where)
    kind = section.choice('kind', Kind, Kind.BIDIRECTIONAL)
    if kind is not Kind.BIDIRECTIONAL:
        raise StudyError(f'{section.where}: kind is {kind}, expected {Kind.BIDIRECTIONAL}')
    common, trained = section.section('network'), section.section('training')
    seeds = section.shape('seeds')
    settings = Settings(
        data=Path(section.text('data', str(FASHION_MNIST))),
        training=_training(trained),
        scores=_scores(section.section('scores')),
        models=tuple(
            _model(name, part, common, trained, seeds)
            for name, part in section.sections('models').items()
        ),
    )
    section.done()
    if not settings.models:
        raise StudyError(f'{section.where}: models is empty, expected at least one')
    return settings


def describe(data: ImageLabel) -> str:
    """Return how many images there are and the sha256 of all, packed or not: which data it is."""
    digest = hashlib.sha256()
    for part in (data.train, data.test):
        digest.update(f'{len(part)} images\n'.encode())
        digest.update(part.pixels.tobytes())
        digest.update(part.classes.tobytes())
    counts = f'{len(data.train)} images to train and {len(data.test)} to test on'
    return f'{counts}, sha256 {digest.hexdigest()}'


def _hash(said: Any) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def merged(whole: Mapping[str, Any], less: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping with what another says instead, down through the mappings inside."""
    found = dict(whole)
    for key, value in less.items():
        inside = found.get(key)
        if isinstance(inside, Mapping) and isinstance(value, Mapping):
            found[key] = merged(inside, value)
        else:
            found[key] = value
    return found


def _training(section: Section) -> Training:
    training = Training(
        epochs=section.integer('epochs', low=1),
        batch_size=section.integer('batch_size', low=1),
        learning_rate=section.number('learning_rate', low=0.0),
        rate_schedule=section.choice('rate_schedule', RateSchedule, RateSchedule.CONSTANT),
        warmup_epochs=section.integer('warmup_epochs'),
        precision=section.choice('precision', Precision, Precision.FLOAT32),
        validation_rows=section.integer('validation_rows', low=1),
        save_every_s=section.number('save_every_s', default=60.0, low=0.0),
    )
    section.done()
    return training


def _scores(section: Section) -> Scores:
    names = ('generation', 'label', 'importance', 'tight', 'prior')
    samples = {f'{n}_samples': section.integer(f'{n}_samples', low=1) for n in names}
    scores = Scores(**samples, tight_rows=section.integer('tight_rows', low=2))
    section.done()
    if scores.tight_samples < scores.importance_samples:
        raise StudyError(
            f'{section.where}: tight_samples is {scores.tight_samples}, expected at least '
            f'importance_samples, {scores.importance_samples}'
        )
    return scores


def _model(
    name: str,
    section: Section,
    common: Section,
    trained: Section,
    seeds: tuple[int, ...],
) -> Model:
    own = section.section('network').data if section.has('network') else {}
    said = {**common.data, **own}
    network = network_config(Section(said, f'{section.where}: network'), MODALITIES)
    objective = section.section('objective')
    _check(section.where, network)
    published = section.section('published').data if section.has('published') else {}
    whole = Section(published, f'{section.where}: published')
    model = Model(
        name=name,
        title=section.text('title', name),
        seeds=section.shape('seeds') if section.has('seeds') else seeds,
        network=network,
        objective=objective_config(objective, network),
        askings=_askings(section, network),
        published={str(k): whole.number(str(k)) for k in published},
        said={
            'network': said,
            'objective': objective.data,
            # How often a state is saved changes nothing.
            'training': {k: v for k, v in trained.data.items() if k != 'save_every_s'},
        },
    )
    section.done()
    return model


def _askings(section: Section, network: NetworkConfig) -> tuple[Asking, ...]:
    rounds = section.numbers('rounds', (0.0,))
    if not rounds or any(n < 0 or n != int(n) for n in rounds):
        raise StudyError(f'{section.where}: rounds is {rounds}, expected whole numbers from 0')
    found = [Asking(int(n), False) for n in rounds]
    if network.hierarchy is not None:
        found += [Asking(int(n), True) for n in rounds if n > 0]
    return tuple(found)


def _check(where: str, network: NetworkConfig) -> None:
    for name, wanted in LIKELIHOODS.items():
        found = network.branches[name].likelihood
        if found is not wanted:
            raise StudyError(
                f'{where}: network: branches.{name}: likelihood is {found}, expected {wanted}'
            )
    if network.steps != 1:
        raise StudyError(f'{where}: steps is {network.steps}, an image and its label have 1')
