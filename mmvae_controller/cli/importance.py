"""`mmvae importance`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mmvae_controller.cli.choices import chosen
from mmvae_controller.cli.errors import CliError
from mmvae_controller.cli.files import require_place, write_bytes, write_json, write_text
from mmvae_controller.cli.output import console_for, png
from mmvae_controller.cli.progress import progress_bar, working
from mmvae_controller.control.network import Network
from mmvae_controller.datasets.opening import open_windows
from mmvae_controller.evaluation.selection import Split
from mmvae_controller.importance.asking import Answer, ask, Question
from mmvae_controller.importance.divergences import Decoder
from mmvae_controller.importance.grouping import read_phase
from mmvae_controller.importance.report import report_data
from mmvae_controller.importance.tables import legend, tables
from mmvae_controller.importance.verdict import verdict
from mmvae_controller.importance.words import options_words
from mmvae_controller.modality.observation import CURRENT, PREVIOUS
from mmvae_controller.modality.shared_files import find_model

PAGE = 'report.html'
FILE_COLUMNS = 120
SAMPLES = 32
STEPS = {'t': CURRENT, 't-1': PREVIOUS}


class Latent(StrEnum):
    """What of the latent is decoded: its mean, as on the robot, or samples of it."""

    MEAN = 'mean'
    SAMPLES = 'samples'


class Average(StrEnum):
    """Of the windows, in tables and figures."""

    MEAN = 'mean'
    MEDIAN = 'median'


@dataclass(frozen=True, slots=True)
class Options:
    """What the user typed."""

    dataset: str
    split: str | None
    rows: str | None
    latent: str
    samples: int | None
    step: str
    phase: str | None
    average: str
    per_dimension: bool
    seed: int


def run(model: str, options: Options, json: Path | None, out: Path | None) -> None:
    """Measure which sense matters how much; print tables, write JSON, pictures and a page."""
    question = _question(options)
    median = chosen(Average, 'average', options.average) is Average.MEDIAN
    for place in (json, None if out is None else out / PAGE):
        if place is not None:
            require_place(place)
    with working('reading'):
        decoder = _decoder(find_model(model), question)
        windows = open_windows(options.dataset)
    with progress_bar() as bar:
        line = bar.add_task('windows', total=None, figures='')
        answer = ask(
            decoder,
            windows,
            question,
            lambda done, total: bar.update(line, completed=done, total=total),
        )
    _print(answer, median)
    # Everything is made before anything is written.
    with working('drawing'):
        pictures = {} if out is None else _pictures(answer, median)
    if json is not None:
        write_json(json, report_data(answer))
        print(f'wrote {json}')
    if out is not None:
        _write(out, answer, pictures, median)
    if said := verdict(answer, median):
        print(said)


def _question(options: Options) -> Question:
    latent = chosen(Latent, 'latent', options.latent)
    samples = options.samples
    if latent is Latent.SAMPLES:
        samples = SAMPLES if samples is None else samples
    elif samples is not None:
        raise CliError(f'samples {samples}: say --latent samples as well')
    if options.step not in STEPS:
        raise CliError(f'no step {options.step!r}, there are {", ".join(STEPS)}')
    split = None if options.split is None else chosen(Split, 'split', options.split)
    return Question(
        options.dataset,
        split,
        options.rows,
        STEPS[options.step],
        None if options.phase is None else read_phase(options.phase),
        options.per_dimension,
        samples,
        options.seed,
    )


def _decoder(folder: Path, question: Question) -> Decoder:
    if question.samples is None:
        return Network(folder)
    # Only here: it needs PyTorch, which the exported network does not.
    from mmvae_controller.importance.sampled import load_sampled

    return load_sampled(folder, question.samples, question.seed)


def _print(answer: Answer, median: bool) -> None:
    console = console_for(FILE_COLUMNS)
    console.print(options_words(answer), markup=False)
    for table in tables(answer, median):
        console.print(table)
    console.print(legend(median), style='dim')
    for note in answer.notes:
        console.print(note, markup=False)


def _pictures(answer: Answer, median: bool) -> dict[str, bytes]:
    """Return every figure as PNG, by name."""
    # Here, because it takes a second that is not needed without pictures.
    from mmvae_controller.importance.figures import figures

    return {name: png(figure) for name, figure in figures(answer, median).items()}


def _write(out: Path, answer: Answer, pictures: dict[str, bytes], median: bool) -> None:
    """Write every figure and the page, each aside first.

    Raises:
        CliError: The disk is full or the place cannot be written.

    """
    from mmvae_controller.importance.page import page

    text = page(answer, pictures, median)
    for name, picture in pictures.items():
        write_bytes(out / f'{name}.png', picture)
        print(f'wrote {out / name}.png')
    write_text(out / PAGE, text)
    print(f'wrote {out / PAGE}')
