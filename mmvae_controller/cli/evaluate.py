"""`mmvae evaluate`."""

from __future__ import annotations

from pathlib import Path

from mmvae_controller.cli.choices import chosen
from mmvae_controller.cli.files import require_place, write_bytes, write_json
from mmvae_controller.cli.output import console_for, png
from mmvae_controller.cli.progress import progress_bar, working
from mmvae_controller.control.network import Network
from mmvae_controller.datasets.opening import open_windows
from mmvae_controller.evaluation.evaluation import evaluate, Evaluation, Question
from mmvae_controller.evaluation.report import report_data
from mmvae_controller.evaluation.selection import Split
from mmvae_controller.evaluation.tables import LEGEND, tables
from mmvae_controller.evaluation.verdict import verdict
from mmvae_controller.modality.shared_files import find_model
from rich.progress import TaskID

FIRST_FIGURE = 'errors.png'
FILE_COLUMNS = 110


def run(
    model: str,
    dataset: str,
    bank: str | None,
    split: str | None,
    rows: str | None,
    steps: int,
    json: Path | None,
    figures: Path | None,
) -> None:
    """Judge a model, with a progress bar; print tables, write JSON and pictures."""
    part = None if split is None else chosen(Split, 'split', split)
    question = Question(dataset, part, rows, steps)
    for place in (json, None if figures is None else figures / FIRST_FIGURE):
        if place is not None:
            require_place(place)
    with working('reading'):
        network = Network(find_model(model))
        windows = open_windows(dataset)
        bank_windows = None if bank is None else open_windows(bank)
    with progress_bar() as bar:
        lines: dict[str, TaskID] = {}

        def on_rows(name: str, done: int, total: int) -> None:
            if name not in lines:
                lines[name] = bar.add_task(name, total=total, figures='')
            bar.update(lines[name], completed=done)

        evaluation = evaluate(network, windows, bank_windows, question, on_rows)
    _print(evaluation)
    if json is not None:
        write_json(json, report_data(evaluation))
        print(f'wrote {json}')
    if figures is not None:
        with working('drawing'):
            drawn = _write_figures(figures, evaluation)
        for path in drawn:
            print(f'wrote {path}')
    if said := verdict(evaluation):
        print(said)


def _print(evaluation: Evaluation) -> None:
    console = console_for(FILE_COLUMNS)
    selection = evaluation.selection
    trained_on = 'unknown how many' if selection.trained_on is None else selection.trained_on
    console.print(
        f'{evaluation.model} on {evaluation.dataset}: {len(selection.rows)} windows '
        f'({selection.split}), {trained_on} of them trained on',
        markup=False,
    )
    for table in tables(evaluation):
        console.print(table)
    console.print(LEGEND, style='dim')
    for note in evaluation.notes:
        console.print(note, markup=False)


def _write_figures(folder: Path, evaluation: Evaluation) -> list[Path]:
    """Write every figure, each aside first.

    Raises:
        CliError: The disk is full or the place cannot be written.

    """
    # Here, because it takes a second that is not needed without pictures.
    from mmvae_controller.evaluation.figures import figures

    written = []
    for name, figure in figures(evaluation).items():
        path = folder / f'{name}.png'
        write_bytes(path, png(figure))
        written.append(path)
    return written
