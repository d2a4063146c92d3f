"""The state of an interrupted run on disk: tensors only, nothing that could execute code."""

from __future__ import annotations

from collections.abc import Mapping
import json
from pathlib import Path
import re
import shlex
from typing import Any

from mmvae_controller.modality.shared_files import CONTRACT_FILE
from mmvae_controller.training.errors import TrainingError
from safetensors import safe_open, SafetensorError
from safetensors.torch import save_file
import torch
from torch import Tensor

# Of an identity that is written as a configuration on some data.
KEY, ON = re.compile(r'(\w+)='), ') on '


def save_state(
    path: Path,
    identity: str,
    model: torch.nn.Module,
    optimiser: torch.optim.Optimizer,
    scheduler: torch.optim.lr_scheduler.LambdaLR,
    progress: Mapping[str, Any],
) -> None:
    """Write model, optimiser and progress into one safetensors file, aside first.

    The identity says what a run that goes on must have in common with this one; the progress is
    plain data for whoever loads it.

    Raises:
        TrainingError: The disk is full or the place cannot be written; an older state is kept.

    """
    tensors = {f'model.{n}': t for n, t in model.state_dict().items()}
    for index, moments in optimiser.state_dict()['state'].items():
        tensors |= {f'optimiser.{index}.{name}': t for name, t in moments.items()}
    notes = {
        'identity': identity,
        'progress': json.dumps(progress),
        'scheduler': json.dumps({'last_epoch': scheduler.last_epoch}),
    }
    aside = path.with_name(f'.{path.name}.part')
    try:
        save_file({n: t.contiguous() for n, t in tensors.items()}, aside, notes)
        aside.replace(path)
    except (OSError, SafetensorError) as error:
        aside.unlink(missing_ok=True)
        raise TrainingError(
            f'{path}: cannot be written: {error}; free the disk and call again, what was saved '
            'last goes on'
        ) from error


def load_state(
    path: Path,
    identity: str,
    model: torch.nn.Module,
    optimiser: torch.optim.Optimizer,
    scheduler: torch.optim.lr_scheduler.LambdaLR,
) -> dict[str, Any]:
    """Put a saved state in place and return the progress that was saved with it.

    Raises:
        TrainingError: It was saved by a run with another identity, or is damaged.

    """
    try:
        with safe_open(path, framework='pt') as file:
            notes: dict[str, str] = file.metadata() or {}
            names: list[str] = list(file.keys())
            tensors: dict[str, Tensor] = {n: file.get_tensor(n) for n in names}
    except (OSError, SafetensorError) as error:
        raise TrainingError(f'{path}: cannot be resumed from: {error}') from error
    if 'identity' not in notes:
        raise TrainingError(f'{path}: is no state of a training run')
    if notes['identity'] != identity:
        raise TrainingError(
            f'{path}: belongs to another configuration or data set'
            f'{_difference(notes["identity"], identity)}; train into another folder'
            f'{_initial(path.parent)}, or restore what it was started with'
        )
    model.load_state_dict({n[6:]: t for n, t in tensors.items() if n.startswith('model.')})
    state = optimiser.state_dict()
    moments: dict[int, dict[str, Any]] = {}
    for name, tensor in tensors.items():
        if name.startswith('optimiser.'):
            _, index, part = name.split('.')
            moments.setdefault(int(index), {})[part] = tensor
    optimiser.load_state_dict(state | {'state': moments})
    done = json.loads(notes['scheduler'])['last_epoch']
    scheduler.load_state_dict(scheduler.state_dict() | {'last_epoch': done})
    for group, rate in zip(optimiser.param_groups, _rates(scheduler), strict=True):
        group['lr'] = rate
    progress: dict[str, Any] = json.loads(notes['progress'])
    return progress


def _rates(scheduler: torch.optim.lr_scheduler.LambdaLR) -> list[float]:
    factors = scheduler.lr_lambdas
    return [
        float(base) * float(factor(scheduler.last_epoch))
        for base, factor in zip(scheduler.base_lrs, factors, strict=True)
    ]


def _initial(folder: Path) -> str:
    """Return how to go on from a model that is finished there, as part of an error."""
    if not (folder / CONTRACT_FILE).exists():
        return ''
    return f', with --initial {shlex.quote(str(folder))} to go on from what this one learnt'


def _difference(saved: str, wanted: str) -> str:
    """Return what two identities `KEY=VALUE, ... on DATA` differ in, as far as they are such."""
    (old, _, old_data), (new, _, new_data) = (i.partition(ON) for i in (saved, wanted))
    was, now = (KEY.split(config)[1:] for config in (old, new))
    values = zip(now[::2], was[::2], was[1::2], now[1::2], strict=False)
    names = [key for key, old_key, a, b in values if (old_key, a) != (key, b)]
    # A key that one of them lacks shifts all that follow.
    names = names[:1] if was[::2] != now[::2] else names
    names += ['the data'] if old_data != new_data else []
    return f' ({", ".join(dict.fromkeys(names))} differ)' if names else ''
