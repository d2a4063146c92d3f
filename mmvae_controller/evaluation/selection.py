"""Which rows a model was trained on, and which of them it is judged on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
import re
from typing import Any

from mmvae_controller.evaluation.errors import EvaluationError
from mmvae_controller.evaluation.windows import Rows, Windows
import numpy as np

RANGE = re.compile(r'(\d*):(\d*)')


class Split(StrEnum):
    """Parts of the data: everything, what was kept from training, what was trained on."""

    ALL = 'all'
    HELD_OUT = 'held_out'
    TRAINED = 'trained'


@dataclass(frozen=True, slots=True, eq=False)
class TrainedRows:
    """The rows of a data set that a model was trained on, and those held out; `(N,)` each.

    What shares a time step with a held-out row is in neither.
    """

    trained: Rows
    held_out: Rows
    split_known: bool


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """The rows to judge a model on.

    Args:
        rows: `(N,)`.
        split: Which part of the data they are.
        trained_on: How many of them the model was trained on; None where nothing tells.
        notes: What a reader of the results has to know, one sentence each.

    """

    rows: Rows
    split: Split
    trained_on: int | None
    notes: tuple[str, ...]


def is_trained_on(provenance: Mapping[str, Any], windows: Windows) -> bool:
    """Return whether a model's provenance names this data: by its sha256, else by its origin."""
    ours, theirs = provenance.get('dataset'), windows.description.provenance
    if not isinstance(ours, Mapping):
        return False
    if 'sha256' in ours or 'sha256' in theirs:
        return bool(ours.get('sha256') == theirs.get('sha256'))
    return dict(ours) == dict(theirs)


def is_same_data(one: Windows, other: Windows) -> bool:
    """Return whether rows of the same number are the same windows in both."""
    same = dict(one.description.provenance) == dict(other.description.provenance)
    return one is other or (same and len(one) == len(other))


def every_row(windows: Windows) -> Rows:
    """Return all rows, in order."""
    return np.arange(len(windows), dtype=np.int64)


def rows_trained_on(provenance: Mapping[str, Any], windows: Windows) -> TrainedRows | None:
    """Return what a model was trained on in this data; None if it was trained on other data.

    A model that does not say how its data was split counts as trained on all of it.

    Raises:
        EvaluationError: The split that the model names gives other rows than it was trained on.

    """
    if not is_trained_on(provenance, windows):
        return None
    everything = every_row(windows)
    split = provenance.get('split')
    if not isinstance(split, Mapping):
        return TrainedRows(everything, everything[:0], split_known=False)
    trained, held_out = windows.split(float(split['held_out']), int(split['seed']))
    count = split.get('train_rows', provenance.get('rows'))
    if len(trained) != count:
        raise EvaluationError(
            f'the model was trained on {count} rows, splitting this data as it was '
            f'split then gives {len(trained)}: the data is another, or it is split differently now'
        )
    return TrainedRows(trained, held_out, split_known=True)


def select(
    windows: Windows, trained: TrainedRows | None, split: Split | None, rows: str | None
) -> Selection:
    """Choose rows: those named, else a part of the data, else the best that can be had.

    Raises:
        EvaluationError: There are no such rows.

    """
    everything = every_row(windows)
    if rows is not None:
        if split not in (None, Split.ALL):
            raise EvaluationError(f'rows {rows} and split {split}: name one of them')
        return _selection(rows_named(rows, len(windows)), Split.ALL, trained)
    if trained is None:
        if split not in (None, Split.ALL):
            raise EvaluationError(
                f'split {split}: this is not known as the data the model was trained on'
            )
        return _selection(everything, Split.ALL, None)
    if split is Split.HELD_OUT and len(trained.held_out) == 0:
        raise EvaluationError(f'split {split}: {_why_nothing_is_held_out(trained)}')
    if split is None:
        split = Split.HELD_OUT if len(trained.held_out) else Split.ALL
    parts = {
        Split.ALL: everything,
        Split.HELD_OUT: trained.held_out,
        Split.TRAINED: trained.trained,
    }
    return _selection(parts[split], split, trained)


def rows_named(text: str, count: int) -> Rows:
    """Return the rows of a range such as `100:1100`, counted from 0, its end left out.

    Raises:
        EvaluationError: It is no range, or not all of it is there.

    """
    found = RANGE.fullmatch(text.strip())
    if found is None:
        raise EvaluationError(f'rows {text!r}: expected FIRST:END, such as 100:1100')
    first = int(found[1] or 0)
    end = int(found[2]) if found[2] else count
    if found[2] and first >= end:
        problem = 'empty, its end is left out' if first == end else 'reversed'
        raise EvaluationError(
            f'rows {text}: is {problem}; expected FIRST:END with FIRST below END'
        )
    if not first < end <= count:
        raise EvaluationError(f'rows {text}: the data has {count} windows, 0:{count}')
    return np.arange(first, end, dtype=np.int64)


def _selection(rows: Rows, split: Split, trained: TrainedRows | None) -> Selection:
    if trained is None:
        return Selection(rows, split, None, ())
    count = int(np.isin(rows, trained.trained).sum())
    notes = []
    if count == len(rows):
        notes.append(f'The model was trained on every row it is judged on: {count}.')
    elif count:
        notes.append(f'The model was trained on {count} of the {len(rows)} rows it is judged on.')
    if count and len(trained.held_out) == 0:
        notes.append(f'This says nothing of new data: {_why_nothing_is_held_out(trained)}.')
    return Selection(rows, split, count, tuple(notes))


def _why_nothing_is_held_out(trained: TrainedRows) -> str:
    if trained.split_known:
        return 'it was trained with held_out 0'
    return 'it does not say how its data was split, so all of it counts as trained on'
