"""The training loop: an epoch of a joint VAE in `Trainer` beside one of a bare PyTorch loop.

JMVAE (Suzuki, Nakayama and Matsuo 2016) of the iCub's joints and motor command: two modalities of
eight numbers, as many rows as the published file has windows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mmvae_controller.benchmarks.bare_jmvae import bare_epochs, BareJmvae
from mmvae_controller.benchmarks.figures import at_most, Found, Say
from mmvae_controller.benchmarks.timing import in_turns
from mmvae_controller.benchmarks.windows import RandomWindows, vector
from mmvae_controller.modality.observation import STEPS
from mmvae_controller.training.config import OFF, TrainingConfig
from mmvae_controller.training.muting import Muting, Pattern
from mmvae_controller.training.optimising import OptimiserConfig, OptimiserName, RateSchedule
from mmvae_controller.training.trainer import Trainer
from mmvae_controller.vae.config import Activation, BranchConfig, NetworkConfig, VARIANCE_FLOOR
from mmvae_controller.vae.schedule import KlSchedule
import numpy as np
import torch

ROWS, BATCH, LATENT, WIDTH = 1845, 1000, 28, 8
LEARNING_RATE = 1e-3
MODALITIES = (vector('joint', WIDTH // STEPS), vector('motor', WIDTH // STEPS, is_command=True))
EPOCHS, EPOCHS_QUICK, WARM_UP = 150, 3, 10
GOAL = 1.2
MS_PER_S = 1e3


def benchmark(quick: bool, say: Say) -> Found:
    """Measure; see the protocol."""
    windows = RandomWindows(MODALITIES, ROWS, {}, seed=0)
    ours, bare = our_epochs(windows), _bare(windows)
    say('epochs of both in turns')
    rounds = EPOCHS_QUICK if quick else EPOCHS
    threads = torch.get_num_threads()
    # A small network on several threads measures who else is on the machine.
    torch.set_num_threads(1)
    try:
        took, took_bare = in_turns([ours, bare], rounds, 1 if quick else WARM_UP)
    finally:
        torch.set_num_threads(threads)
    figure = at_most(
        'epoch of a JMVAE, median',
        's',
        float(np.median(took)),
        float(np.median(took_bare)),
        'a bare PyTorch loop of the same network',
        GOAL,
    )
    return Found([figure], _settings(rounds), NOTES)


NOTES = (
    'Both: Adam in one pass, no clipping, one thread. Ours also draws by seed and epoch, masks, '
    'refuses a loss or gradient that is not finite, and reports each part of the loss.',
)


def jmvae_config() -> TrainingConfig:
    """Return the training: nothing masked, every likelihood and the KL at weight 1."""
    branch = BranchConfig((40, 20), (40,), 1.0, normalise=False)
    return TrainingConfig(
        name='jmvae',
        network=NetworkConfig(
            latent=LATENT,
            activation=Activation.RELU,
            shared_encoder=(100,),
            shared_decoder=(100,),
            branches={m.name: branch for m in MODALITIES},
            presence=False,
            initial_log_variance=0.0,
        ),
        muting=Muting({Pattern.COMPLETE: 1.0}),
        kl=KlSchedule(1.0, 1.0, 1),
        epochs=10**9,
        batch_size=BATCH,
        learning_rate=LEARNING_RATE,
        warmup_steps=0,
        gradient_norm=OFF,
        held_out=0.0,
        seed=0,
        optimiser=OptimiserConfig(OptimiserName.ADAM, 0.0),
        rate_schedule=RateSchedule.CONSTANT,
    )


def our_epochs(windows: RandomWindows) -> Callable[[], object]:
    """Return what trains for one epoch as `mmvae train` does."""
    epochs = Trainer(jmvae_config(), windows).epochs(lambda step, loss: None)
    return lambda: next(epochs)


def bare_network() -> BareJmvae:
    """Return the bare network, as large as ours."""
    return BareJmvae(WIDTH, LATENT, VARIANCE_FLOOR)


def _bare(windows: RandomWindows) -> Callable[[], object]:
    torch.manual_seed(0)
    x, w = (torch.from_numpy(windows.values[m.name]).flatten(1) for m in MODALITIES)
    return bare_epochs(bare_network(), x, w, BATCH, LEARNING_RATE)


def _settings(rounds: int) -> dict[str, Any]:
    return {
        'rows': ROWS,
        'batch': BATCH,
        'latent': LATENT,
        'width of a modality': WIDTH,
        'parameters': sum(p.numel() for p in bare_network().parameters()),
        'epochs': rounds,
        'threads': 1,
    }
