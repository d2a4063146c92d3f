"""What the tables come to, in a line: is the command decoded better than without a model?"""

from __future__ import annotations

from collections.abc import Sequence
import math

from mmvae_controller.evaluation.baselines import COPY_LAST, KNN, MEAN, RIDGE
from mmvae_controller.evaluation.evaluation import Evaluation
from mmvae_controller.evaluation.judge import ModalityScores
from mmvae_controller.evaluation.patterns import steering_pattern
from mmvae_controller.evaluation.selection import Selection, Split

BESIDE = {
    MEAN: 'the mean',
    COPY_LAST: 'a copy of the other step',
    RIDGE: 'ridge',
    KNN: 'kNN',
}


def verdict(evaluation: Evaluation) -> str:
    """Say whether the command is decoded better than each baseline; empty if nobody asked for it.

    Asked is the mask under which a robot steers; RMSE is in the command's own unit.
    """
    name, command = steering_pattern(evaluation.patterns), evaluation.command
    if name is None:
        return ''
    pattern = evaluation.patterns[name]
    scores = pattern.modalities[command]
    row = list(pattern.modalities).index(command)
    known: list[bool] = pattern.known[row].tolist()
    judged = scores.model.masked(known)
    if judged is None or not math.isfinite(judged.rmse):
        return f'{command}: nothing of it could be compared under {name}'
    found = f'RMSE {judged.rmse:.3g} {evaluation.units[command]}'
    where = f'under {name}, on {_rows(evaluation.selection)}'
    better, worse = _compared(scores, known, judged.rmse)
    if not (better or worse):
        return f'{command}: {found}, with no baseline to compare it with; {where}'
    parts = [f'worse than {_listed(worse)}'] if worse else []
    parts += [f'better than {_listed(better)}'] if better else []
    return f'{command}: {", ".join(parts)}; {found}, {where}'


def _compared(
    scores: ModalityScores, known: Sequence[bool], rmse: float
) -> tuple[list[str], list[str]]:
    """Return the baselines that the model is better than, and those that it is not, in words."""
    better: list[str] = []
    worse: list[str] = []
    for name, words in BESIDE.items():
        found = scores.baselines[name]
        score = None if found is None else found.masked(known)
        if score is not None and math.isfinite(score.rmse):
            (better if rmse < score.rmse else worse).append(f'{words} ({score.rmse:.3g})')
    return better, worse


def _listed(words: Sequence[str]) -> str:
    *first, last = words
    return f'{", ".join(first)} and {last}' if first else last


def _rows(selection: Selection) -> str:
    """Return which rows they are: what a model was trained on says little of it."""
    if selection.trained_on is None:
        return 'windows of which it may know some'
    if selection.trained_on:
        return f'{len(selection.rows)} windows, {selection.trained_on} of them trained on'
    return 'held-out windows' if selection.split is Split.HELD_OUT else 'windows new to it'
