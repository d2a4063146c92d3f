"""`mmvae train`."""

from __future__ import annotations

from contextlib import closing, nullcontext
from dataclasses import asdict
from enum import StrEnum
import math
from pathlib import Path
import signal
import sys
from typing import Any

from mmvae_controller.cli.choices import chosen
from mmvae_controller.cli.errors import CliError
from mmvae_controller.cli.files import require_own, require_place
from mmvae_controller.cli.progress import progress_bar, working
from mmvae_controller.modality.shared_files import CONTRACT_FILE, find_model
from mmvae_controller.training.config import TrainingConfig
from mmvae_controller.training.processes import is_launched, joined, local_rank
from mmvae_controller.training.trainer import EpochResult, Trainer
from mmvae_controller.training.windows import Windows
from mmvae_controller.vae.checkpoint import save_model
import torch
from torch.utils.tensorboard import SummaryWriter

STATE_FILE = 'training.safetensors'
LOG_FOLDER = 'logs'


class Device(StrEnum):
    """Where a model can be trained."""

    CPU = 'cpu'
    CUDA = 'cuda'


def run(
    data: Windows,
    settings: TrainingConfig,
    out: Path,
    initial: str | None = None,
    device: str = Device.CPU,
    dry_run: bool = False,
) -> None:
    """Train, with a progress bar and TensorBoard logs; the model is written at the end.

    A dry run checks all of it and says what would be trained.

    Started by torchrun, all processes train one model; the first one talks and writes.
    """
    where = _place(device)
    if is_launched():
        # One that waits for the others does so outside Python, and would not hear it: torchrun
        # must be able to end it, and what is saved is whole.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with joined(where) as processes:
        if processes.is_first:
            require_own(out, CONTRACT_FILE, STATE_FILE, 'model')
        with working('reading') if processes.is_first else nullcontext():
            begin = find_model(initial) if initial else None
            trainer = Trainer(settings, data, begin, processes, where)
        if processes.is_first and not dry_run:
            require_place(out / CONTRACT_FILE)
        if (out / STATE_FILE).exists():
            trainer.resume(out / STATE_FILE)
        # Looked for before any of them goes on and writes it.
        is_written = (out / CONTRACT_FILE).exists()
        trainer.gather()
        if processes.is_first and trainer.epoch < settings.epochs and trainer.slowness:
            print(trainer.slowness, file=sys.stderr)
        if dry_run:
            if processes.is_first:
                print(f'{out}: {_plan(trainer)}; nothing was written')
        elif not processes.is_first:
            for _ in trainer.epochs(lambda step, loss: None):
                pass
        elif trainer.epoch == settings.epochs and is_written:
            print(f'{out}: is trained already')
        else:
            _train(trainer, out)


def _place(device: str) -> torch.device:
    if chosen(Device, 'device', device) is Device.CPU:
        return torch.device('cpu')
    if not torch.cuda.is_available():
        raise CliError('--device is cuda, but PyTorch finds none here: leave it out')
    return torch.device('cuda', local_rank())


def _plan(trainer: Trainer) -> str:
    """Return what is left to train, in a line."""
    config = trainer.config
    if trainer.epoch == config.epochs:
        return f'all {config.epochs} epochs are done'
    parameters = sum(p.numel() for p in trainer.model.parameters())
    return (
        f'epochs {trainer.epoch + 1} to {config.epochs} of {trainer.steps_per_epoch} steps would '
        f'train {config.name}, {parameters} parameters, on {len(trainer.train_rows)} rows; '
        f'{len(trainer.validation_rows)} are held out'
    )


def _train(trainer: Trainer, out: Path) -> None:
    settings, state = trainer.config, out / STATE_FILE
    if trainer.epoch:
        print(f'{out}: {trainer.epoch} of {settings.epochs} epochs are done, going on')
    with closing(SummaryWriter(str(out / LOG_FOLDER))) as log, progress_bar() as bar:
        done = trainer.epoch * trainer.steps_per_epoch
        line = bar.add_task('steps', total=trainer.steps, completed=done, figures='')
        figures = _figures(trainer)

        def on_step(step: int, loss: float) -> None:
            bar.update(line, advance=1, figures=f'loss {loss:.2f}  {figures}')

        for result in trainer.epochs(on_step):
            _log(log, result)
            trainer.save(state)
            figures = _figures(trainer)
    with working('exporting'):
        save_model(
            out,
            trainer.model,
            settings.name,
            trainer.dataset.description.step_s,
            _provenance(trainer),
            trainer.normalisers,
            {name: ageing.longest_s for name, ageing in settings.stale.items()},
        )
    print(f'{out}: wrote the model; {figures}; curves: tensorboard --logdir {out / LOG_FOLDER}')


def _figures(trainer: Trainer) -> str:
    """Return how the last epoch went, in one line."""
    last = trainer.last
    if last is None:
        return ''
    unit = next(m.unit for m in trainer.modalities if m.name == trainer.command)
    error = f'{last.command_rmse:.4f} {unit} (policy, held out)'
    error = '-' if math.isnan(last.command_rmse) else error
    return f'epoch {last.epoch + 1}: {trainer.command} RMSE {error}, KL {last.kl:.1f}'


def _log(log: SummaryWriter, result: EpochResult) -> None:
    scalars = {'loss': result.loss, 'kl': result.kl, 'command_rmse': result.command_rmse}
    scalars |= {f'nll/{n}': v for n, v in result.negative_log_likelihood.items()}
    for name, value in scalars.items():
        if math.isnan(value):  # Nothing is held out.
            continue
        log.add_scalar(name, value, result.epoch)


def _provenance(trainer: Trainer) -> dict[str, Any]:
    config = trainer.config
    return {
        'dataset': dict(trainer.dataset.description.provenance),
        'rows': len(trainer.train_rows),
        'validation_rows': len(trainer.validation_rows),
        'split': {'held_out': config.held_out, 'seed': config.split_seed},
        'seed': config.seed,
        'initial_weights': trainer.initial or None,
        'stale': {name: asdict(ageing) for name, ageing in config.stale.items()},
        'blank': dict(config.blank),
        'muting': {family.value: share for family, share in config.muting.shares.items()},
        'epochs': config.epochs,
        'training_s': round(trainer.seconds),
        'last_epoch': _plain(trainer.last) if trainer.last else None,
    }


def _plain(result: EpochResult) -> dict[str, Any]:
    """Return an epoch for model.yaml, null in the place of what was not measured."""
    missing = math.isnan(result.command_rmse)
    return asdict(result) | ({'command_rmse': None} if missing else {})
