"""Many small models at once: 80 of the published network beside one by one, and a naive loop.

As many windows, patterns and rows a batch as the published training has, of random numbers: how
fast that goes does not depend on them. One thread, as each process of a study has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mmvae_controller.benchmarks.bare_study import LATENT, naive_epochs, READS, TRUNKS, WRITES
from mmvae_controller.benchmarks.figures import Figure, Found, Say
from mmvae_controller.benchmarks.timing import in_turns
from mmvae_controller.benchmarks.windows import RandomWindows, vector
from mmvae_controller.modality.observation import Mask, pattern_mask
from mmvae_controller.training.config import OFF, TrainingConfig
from mmvae_controller.training.ensemble import Ensemble
from mmvae_controller.training.muting import Muting, Pattern
from mmvae_controller.training.optimising import OptimiserConfig, OptimiserName, RateSchedule
from mmvae_controller.training.trainer import Trainer
from mmvae_controller.vae.config import Activation, BranchConfig, NetworkConfig
from mmvae_controller.vae.schedule import KlSchedule
import numpy as np
import torch
from torch import Tensor

WINDOWS, BATCH, LEARNING_RATE, KL_WEIGHT, MUTED = 1845, 1000, 5e-5, 1.0, -2.0
MODALITIES = (
    vector('joint', 4),
    vector('vision', 4),
    vector('touch', 1),
    vector('sound', 1),
    vector('motor', 4, is_command=True),
)
BOTH, ONLY_PREVIOUS = (True, True), (True, False)
PATTERNS: Mapping[str, Mask] = {
    'complete': pattern_mask(MODALITIES, {m.name: BOTH for m in MODALITIES}),
    'vision_only': pattern_mask(MODALITIES, {'vision': BOTH}),
    'prediction': pattern_mask(MODALITIES, {m.name: ONLY_PREVIOUS for m in MODALITIES}),
    'control': pattern_mask(MODALITIES, {'joint': ONLY_PREVIOUS, 'vision': BOTH}),
}
# All as published: 20 seeds of four schedules. A group of `mmvae study` has 8.
SIZES, SIZES_QUICK = (1, 2, 4, 8, 16, 32, 80), (1, 2)
SCHEDULES = 4
ROUNDS, WARM_UP = 5, 1
PER_S = 'epochs x models / s'
ALONE, NAIVE = 'one at a time, `Trainer`', 'a naive PyTorch loop, one at a time'


def benchmark(quick: bool, say: Say) -> Found:
    """Measure; see the protocol."""
    sizes = SIZES_QUICK if quick else SIZES
    windows = RandomWindows(MODALITIES, WINDOWS, PATTERNS, seed=0)
    alone = Trainer(published_config(0), windows).epochs(lambda step, loss: None)
    naive = naive_epochs(*muted_rows(windows), BATCH, LEARNING_RATE, KL_WEIGHT)
    calls = [naive, lambda: next(alone), *(_together(windows, size) for size in sizes)]
    say(f'epochs of 1 to {sizes[-1]} models in turns')
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        took = in_turns(calls, 1 if quick else ROUNDS, 0 if quick else WARM_UP)
    finally:
        torch.set_num_threads(threads)
    naive_rate, alone_rate, *rates = (
        models / float(np.median(seconds))
        for models, seconds in zip((1, 1, *sizes), took, strict=True)
    )
    whole = f'{sizes[-1]} models at once'
    figures = [
        Figure(whole, PER_S, rates[-1], alone_rate, ALONE),
        Figure(whole, PER_S, rates[-1], naive_rate, NAIVE),
        *(
            Figure(f'{size} at once', PER_S, rate, alone_rate, ALONE)
            for size, rate in zip(sizes[:-1], rates[:-1], strict=True)
        ),
    ]
    return Found(figures, _settings(quick), NOTES)


NOTES = (
    'Per core: a study has a process of one thread on each. The naive loop draws no masks, checks '
    'nothing and reports nothing; it has the same fused Adam.',
    'On a GPU nothing was measured: there was none.',
)


def published_config(index: int) -> TrainingConfig:
    """Return the training of one of the models, as `config/train/icub_published.yaml` has it."""
    branches = {
        m.name: BranchConfig(read, write, 0.5 / m.size, normalise=False, trunk=trunk)
        for m, read, write, trunk in zip(MODALITIES, READS, WRITES, TRUNKS, strict=True)
    }
    return TrainingConfig(
        name=str(index),
        network=NetworkConfig(
            latent=LATENT,
            activation=Activation.RELU,
            shared_encoder=(100,),
            shared_decoder=(100, sum(TRUNKS)),
            branches=branches,
            presence=False,
            fill=MUTED,
            initial_log_variance=0.0,
        ),
        muting=Muting({Pattern.NAMED: 1.0}),
        kl=KlSchedule(KL_WEIGHT, KL_WEIGHT, 1),
        epochs=10**9,
        batch_size=BATCH,
        learning_rate=LEARNING_RATE,
        warmup_steps=0,
        gradient_norm=OFF,
        held_out=0.0,
        seed=index // SCHEDULES,
        optimiser=OptimiserConfig(OptimiserName.ADAM, 0.0),
        rate_schedule=RateSchedule.CONSTANT,
        passes=len(PATTERNS),
    )


def muted_rows(windows: RandomWindows) -> tuple[Tensor, Tensor]:
    """Return every window under each pattern, `(4 N, 28)` muted and as it is."""
    parts = [torch.from_numpy(windows.values[m.name]) for m in MODALITIES]
    target = torch.cat([part.flatten(1) for part in parts], dim=1)
    shown = []
    for pattern in PATTERNS.values():
        known = torch.from_numpy(pattern)[:, None, :, None]
        rows = [torch.where(k, v, MUTED) for k, v in zip(known, parts, strict=True)]
        shown.append(torch.cat([row.flatten(1) for row in rows], dim=1))
    return torch.cat(shown), target.repeat(len(PATTERNS), 1)


def _together(windows: RandomWindows, size: int) -> Callable[[], object]:
    epochs = Ensemble([published_config(index) for index in range(size)], windows).epochs()
    return lambda: next(epochs)


def _settings(quick: bool) -> dict[str, Any]:
    return {
        'windows': WINDOWS,
        'rows an epoch': WINDOWS * len(PATTERNS),
        'batch': BATCH,
        'latent': LATENT,
        'epochs': 1 if quick else ROUNDS,
        'threads': 1,
    }
