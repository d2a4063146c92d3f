"""The whole of it: every pattern, the baselines, several steps ahead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from mmvae_controller.evaluation.bank import (
    Bank,
    BANK_ROWS,
    count_repeats,
    fill_bank,
    vector_modalities,
)
from mmvae_controller.evaluation.baselines import Baselines
from mmvae_controller.evaluation.horizon import Horizon, look_ahead
from mmvae_controller.evaluation.judge import judge, PatternScores
from mmvae_controller.evaluation.neighbours import NEIGHBOURS
from mmvae_controller.evaluation.patterns import patterns_of
from mmvae_controller.evaluation.published import published_errors, published_note
from mmvae_controller.evaluation.selection import (
    every_row,
    is_same_data,
    is_trained_on,
    rows_trained_on,
    select,
    Selection,
    Split,
)
from mmvae_controller.evaluation.windows import check_fits, Decoder, Windows
from mmvae_controller.modality.contract import ModelContract, NETWORK_FILE

NO_BASELINES = (
    'No baselines: the model was not trained on this data; --bank names what it was trained on.'
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
        units: By modality.
        patterns: By name.
        published: MSE by pattern and modality, as others published it.
        horizon: None if no step ahead was asked for.
        notes: What a reader has to know, one sentence each.

    """

    model: str
    checksum: str
    dataset: str
    selection: Selection
    bank_rows: int | None
    units: Mapping[str, str]
    patterns: Mapping[str, PatternScores]
    published: Mapping[str, Mapping[str, float]]
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
    trained = rows_trained_on(contract.provenance, windows)
    selection = select(windows, trained, question.split, question.rows)
    bank, in_bank, bank_notes = _bank(decoder, windows, bank_windows)
    if trained is None and bank is not None and _was_taught(contract, bank_windows):
        selection = _told_of_repeats(selection, windows, bank)
    rows, patterns = selection.rows, {}
    for name, pattern in patterns_of(windows).items():
        simple = Baselines(bank, pattern, in_bank) if bank else None
        told = partial(on_rows, name)
        patterns[name] = judge(decoder, windows, rows, pattern, simple, told)
    horizon = None
    if question.steps:
        told = partial(on_rows, f'{question.steps} steps ahead')
        horizon = look_ahead(decoder, windows, rows, question.steps, bank, told)
    published = published_errors(windows)
    notes = [*selection.notes, *bank_notes, *_horizon_notes(horizon)]
    if published:
        notes.append(published_note(windows, rows))
    return Evaluation(
        contract.name,
        contract.checksums.get(NETWORK_FILE, ''),
        question.dataset,
        selection,
        len(bank.rows) if bank else None,
        {m.name: m.unit for m in contract.modalities},
        patterns,
        published,
        horizon,
        tuple(notes),
    )


def _bank(
    decoder: Decoder, windows: Windows, bank_windows: Windows | None
) -> tuple[Bank | None, bool, list[str]]:
    """Return what the baselines know, whether its rows are those judged, and notes on it."""
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
        return None, False, [NO_BASELINES]
    bank = fill_bank(source, rows)
    if len(rows) > BANK_ROWS:
        notes.append(f'The baselines know {len(bank.rows)} of the {len(rows)} training rows.')
    if len(bank.rows) <= NEIGHBOURS:
        notes.append(f'No kNN: it needs more than {NEIGHBOURS} complete training windows.')
    if len(vector_modalities(bank.modalities)) < len(bank.modalities):
        notes.append('kNN neither compares nor guesses pictures.')
    return bank, is_same_data(source, windows), notes


def _was_taught(contract: ModelContract, bank_windows: Windows | None) -> bool:
    return bank_windows is not None and is_trained_on(contract.provenance, bank_windows)


def _told_of_repeats(selection: Selection, windows: Windows, bank: Bank) -> Selection:
    """Return a selection that says how many of its windows are training rows in another file."""
    count = count_repeats(bank, windows, selection.rows)
    if count == 0:
        return selection
    note = (
        f'{count} of the {len(selection.rows)} windows judged are, number for number, in the data '
        'that the model was trained on: they are nothing new to it.'
    )
    return replace(selection, trained_on=count, notes=(*selection.notes, note))


def _horizon_notes(horizon: Horizon | None) -> list[str]:
    if horizon is None or all(horizon.windows):
        return []
    furthest = sum(1 for count in horizon.windows if count)
    return [
        f'These rows follow each other for {furthest} steps at most, so no more of the '
        f'{len(horizon.windows)} steps ahead could be compared.'
    ]
