"""`mmvae clone`."""

from __future__ import annotations

from dataclasses import asdict
import math
from pathlib import Path
import sys
from typing import Any

from mmvae_controller import __version__
from mmvae_controller.cli.files import require_own, require_place
from mmvae_controller.cli.progress import progress_bar, working
from mmvae_controller.datasets.opening import open_windows
from mmvae_controller.modality.shared_files import find_config
from mmvae_controller.training.cloning import Cloner
from mmvae_controller.training.cloning_config import load_cloning_config
from mmvae_controller.training.cloning_export import save_peer
from mmvae_controller.training.peer_contract import PEER_FILE
import numpy as np
import torch

STATE_FILE = 'cloning.safetensors'


def run(dataset: str, out: Path, config: str, epochs: int | None) -> None:
    """Clone, with a progress bar; the peer is written at the end."""
    require_own(out, PEER_FILE, STATE_FILE, 'peer')
    with working('reading'):
        data = open_windows(dataset)
        settings = load_cloning_config(find_config(config), data.description.modalities, epochs)
        cloner = Cloner(settings, data)
    require_place(out / PEER_FILE)
    state = out / STATE_FILE
    if state.exists():
        cloner.resume(state)
    if cloner.epoch == settings.epochs and (out / PEER_FILE).exists():
        print(f'{out}: is cloned already')
        return
    if cloner.epoch:
        print(f'{out}: {cloner.epoch} of {settings.epochs} epochs are done, going on')
    if cloner.epoch < settings.epochs and cloner.slowness:
        print(cloner.slowness, file=sys.stderr)
    with progress_bar() as bar:
        done = cloner.epoch * cloner.steps_per_epoch
        line = bar.add_task('steps', total=cloner.steps, completed=done, figures='')

        def on_step(loss: float) -> None:
            bar.update(line, advance=1, figures=f'loss {loss:.4f}  {_figures(cloner)}')

        for _ in cloner.epochs(on_step):
            cloner.save(state)
    with working('exporting'):
        save_peer(out, cloner, _provenance(cloner))
    print(f'{out}: wrote the peer; {_figures(cloner)}')


def _figures(cloner: Cloner) -> str:
    """Return how the last epoch went, in a line."""
    last = cloner.last
    if last is None:
        return ''
    unit = next(m.unit for m in cloner.modalities if m.name == cloner.command)
    error = '-' if math.isnan(last.command_rmse) else f'{last.command_rmse:.4f} {unit} (held out)'
    return f'epoch {last.epoch + 1}: {cloner.command} RMSE {error}'


def _provenance(cloner: Cloner) -> dict[str, Any]:
    config, last = cloner.config, cloner.last
    measured = None if last is None else asdict(last)
    if measured is not None and math.isnan(measured['command_rmse']):
        measured['command_rmse'] = None
    return {
        'dataset': dict(cloner.dataset.description.provenance),
        'rows': len(cloner.train_rows),
        'validation_rows': len(cloner.validation_rows),
        'split': {'held_out': config.held_out, 'seed': config.split_seed},
        'seed': config.seed,
        'epochs': config.epochs,
        'parameters': sum(p.numel() for p in cloner.model.parameters()),
        'last_epoch': measured,
        'versions': {
            'mmvae_controller': __version__,
            'torch': str(torch.__version__),
            'numpy': np.__version__,
        },
    }
