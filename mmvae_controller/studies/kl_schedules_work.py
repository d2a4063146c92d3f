"""Trains one group of the study: resumable, and stopped between two epochs when asked."""

from __future__ import annotations

from collections.abc import Callable
import json
from pathlib import Path
import time
from typing import Any

from mmvae_controller.studies.errors import StudyError
from mmvae_controller.studies.kl_schedules_config import Group
from mmvae_controller.studies.kl_schedules_measures import HeldOut
from mmvae_controller.training.ensemble import Ensemble, EnsembleEpoch
from mmvae_controller.training.windows import Windows

# What an interrupt by force costs at most.
SAVE_EVERY_S = 60.0
STATES, GROUPS = 'states', 'groups'


def result_path(out: Path, group: Group) -> Path:
    """Return where a group's results lie once it is finished."""
    return out / GROUPS / f'{group.name}.json'


def read_result(out: Path, group: Group) -> dict[str, Any] | None:
    """Return the results of a group, None if it is not finished.

    Raises:
        StudyError: They are of a group with another configuration, or damaged.

    """
    path = result_path(out, group)
    if not path.exists():
        return None
    try:
        result: dict[str, Any] = json.loads(path.read_text(encoding='utf-8'))
        same = result['configs'] == _identity(group)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StudyError(f'{path}: cannot be read: {error}; remove it to train again') from error
    if not same:
        raise StudyError(f'{path}: belongs to another configuration; study into another folder')
    return result


def train_group(
    group: Group,
    windows: Windows,
    out: Path,
    on_epoch: Callable[[int], None],
    stopped: Callable[[], bool],
) -> bool:
    """Train a group to its end and write its results, or until stopped; tell which.

    Args:
        group: Which models.
        windows: The data.
        out: Folder of the study.
        on_epoch: Is told how many epochs are done.
        stopped: Is asked after each epoch.

    Raises:
        TrainingError: The state in the folder is of another configuration.

    """
    ensemble = Ensemble(group.configs, windows)
    held_out = HeldOut(ensemble)
    state = out / STATES / f'{group.name}.safetensors'
    state.parent.mkdir(parents=True, exist_ok=True)
    notes: dict[str, Any] = {'records': [], 'seconds': 0.0}
    if state.exists():
        notes = ensemble.resume(state)
    on_epoch(ensemble.epoch)
    began = saved = time.monotonic()
    before = notes['seconds']
    epochs = group.configs[0].epochs
    for result in ensemble.epochs():
        if ensemble.epoch % group.record_every == 0 or ensemble.epoch in (1, epochs):
            notes['records'].append(_record(ensemble.epoch, result, held_out))
        now = time.monotonic()
        notes['seconds'] = before + now - began
        if stopped() or now - saved > SAVE_EVERY_S:
            ensemble.save(state, notes)
            saved = now
        on_epoch(ensemble.epoch)
        if stopped():
            return False
    _finish(group, ensemble, held_out, notes, out)
    state.unlink(missing_ok=True)
    return True


def _record(epoch: int, result: EnsembleEpoch, held_out: HeldOut) -> dict[str, Any]:
    models = held_out.record()
    for model, loss, nats in zip(models, result.loss.tolist(), result.kl.tolist(), strict=True):
        model |= {'train_loss': loss, 'train_kl': nats}
    return {'epoch': epoch, 'models': models}


def _finish(
    group: Group, ensemble: Ensemble, held_out: HeldOut, notes: dict[str, Any], out: Path
) -> None:
    result = {
        'scaling': group.scaling,
        'seed': group.seed,
        'configs': _identity(group),
        'conditions': [[c.protocol, c.schedule] for c in group.conditions],
        'rows': [len(ensemble.train_rows), len(ensemble.validation_rows)],
        'variance': held_out.variance(),
        'importance': held_out.importance(),
        **notes,
    }
    path = result_path(out, group)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f'.{path.name}.part')
    aside.write_text(json.dumps(result, allow_nan=False) + '\n', encoding='utf-8')
    aside.replace(path)


def _identity(group: Group) -> list[str]:
    return [repr(config) for config in group.configs]
