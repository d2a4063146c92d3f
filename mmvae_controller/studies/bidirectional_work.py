"""Trains and scores one model of the study, as far as that is left to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mmvae_controller.datasets.image_label import read_image_label
from mmvae_controller.studies.bidirectional_scoring import score
from mmvae_controller.studies.bidirectional_settings import describe, Job, Settings
from mmvae_controller.studies.bidirectional_training import (
    find_trained,
    split,
    tensors,
    train,
)
from mmvae_controller.studies.errors import StudyError
from mmvae_controller.studies.files import require_folder, write_json

SCORES_FILE = 'scores.json'

OnEpoch = Callable[[dict[str, float]], None]


def work(
    settings: Settings,
    job: Job,
    out: Path,
    on_epoch: OnEpoch,
    must_end: Callable[[], bool] = lambda: False,
) -> None:
    """Train and score one model; `must_end`, asked after each epoch, leaves it for later."""
    folder = out / job.name
    require_folder(folder)
    data = read_image_label(settings.data)
    if describe(data) != job.data:
        raise StudyError(f'{settings.data}: was changed while the study ran; start it again')
    training, validation = split(data, settings.training.validation_rows)
    trained = find_trained(job, folder) or train(
        job,
        settings.training,
        training,
        validation,
        folder,
        on_epoch,
        must_end,
    )
    if trained is None:
        return
    network, curve = trained
    found = score(network, job.model, settings.scores, validation, tensors(data.test))
    write_json(
        folder / SCORES_FILE,
        {
            'identity': job.identity,
            'data': job.data,
            'judged_by': job.judged_by(settings.scores),
            'model': job.model.name,
            'seed': job.seed,
            'epochs': len(curve),
            'seconds': sum(epoch['seconds'] for epoch in curve),
            'scores': found,
            'curve': curve,
        },
    )
