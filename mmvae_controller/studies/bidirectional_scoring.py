"""Scores of the study of bidirectional generation: log-likelihoods in nats, and what is drawn.

All likelihoods are those of the model, without the weight its label has in training.

    log p(x, y)   importance-weighted with q(z | x, y)
    log p(y)      with z from the prior: ten values need no better proposal
    log p(x | y)  = log p(x, y) - log p(y)
    log p(x)      importance-weighted, and the best of the valid bounds: with q(z | x, y^), y^
                  the label that the model itself finds for x, so that the proposal depends on x
                  alone; with q(z | x), of models that have one; and log p(x, y), which is never
                  above it because a label is discrete, so p(y | x) <= 1

A bound with few samples on all rows is followed by what many samples add on some of them: the
rows differ by far more than the bounds do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import math
from typing import Any

from mmvae_controller.datasets.image_label import CLASSES, IMAGE, LABEL, MODALITIES
from mmvae_controller.studies.bidirectional_settings import Asking, Model, Scores
from mmvae_controller.studies.bidirectional_training import Values
from mmvae_controller.studies.errors import StudyError
from mmvae_controller.vae.bounds import believe, log_mean_exp, log_weights, prior_log_likelihood
from mmvae_controller.vae.distributions import Bernoulli
from mmvae_controller.vae.network import TwoStepVAE
import torch
from torch import Tensor
from torch.nn import functional

ROWS = {m.name: row for row, m in enumerate(MODALITIES)}
# So many rows are scored at once: enough for the matrices, few enough for the memory.
BATCH = 500
# Samples by which the ways of asking are compared on validation rows.
CHOOSING = 200
# And so many of these rows for the label, of which every row has an image of its own.
CHOOSING_ROWS = 500
SEED = 20260
# See above; the last is of models alone that have an encoder for an image by itself.
BOUNDS_OF_IMAGE = ('log_p_xy', 'log_p_x_by_label', 'log_p_x_alone')


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over rows with its standard error, in nats."""

    mean: float
    error: float

    @classmethod
    def of(cls, rows: Tensor) -> Estimate:
        """Return that of one number for each row, `(N,)`."""
        spread = float(rows.std()) if len(rows) > 1 else 0.0
        return cls(float(rows.mean()), spread / math.sqrt(len(rows)))


@torch.no_grad()
def score(
    network: TwoStepVAE, model: Model, scores: Scores, validation: Values, test: Values
) -> dict[str, Any]:
    """Return all scores of a trained model, as plain data."""
    draw = torch.Generator().manual_seed(SEED)
    image_asking, image_choice = choose_image_asking(network, model.askings, validation, draw)
    label_asking, label_choice = choose_label_asking(
        network, model.askings, validation, scores.label_samples, draw
    )
    samples = scores.generation_samples
    generated = {a: generate_images(network, test, samples, a, draw) for a in model.askings}
    best = generated[image_asking]
    chances = label_chances(network, test[IMAGE], scores.label_samples, label_asking, draw)
    truth = test[LABEL][:, 0]
    right = (chances.argmax(1) == truth.argmax(1)).float()
    found = likelihoods(network, model, scores, test, chances, draw)
    return found | {
        'generation_x_given_y': plain(Estimate.of(best)),
        'generation_by_asking': {str(a): plain(Estimate.of(g)) for a, g in generated.items()},
        'generation_y_given_x': plain(Estimate.of(_log_chance(chances, truth))),
        'accuracy': plain(Estimate.of(right)),
        'asking': {'image': str(image_asking), 'label': str(label_asking)},
        'validation': {'image': image_choice, 'label': label_choice},
    }


def latents_of_label(
    network: TwoStepVAE, label: int, samples: int, asking: Asking, draw: torch.Generator
) -> Tensor:
    """Return z `(samples, Z)` that a label alone makes the model believe."""
    labels = torch.zeros(samples, 1, CLASSES)
    labels[:, :, label] = 1
    size = next(m.size for m in network.modalities if m.name == IMAGE)
    values = {IMAGE: torch.zeros(samples, 1, size), LABEL: labels}
    return believe(network, values, only(LABEL, samples), asking.rounds, draw, asking.top)


def generate_images(
    network: TwoStepVAE, values: Values, samples: int, asking: Asking, draw: torch.Generator
) -> Tensor:
    """Return log 1/K sum_k p(x | z_k) `(N,)` of images, z_k drawn from their label alone.

    It is `bounds.generation`; but a label has ten values only, so the images of a class share
    its K latents, and their likelihoods are one product of matrices.
    """
    images, classes = values[IMAGE][:, 0], values[LABEL][:, 0].argmax(1)
    likelihood = torch.zeros(len(images))
    for label in range(CLASSES):
        rows = classes == label
        if not rows.any():
            continue
        latent = latents_of_label(network, label, samples, asking, draw)
        decoded = network.decode(latent, [IMAGE])[IMAGE]
        if not isinstance(decoded, Bernoulli):
            raise StudyError(f'images are decoded as {type(decoded).__name__}, not as Bernoulli')
        logits = decoded.logits[:, 0]
        found = images[rows] @ logits.T - functional.softplus(logits).sum(1)
        likelihood[rows] = log_mean_exp(found.T)
    return likelihood


def label_chances(
    network: TwoStepVAE, images: Tensor, samples: int, asking: Asking, draw: torch.Generator
) -> Tensor:
    """Return the mean of p(y | z) over latents that each image alone makes believe, `(N, 10)`."""
    found = []
    for start in range(0, len(images), BATCH):
        part = images[start : start + BATCH]
        values = {IMAGE: part, LABEL: torch.zeros(len(part), 1, CLASSES)}
        known, chances = only(IMAGE, len(part)), torch.zeros(len(part), CLASSES)
        for _ in range(samples):
            latent = believe(network, values, known, asking.rounds, draw, asking.top)
            chances += network.decode(latent, [LABEL])[LABEL].mean[:, 0] / samples
        found.append(chances)
    return torch.cat(found)


def choose_image_asking(
    network: TwoStepVAE, candidates: Sequence[Asking], values: Values, draw: torch.Generator
) -> tuple[Asking, dict[str, float]]:
    """Return how the best images are drawn, and what each way scores, in nats."""
    found = {
        asking: float(generate_images(network, values, CHOOSING, asking, draw).mean())
        for asking in candidates
    }
    return max(found, key=lambda a: found[a]), {str(a): v for a, v in found.items()}


def choose_label_asking(
    network: TwoStepVAE,
    candidates: Sequence[Asking],
    values: Values,
    samples: int,
    draw: torch.Generator,
) -> tuple[Asking, dict[str, float]]:
    """Return how the label is found best, and the mean log-likelihood of each way."""
    truth, images = values[LABEL][:CHOOSING_ROWS, 0], values[IMAGE][:CHOOSING_ROWS]
    found = {}
    for asking in candidates:
        chances = label_chances(network, images, samples, asking, draw)
        found[asking] = float(_log_chance(chances, truth).mean())
    return max(found, key=lambda a: found[a]), {str(a): v for a, v in found.items()}


def _log_chance(chances: Tensor, truth: Tensor) -> Tensor:
    """Return the log of what the truth was given, `(N,)`, finite where that was nothing."""
    return (chances * truth).sum(1).clamp_min(torch.finfo(chances.dtype).tiny).log()


def likelihoods(
    network: TwoStepVAE,
    model: Model,
    scores: Scores,
    test: Values,
    chances: Tensor,
    draw: torch.Generator,
) -> dict[str, Any]:
    """Return the bounds named at the top, and the ELBO."""
    both, whole = [IMAGE, LABEL], torch.ones(len(test[IMAGE]), len(ROWS), 1)
    found_label = functional.one_hot(chances.argmax(1), CLASSES).to(chances.dtype)[:, None]
    guessed = {IMAGE: test[IMAGE], LABEL: found_label}
    asked = {
        'log_p_xy': (test, whole, both),
        'log_p_x_by_label': (guessed, whole, [IMAGE]),
    }
    if model.knows_subsets:
        asked['log_p_x_alone'] = (test, only(IMAGE, len(whole)), [IMAGE])
    bounds, elbo = {}, Estimate(0.0, 0.0)
    for name, (values, known, scored) in asked.items():
        bounds[name], single = bound(network, values, known, scored, scores, draw)
        elbo = single if name == 'log_p_xy' else elbo
    every = {LABEL: torch.eye(CLASSES)[:, None]}
    by_class = prior_log_likelihood(network, every, [LABEL], scores.prior_samples, draw)
    label = Estimate.of(by_class[test[LABEL][:, 0].argmax(1)])
    joint = bounds['log_p_xy']
    given = Estimate(joint.mean - label.mean, math.hypot(joint.error, label.error))
    named = bounds | {'log_p_y': label, 'log_p_x_given_y': given, 'elbo': elbo}
    return with_image_bound({name: plain(e) for name, e in named.items()})


def with_image_bound(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return scores with `log_p_x` as the best bound of it that is among them."""
    candidates = [found[name] for name in BOUNDS_OF_IMAGE if name in found]
    return {**found, 'log_p_x': max(candidates, key=lambda bound: bound['mean'])}


def bound(
    network: TwoStepVAE,
    values: Values,
    known: Tensor,
    scored: Sequence[str],
    scores: Scores,
    draw: torch.Generator,
) -> tuple[Estimate, Estimate]:
    """Return the importance-weighted bound with `tight_samples`, and the one with one sample."""
    few = scores.importance_samples
    weights = _weights(network, values, known, scored, few, draw)
    on_all = Estimate.of(log_mean_exp(weights))
    some = {n: v[: scores.tight_rows] for n, v in values.items()}
    tight = _weights(network, some, known[: scores.tight_rows], scored, scores.tight_samples, draw)
    added = Estimate.of(log_mean_exp(tight) - log_mean_exp(tight[:few]))
    whole = Estimate(on_all.mean + added.mean, math.hypot(on_all.error, added.error))
    return whole, Estimate.of(weights.mean(0))


def _weights(
    network: TwoStepVAE,
    values: Values,
    known: Tensor,
    scored: Sequence[str],
    samples: int,
    draw: torch.Generator,
) -> Tensor:
    """Return `(K, N)`, by parts of the rows."""
    parts = []
    for start in range(0, len(known), BATCH):
        rows = slice(start, start + BATCH)
        part = {n: v[rows] for n, v in values.items()}
        parts.append(log_weights(network, part, known[rows], scored, samples, draw))
    return torch.cat(parts, dim=1)


def only(name: str, count: int) -> Tensor:
    """Return the mask `(count, 2, 1)` of one modality."""
    known = torch.zeros(count, len(ROWS), 1)
    known[:, ROWS[name]] = 1
    return known


def plain(estimate: Estimate) -> dict[str, float]:
    """Return it as plain data."""
    return {'mean': estimate.mean, 'error': estimate.error}
