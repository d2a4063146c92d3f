"""Trains one model of the study of bidirectional generation, and finds it again on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
import json
import math
from pathlib import Path
import time
from typing import Any

from mmvae_controller.datasets.image_label import IMAGE, ImageLabel, LABEL, MODALITIES, Part
from mmvae_controller.studies.bidirectional_settings import Job, Precision, Training
from mmvae_controller.studies.errors import StudyError
from mmvae_controller.studies.files import write_bytes, write_json
from mmvae_controller.training.state import load_state, save_state
from mmvae_controller.vae.network import TwoStepVAE
from mmvae_controller.vae.objective import Objective
from mmvae_controller.vae.objectives import noise_sizes, objective, Sample
import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load_file, save
import torch
from torch import Tensor

STATE_FILE, WEIGHTS_FILE, CURVE_FILE = 'training.safetensors', 'weights.safetensors', 'curve.json'
ANEW = 'remove its folder to train it anew'
# Seed and epoch become one: no study has as many epochs.
EPOCHS_PER_SEED = 1_000_003

Values = Mapping[str, Tensor]
Curve = list[dict[str, float]]


def tensors(part: Part) -> dict[str, Tensor]:
    """Return all images `(N, 1, 784)` in 0..1 and one-hot labels `(N, 1, 10)`."""
    return {n: torch.from_numpy(v) for n, v in part.batch(np.arange(len(part))).items()}


def split(data: ImageLabel, validation_rows: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return what is trained on and, off its end, what is validated on.

    Raises:
        StudyError: Nothing would be left to train on.

    """
    if validation_rows >= len(data.train):
        raise StudyError(
            f'validation_rows is {validation_rows}, expected below the {len(data.train)} rows '
            'there are for training'
        )
    whole = tensors(data.train)
    train = {n: v[:-validation_rows] for n, v in whole.items()}
    return train, {n: v[-validation_rows:] for n, v in whole.items()}


def train(
    job: Job,
    config: Training,
    data: Values,
    validation: Values,
    folder: Path,
    on_epoch: Callable[[dict[str, float]], None],
    must_end: Callable[[], bool],
) -> tuple[TwoStepVAE, Curve] | None:
    """Train a model, or go on where it was; return it with its curve, None if it must end."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(job.seed)
        network = TwoStepVAE(MODALITIES, job.model.network)
    steps = math.ceil(len(data[IMAGE]) / config.batch_size)
    optimiser = torch.optim.Adam(network.parameters(), config.learning_rate, fused=True)
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: config.rate_schedule.factor(step, steps * config.epochs, 0)
    )
    identity, state = job.identity, folder / STATE_FILE
    curve: Curve = []
    if state.exists():
        curve = load_state(state, identity, network, optimiser, scheduler)['curve']
        for epoch in curve:
            on_epoch(epoch)
    saved_at = time.monotonic()
    for number in range(len(curve), config.epochs):
        began = time.monotonic()
        draw = torch.Generator().manual_seed(job.seed * EPOCHS_PER_SEED + number)
        found = _epoch(network, job, config, data, number, steps, optimiser, scheduler, draw)
        found |= _validate(network, job, validation)
        found |= {'epoch': number + 1, 'seconds': time.monotonic() - began}
        if not math.isfinite(found['loss']):
            raise StudyError(f'{job.name}: the loss became {found["loss"]} in epoch {number + 1}')
        curve.append(found)
        ending = must_end()
        if ending or time.monotonic() - saved_at >= config.save_every_s:
            save_state(state, identity, network, optimiser, scheduler, {'curve': curve})
            saved_at = time.monotonic()
        on_epoch(found)
        if ending:
            return None
    _write(folder, job, network, curve)
    state.unlink(missing_ok=True)
    return network.eval(), curve


def find_trained(job: Job, folder: Path) -> tuple[TwoStepVAE, Curve] | None:
    """Return the trained model of a folder with its curve, None if training has not ended.

    Raises:
        StudyError: It was trained with other settings, or is damaged.

    """
    curve = read_result(job, folder / CURVE_FILE)
    if curve is None:
        return None
    weights = folder / WEIGHTS_FILE
    network = TwoStepVAE(MODALITIES, job.model.network)
    try:
        network.load_state_dict(load_file(weights))
    except (OSError, RuntimeError, SafetensorError) as error:
        raise StudyError(f'{weights}: cannot be read: {error}; {ANEW}') from error
    return network.eval(), curve['curve']


def read_result(job: Job, path: Path) -> dict[str, Any] | None:
    """Return what was written for a job, None if nothing was.

    Raises:
        StudyError: It was made of other data or with other settings, or is damaged.

    """
    if not path.exists():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding='utf-8'))
        identity, data = found['identity'], found.get('data', 'data that it does not name')
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StudyError(f'{path}: cannot be read: {error}; {ANEW}') from error
    if data != job.data:
        raise StudyError(
            f'{path}: was made of {data}; now there are {job.data}: give the study another '
            'folder with --out, or restore the data it was started with'
        )
    if identity != job.identity:
        raise StudyError(
            f'{path}: was made with other settings; give the study another folder with '
            '--out, or restore the settings it was started with'
        )
    return found


def _epoch(
    network: TwoStepVAE,
    job: Job,
    config: Training,
    data: Values,
    number: int,
    steps: int,
    optimiser: torch.optim.Optimizer,
    scheduler: torch.optim.lr_scheduler.LambdaLR,
    draw: torch.Generator,
) -> dict[str, float]:
    network.train()
    order = torch.randperm(len(data[IMAGE]), generator=draw)
    total = torch.zeros(4)
    half = config.precision is Precision.BFLOAT16
    for step in range(steps):
        rows = order[step * config.batch_size : (step + 1) * config.batch_size]
        shown = (number * steps + step + 1) / max(1, config.warmup_epochs * steps)
        sample = everything_known({n: v[rows] for n, v in data.items()})
        noise = [torch.randn(len(rows), s, generator=draw) for s in noise_sizes(network)]
        with torch.autocast('cpu', torch.bfloat16, enabled=half):
            found = objective(network, job.model.objective, sample, noise, min(1.0, shown))
        optimiser.zero_grad()
        found.loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        scheduler.step()
        total += _figures(found) / steps
    return dict(zip(('loss', 'kl', 'nll_image', 'nll_label'), total.tolist(), strict=True))


def everything_known(values: Values) -> Sample:
    """Return a sample in which nothing is missing, of `(B, 1, D)` each."""
    count, like = len(values[IMAGE]), values[IMAGE]
    known = torch.ones(count, len(values), 1, device=like.device)
    there = torch.ones(count, 1, dtype=torch.bool, device=like.device)
    return Sample(values, known, values, dict.fromkeys(values, there))


def _figures(found: Objective) -> Tensor:
    parts = found.negative_log_likelihood
    return torch.stack([found.loss, found.kl, parts[IMAGE], parts[LABEL]]).detach()


@torch.no_grad()
def _validate(network: TwoStepVAE, job: Job, values: Values) -> dict[str, float]:
    """Return the ELBO of image and label on validation rows, without the label's weight."""
    network.eval()
    fixed = torch.Generator().manual_seed(job.seed)
    sample = everything_known(values)
    posterior = network.encode(sample.shown, sample.known)
    noise = [torch.randn(len(sample.known), s, generator=fixed) for s in noise_sizes(network)]
    latent = posterior.at(noise[0])
    divergence = network.prior.divergence(posterior, latent, noise[1:])
    decoded = network.decode(latent, [IMAGE, LABEL])
    nll = sum(decoded[n].nll(values[n]).sum() / len(latent) for n in (IMAGE, LABEL))
    return {'validation_elbo': float(-nll - divergence.mean())}


def _write(folder: Path, job: Job, network: TwoStepVAE, curve: Curve) -> None:
    """Write weights and curve; the curve last, for it says that the weights are there."""
    weights = {n: t.contiguous() for n, t in network.state_dict().items()}
    write_bytes(folder / WEIGHTS_FILE, save(weights))
    known = {'identity': job.identity, 'data': job.data}
    write_json(folder / CURVE_FILE, {**known, 'curve': curve})
