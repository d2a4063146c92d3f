"""The whole of it: every pattern, the baselines, several steps ahead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from mmvae_controller.evaluation.bank import (
    Bank,
    BANK_ROWS,
    fill_bank,
    vector_modalities,
)
from mmvae_controller.evaluation.baselines import Baselines
from mmvae_controller.evaluation.horizon import Horizon, look_ahead
from mmvae_controller.evaluation.judge import judge, PatternScores
from mmvae_controller.evaluation.neighbours import NEIGHBOURS
from mmvae_controller.evaluation.patterns import patterns_of
from mmvae_controller.evaluation.published import is_published, published_errors, published_note
from mmvae_controller.evaluation.repeats import count_repeats
from mmvae_controller.evaluation.selection import (
    every_row,
    is_same_data,
    rows_trained_on,
    select,
    Selection,
    Split,
)
from mmvae_controller.evaluation.windows import check_fits, Decoder, Rows, Windows
from mmvae_controller.modality.contract import NETWORK_FILE

NO_BASELINES = (
    'No baselines: this is not known as what the model was trained on; --bank names what is.'
)
UNKNOWN_ROWS = (
    'Whether the model was trained on any of these windows is unknown: only --bank, naming the '
    'data it was trained on, can tell.'
)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a model.

    Args:
        dataset: How the user named the data.
        split: The part of it; None takes the best that can be had.
        rows: Or a range of it, such as `100:1100`.
        steps: How many steps ahead to predict; 0 leaves that out.

    """

    dataset: str
    split: Split | None = None
    rows: str | None = None
    steps: int = 5


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """How a model did.

    Args:
        model: Its name.
        checksum: sha256 of its network.
        dataset: As the user named it.
        selection: The rows it was judged on.
        bank_rows: How many rows the baselines know; None without baselines.
        command: The name of the modality that is commanded.
        units: By modality.
        patterns: By name.
        published: MSE by pattern and modality, as others published it.
        published_rows: Whether that is of the rows judged here.
        horizon: None if no step ahead was asked for.
        notes: What a reader has to know, one sentence each.

    """

    model: str
    checksum: str
    dataset: str
    selection: Selection
    bank_rows: int | None
    command: str
    units: Mapping[str, str]
    patterns: Mapping[str, PatternScores]
    published: Mapping[str, Mapping[str, float]]
    published_rows: bool
    horizon: Horizon | None
    notes: tuple[str, ...]


def evaluate(
    decoder: Decoder,
    windows: Windows,
    bank_windows: Windows | None,
    question: Question,
    on_rows: Callable[[str, int, int], None],
) -> Evaluation:
    """Judge a model.

    Args:
        decoder: The network.
        windows: The data to judge it on.
        bank_windows: The data it was trained on, for the baselines, if that is other data.
        question: Which part of the data, and how far ahead.
        on_rows: Is told what is being done, how many rows are done in it, and of how many.

    Raises:
        EvaluationError: The data does not fit, there are no such rows, or what the model decodes
            cannot be judged.

    """
    contract = decoder.contract
    check_fits(contract, windows, question.dataset)
    reference = _reference(decoder, windows, bank_windows)
    selection = _selection(decoder, windows, bank_windows, question)
    bank, rows = reference.bank, selection.rows
    patterns = _patterns(decoder, windows, rows, reference, on_rows)
    horizon = _horizon(decoder, windows, rows, bank, question.steps, on_rows)
    published = published_errors(windows)
    same_rows = is_published(windows, rows)
    published_notes = [published_note(same_rows)] if published else []
    notes = [*selection.notes, *reference.notes, *_horizon_notes(horizon), *published_notes]
    return Evaluation(
        contract.name,
        contract.checksums.get(NETWORK_FILE, ''),
        question.dataset,
        selection,
        len(bank.rows) if bank else None,
        contract.command.name,
        {m.name: m.unit for m in contract.modalities},
        patterns,
        published,
        same_rows,
        horizon,
        tuple(notes),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Reference:
    """What the baselines know; `rows_judged`: whether its row numbers are those judged."""

    bank: Bank | None
    rows_judged: bool
    notes: tuple[str, ...]


def _reference(decoder: Decoder, windows: Windows, bank_windows: Windows | None) -> _Reference:
    source = windows if bank_windows is None else bank_windows
    check_fits(decoder.contract, source, 'the data of --bank')
    trained = rows_trained_on(decoder.contract.provenance, source)
    notes = []
    if trained is not None:
        rows = trained.trained
    elif bank_windows is not None:
        rows = every_row(source)
        notes.append('The baselines know other data than the model was trained on.')
    else:
        return _Reference(None, False, (NO_BASELINES,))
    bank = fill_bank(source, rows)
    if len(rows) > BANK_ROWS:
        notes.append(f'The baselines know {len(bank.rows)} of the {len(rows)} training rows.')
    if len(bank.rows) <= NEIGHBOURS:
        notes.append(f'No kNN, no ridge: they need more than {NEIGHBOURS} complete training rows.')
    if len(vector_modalities(bank.modalities)) < len(bank.modalities):
        notes.append('kNN and ridge neither read nor guess pictures.')
    return _Reference(bank, is_same_data(source, windows), tuple(notes))


def _selection(
    decoder: Decoder, windows: Windows, bank_windows: Windows | None, question: Question
) -> Selection:
    """Choose the rows to judge, and find out how many of them the model was trained on."""
    provenance = decoder.contract.provenance
    trained = rows_trained_on(provenance, windows)
    selection = select(windows, trained, question.split, question.rows)
    if trained is not None:
        return selection
    taught = None if bank_windows is None else rows_trained_on(provenance, bank_windows)
    if bank_windows is None or taught is None:
        return replace(selection, notes=(*selection.notes, UNKNOWN_ROWS))
    count = count_repeats(bank_windows, taught.trained, windows, selection.rows)
    notes = selection.notes
    if count:
        notes = (
            *notes,
            f'{count} of the {len(selection.rows)} windows judged are, number for number, in the '
            'data that the model was trained on: they are nothing new to it.',
        )
    return replace(selection, trained_on=count, notes=notes)


def _patterns(
    decoder: Decoder,
    windows: Windows,
    rows: Rows,
    reference: _Reference,
    on_rows: Callable[[str, int, int], None],
) -> dict[str, PatternScores]:
    found = {}
    for name, pattern in patterns_of(windows).items():
        simple = None
        if reference.bank is not None:
            simple = Baselines(reference.bank, pattern, reference.rows_judged)
        told = partial(on_rows, name)
        found[name] = judge(decoder, windows, rows, pattern, simple, told)
    return found


def _horizon(
    decoder: Decoder,
    windows: Windows,
    rows: Rows,
    bank: Bank | None,
    steps: int,
    on_rows: Callable[[str, int, int], None],
) -> Horizon | None:
    if steps == 0:
        return None
    told = partial(on_rows, f'{steps} steps ahead')
    return look_ahead(decoder, windows, rows, steps, bank, told)


def _horizon_notes(horizon: Horizon | None) -> list[str]:
    if horizon is None or all(horizon.windows):
        return []
    furthest = sum(1 for count in horizon.windows if count)
    return [
        f'These rows follow each other for {furthest} steps at most, so no more of the '
        f'{len(horizon.windows)} steps ahead could be compared.'
    ]
