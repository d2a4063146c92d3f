"""The study of bidirectional generation: an image from its label, a label from its image.

JMVAE, JMVAE-kl and JMVAE-h (Suzuki, Nakayama and Matsuo 2016, arXiv 1611.01891, and 2018, arXiv
1801.08702) with MVAE and MVTCAE beside them, on Fashion-MNIST: trained, scored, drawn.

    OUT/MODEL-seedN/training.safetensors   while it trains: where to go on
                    weights.safetensors    what was trained, and curve.json how
                    scores.json            what it is worth
    OUT/tables.md, *.png                   of all that is there
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mmvae_controller.datasets.image_label import read_image_label
from mmvae_controller.modality.reader import Section
from mmvae_controller.studies.bidirectional_figures import (
    draw_curves,
    draw_generated,
    draw_latents,
    draw_reconstructed,
    draw_rounds,
    Trained,
)
from mmvae_controller.studies.bidirectional_report import (
    Line,
    lines_of,
    print_table,
    write_tables,
)
from mmvae_controller.studies.bidirectional_scoring import with_image_bound
from mmvae_controller.studies.bidirectional_settings import (
    describe,
    Job,
    read_settings,
    Scores,
    Settings,
)
from mmvae_controller.studies.bidirectional_training import (
    CURVE_FILE,
    find_trained,
    read_result,
    tensors,
)
from mmvae_controller.studies.bidirectional_work import SCORES_FILE, work
from mmvae_controller.studies.errors import StudyError
from mmvae_controller.studies.files import check_folder, Kind, prepare_folder, require_kind
from mmvae_controller.studies.finished import Finished
from mmvae_controller.studies.processes import work_in_processes

OnProgress = Callable[[int, int, str], None]


def run(
    section: Section,
    out: Path,
    reduced: bool = False,
    workers: int = 2,
    on_progress: OnProgress = lambda done, total, figures: None,
) -> Finished:
    """Train and score what is not there yet, then write tables and figures of all that is.

    Args:
        section: The study YAML.
        out: Folder of the study; what was begun there goes on.
        reduced: Whether to train the smaller study of the YAML.
        workers: How many processes train at once; 0 trains here.
        on_progress: Is told epochs done, of how many in all, and a line of figures.

    Raises:
        StudyError: The folder cannot be written, or what is there was made of other data, with
            other settings, or is damaged.
        DatasetError: The data set is missing or damaged.

    """
    settings = read_settings(section, reduced)
    check_folder(out, Kind.BIDIRECTIONAL)
    data = describe(read_image_label(settings.data))
    prepare_folder(out, Kind.BIDIRECTIONAL)
    jobs, epochs = settings.jobs(data), settings.training.epochs
    for job in jobs:
        # What is trained and not yet scored: refused before others are trained.
        read_result(job, out / job.name / CURVE_FILE)
    done = dict.fromkeys(results(jobs, settings.scores, out), epochs)
    left = [job for job in jobs if job.name not in done]

    def on_epoch(index: int, epoch: dict[str, float]) -> None:
        name = left[index].name
        done[name] = int(epoch['epoch'])
        figures = f'{name}, epoch {done[name]}: ELBO {epoch["validation_elbo"]:.2f}'
        on_progress(sum(done.values()), len(jobs) * epochs, figures)

    def on_done(index: int) -> None:
        there = results(jobs, settings.scores, out)
        write_tables(settings, there, Finished(len(there), len(jobs)), out)

    on_progress(sum(done.values()), len(jobs) * epochs, '')
    works = [partial(work, settings, job, out) for job in left]
    work_in_processes(works, workers, on_epoch, on_done)
    return _report(settings, out)


def report(section: Section, out: Path, reduced: bool = False) -> Finished:
    """Write tables and figures of what is there, and print the table; train nothing.

    Raises:
        StudyError: Nothing is there, or it was made of other data or with other settings.

    """
    settings = read_settings(section, reduced)
    require_kind(out, Kind.BIDIRECTIONAL)
    return _report(settings, out)


def results(jobs: Sequence[Job], scores: Scores, out: Path) -> dict[str, dict[str, Any]]:
    """Return the results that are there, by the name of their job.

    Scores taken with other samples or rounds are not: what is trained is scored again. Of older
    ones log p(x) was taken from fewer bounds, all of which are there.
    """
    found = {}
    for job in jobs:
        result = read_result(job, out / job.name / SCORES_FILE)
        if result is not None and result.get('judged_by') == job.judged_by(scores):
            found[job.name] = {**result, 'scores': with_image_bound(result['scores'])}
    return found


def _report(settings: Settings, out: Path) -> Finished:
    data = read_image_label(settings.data)
    jobs = settings.jobs(describe(data))
    there = results(jobs, settings.scores, out)
    if not there:
        raise StudyError(f'{out}: holds no finished model yet')
    finished = Finished(len(there), len(jobs))
    write_tables(settings, there, finished, out)
    lines = lines_of(settings, there)
    draw_curves(lines, out)
    draw_rounds(lines, out)
    named = {job.name: job for job in jobs}
    trained = [_first(line, named, out) for line in lines]
    test = tensors(data.test)
    draw_generated(trained, out)
    draw_reconstructed(trained, test, out)
    draw_latents(trained, test, out)
    print_table(settings, there)
    return finished


def _first(line: Line, jobs: Mapping[str, Job], out: Path) -> Trained:
    """Return a model with the network of its first seed."""
    job = jobs[line.model.job_name(next(iter(line.seeds)))]
    found = find_trained(job, out / job.name)
    if found is None:
        raise StudyError(f'{out / job.name}: has scores but no weights; remove it to train anew')
    return line, found[0]
