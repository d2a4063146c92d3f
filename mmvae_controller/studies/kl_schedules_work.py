"""Trains one group of the study: resumable, and stopped between two epochs when asked."""

from __future__ import annotations

from collections.abc import Callable
import hashlib
import json
from pathlib import Path
import time
from typing import Any

from mmvae_controller.studies.errors import StudyError
from mmvae_controller.studies.files import require_folder, write_json
from mmvae_controller.studies.kl_schedules_config import Group
from mmvae_controller.studies.kl_schedules_measures import HeldOut
from mmvae_controller.training.ensemble import Ensemble, EnsembleEpoch
from mmvae_controller.training.running import ON_CPU, Running
from mmvae_controller.training.windows import Windows
import numpy as np

# What an interrupt by force costs at most.
SAVE_EVERY_S = 60.0
STATES, GROUPS = 'states', 'groups'
DATA = 'data'


def result_path(out: Path, group: Group) -> Path:
    """Return where a group's results lie once it is finished."""
    return out / GROUPS / f'{group.name}.json'


def describe(windows: Windows) -> str:
    """Return how many windows there are and the sha256 of all: which data it is.

    The file's where its reader knows it, by which it is published; else that of the windows.
    """
    found = windows.description.provenance.get('sha256')
    return f'{len(windows)} windows, sha256 {found or _digest(windows)}'


def read_result(out: Path, group: Group, data: str) -> dict[str, Any] | None:
    """Return the results of a group, None if it is not finished.

    Args:
        out: Folder of the study.
        group: Which.
        data: What it is to be trained on; see `describe`.

    Raises:
        StudyError: They are of other data or of a group with another configuration, or damaged.

    """
    path = result_path(out, group)
    if not path.exists():
        return None
    try:
        result: dict[str, Any] = json.loads(path.read_text(encoding='utf-8'))
        others = [k for k, v in _identity(group, data).items() if result.get(k) != v]
        of = result.get('data', 'data that it does not name')
    except (OSError, ValueError, AttributeError) as error:
        raise StudyError(f'{path}: cannot be read: {error}; remove it to train again') from error
    if DATA in others:
        raise StudyError(
            f'{path}: was made of {of}; now there are {data}: name another folder with --out, or '
            'with --dataset the data it was made of'
        )
    if others:
        raise StudyError(
            f'{path}: was made with another configuration ({", ".join(others)}): name another '
            'folder with --out, or restore the configuration'
        )
    return result


def train_group(
    group: Group,
    windows: Windows,
    out: Path,
    on_epoch: Callable[[int], None],
    stopped: Callable[[], bool],
    running: Running = ON_CPU,
) -> bool:
    """Train a group to its end and write its results, or until stopped; tell which.

    Args:
        group: Which models.
        windows: The data.
        out: Folder of the study.
        on_epoch: Is told how many epochs are done.
        stopped: Is asked after each epoch.
        running: Where, and in which numbers.

    Raises:
        StudyError: It cannot be written, or its state was recorded every so many other epochs.
        TrainingError: The state in the folder is of other data or another configuration.

    """
    ensemble = Ensemble(group.configs, windows, running)
    held_out = HeldOut(ensemble)
    state = out / STATES / f'{group.name}.safetensors'
    require_folder(state.parent)
    notes: dict[str, Any] = {'records': [], 'seconds': 0.0}
    if state.exists():
        notes = ensemble.resume(state)
        _check_records(group, notes, ensemble.epoch, state)
    on_epoch(ensemble.epoch)
    began = saved = time.monotonic()
    before = notes['seconds']
    for result in ensemble.epochs():
        if _is_recorded(group, ensemble.epoch):
            notes['records'].append(_record(ensemble.epoch, result, held_out))
        now = time.monotonic()
        notes['seconds'] = before + now - began
        # Asked once: what ends here has been saved.
        ending = stopped()
        if ending or now - saved > SAVE_EVERY_S:
            ensemble.save(state, notes)
            saved = now
        on_epoch(ensemble.epoch)
        if ending:
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
        'conditions': [[c.protocol, c.schedule] for c in group.conditions],
        'precision': ensemble.running.precision,
        'rows': [len(ensemble.train_rows), len(ensemble.validation_rows)],
        'variance': held_out.variance(),
        'importance': held_out.importance(),
        **_identity(group, describe(ensemble.dataset)),
        **notes,
    }
    path = result_path(out, group)
    require_folder(path.parent)
    write_json(path, result)


def _identity(group: Group, data: str) -> dict[str, Any]:
    """Return what results must have in common with a study that goes on with them."""
    configs = [repr(config) for config in group.configs]
    return {'configs': configs, 'record_every': group.record_every, DATA: data}


def _is_recorded(group: Group, epoch: int) -> bool:
    return epoch % group.record_every == 0 or epoch in (1, group.configs[0].epochs)


def _check_records(group: Group, notes: dict[str, Any], done: int, state: Path) -> None:
    """Refuse records that could not be laid beside those of other groups."""
    recorded = [record['epoch'] for record in notes['records']]
    if recorded != [epoch for epoch in range(1, done + 1) if _is_recorded(group, epoch)]:
        raise StudyError(
            f'{state}: was not recorded every {group.record_every} epochs (record_every), but in '
            f'{recorded}: name another folder with --out, or restore record_every'
        )


def _digest(windows: Windows) -> str:
    batch = windows.batch(np.arange(len(windows)))
    digest = hashlib.sha256()
    for name, values in [*sorted(batch.values.items()), ('known', batch.known)]:
        digest.update(f'{name} {values.dtype} {values.shape}\n'.encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    digest.update(np.ascontiguousarray(batch.label).tobytes())
    return digest.hexdigest()
