"""The study of KL schedules: what the weight of the KL term does to a multimodal VAE.

After Langer et al. 2024 (arXiv 2411.00522): four schedules, on the network and the iCub data of
Zambelli et al. 2020 (arXiv 1910.03854); with masks as published and random ones, and with the
likelihood divided by each modality's width, as published, and summed.

    OUT/states/SCALING_SEED.safetensors   while it trains: where to go on
        groups/SCALING_SEED.json          what came out, of all models of a scaling and seed
        results.json, tables.md, *.png    of all that is there
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from mmvae_controller.modality.reader import Section
from mmvae_controller.studies.files import Kind, prepare_folder, require_kind
from mmvae_controller.studies.finished import Finished
from mmvae_controller.studies.kl_schedules_config import kl_study, KlStudy
from mmvae_controller.studies.kl_schedules_figures import draw_figures
from mmvae_controller.studies.kl_schedules_report import write_report
from mmvae_controller.studies.kl_schedules_summary import summarise
from mmvae_controller.studies.kl_schedules_work import describe, read_result, train_group
from mmvae_controller.studies.processes import work_in_processes
from mmvae_controller.training.config import TrainingConfig
from mmvae_controller.training.running import ON_CPU, Running
from mmvae_controller.training.windows import Windows

OnProgress = Callable[[int, int, str], None]


def run(
    section: Section,
    out: Path,
    windows: Windows,
    training: TrainingConfig,
    reduced: bool,
    workers: int,
    on_progress: OnProgress,
    running: Running = ON_CPU,
) -> Finished:
    """Train what is not there yet, then write tables and figures of all that is.

    Args:
        section: The study YAML, of which `kind` and `training` have been read.
        out: Folder of the study; what was begun there goes on.
        windows: The data.
        training: What the models have in common.
        reduced: Whether to train the smaller study of the YAML.
        workers: How many processes train at once; 0 trains here.
        on_progress: Is told epochs of a group done, of how many in all, and a line of figures.
        running: Where models are trained, and in which numbers.

    Raises:
        StudyError, TrainingError: The folder cannot be written, or what is there was made of other
            data or with another configuration.

    """
    study, data = kl_study(section, training, reduced), describe(windows)
    prepare_folder(out, Kind.KL_SCHEDULES)
    groups = study.groups()
    total = len(groups) * study.training.epochs
    done = {g.name: study.training.epochs for g in groups if read_result(out, g, data) is not None}
    left = [g for g in groups if g.name not in done]

    def on_epoch(index: int, epoch: int) -> None:
        group = left[index].name
        done[group] = epoch
        figures = f'{group}: epoch {epoch} of {study.training.epochs}'
        on_progress(sum(done.values()), total, figures)

    on_progress(sum(done.values()), total, '')
    works = [partial(train_group, group, windows, out, running=running) for group in left]
    work_in_processes(works, workers, on_epoch)
    return _write(study, data, out)


def report(
    section: Section, out: Path, windows: Windows, training: TrainingConfig, reduced: bool
) -> Finished:
    """Write tables and figures of the groups that are finished; train nothing."""
    require_kind(out, Kind.KL_SCHEDULES)
    return _write(kl_study(section, training, reduced), describe(windows), out)


def _write(study: KlStudy, data: str, out: Path) -> Finished:
    groups = {g.name: len(g.configs) for g in study.groups()}
    results = {g.name: read_result(out, g, data) for g in study.groups()}
    there = {name: result for name, result in results.items() if result is not None}
    finished = Finished(sum(groups[name] for name in there), sum(groups.values()))
    summary = summarise([*there.values()])
    write_report(summary, finished, out)
    draw_figures(summary, out)
    return finished
