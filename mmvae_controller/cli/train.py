"""`mmvae train`."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
import time
from typing import Any

from mmvae_controller.cli.paths import find_config
from mmvae_controller.cli.progress import progress_bar
from mmvae_controller.datasets.store import Dataset
from mmvae_controller.modality.contract import CONTRACT_FILE
from mmvae_controller.training.config import load_training_config
from mmvae_controller.training.trainer import EpochResult, Trainer
from mmvae_controller.vae.checkpoint import save_model
from torch.utils.tensorboard import SummaryWriter

STATE_FILE = 'training.safetensors'
LOG_FOLDER = 'logs'


def run(dataset: Path, out: Path, config: str, epochs: int | None, seed: int | None) -> None:
    """Train, with a progress bar and TensorBoard logs; the model is written at the end."""
    data = Dataset(dataset)
    settings = load_training_config(find_config(config), data.modalities)
    settings = replace(
        settings,
        epochs=settings.epochs if epochs is None else epochs,
        seed=settings.seed if seed is None else seed,
    )
    trainer = Trainer(settings, data)
    out.mkdir(parents=True, exist_ok=True)
    state = out / STATE_FILE
    if state.exists():
        trainer.resume(state)
        print(f'going on with epoch {trainer.epoch} of {settings.epochs}')
    if trainer.epoch == settings.epochs and (out / CONTRACT_FILE).exists():
        print(f'{out}: is trained already')
        return
    began = time.monotonic()
    last: EpochResult | None = None
    log = SummaryWriter(str(out / LOG_FOLDER))
    with progress_bar() as bar:
        total = settings.epochs * trainer.steps_per_epoch
        done = trainer.epoch * trainer.steps_per_epoch
        line = bar.add_task('steps', total=total, completed=done, figures='')
        figures = ''

        def on_step(step: int, loss: float) -> None:
            bar.update(line, advance=1, figures=f'loss {loss:8.2f}  {figures}')

        for last in trainer.epochs(on_step):
            _log(log, last)
            trainer.save(state)
            figures = f'epoch {last.epoch}: {data_unit(trainer, last)}, KL {last.kl:.1f}'
    log.close()
    provenance = _provenance(trainer, last, time.monotonic() - began)
    save_model(
        out, trainer.model, settings.name, data.description.step_s, provenance, trainer.normalisers
    )
    print(f'{out}: wrote the model; {figures}; curves: tensorboard --logdir {out / LOG_FOLDER}')


def data_unit(trainer: Trainer, result: EpochResult) -> str:
    """Return the command's error with its unit."""
    unit = next(m.unit for m in trainer.modalities if m.name == trainer.command)
    return f'{trainer.command} RMSE {result.command_rmse:.4f} {unit}'


def _log(log: SummaryWriter, result: EpochResult) -> None:
    scalars = {'loss': result.loss, 'kl': result.kl, 'command_rmse': result.command_rmse}
    scalars |= {f'nll/{n}': v for n, v in result.negative_log_likelihood.items()}
    for name, value in scalars.items():
        log.add_scalar(name, value, result.epoch)


def _provenance(trainer: Trainer, last: EpochResult | None, seconds: float) -> dict[str, Any]:
    return {
        'dataset': dict(trainer.dataset.description.provenance),
        'rows': len(trainer.train_rows),
        'validation_rows': len(trainer.validation_rows),
        'seed': trainer.config.seed,
        'epochs': trainer.config.epochs,
        'seconds_in_last_run': round(seconds),
        'last_epoch': asdict(last) if last else None,
    }
