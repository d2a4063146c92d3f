"""An evaluation as tables for a terminal of 100 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import math

from mmvae_controller.evaluation.baselines import COPY_LAST, KNN, MEAN, RIDGE
from mmvae_controller.evaluation.evaluation import Evaluation
from mmvae_controller.evaluation.horizon import Horizon
from mmvae_controller.evaluation.judge import ModalityScores, PatternScores
from mmvae_controller.evaluation.patterns import known_words
from mmvae_controller.evaluation.scores import Calibration, Scores
from rich import box
from rich.table import Table

ABSENT = '-'
KNOWN = 'known'
BESIDE = {'copy': COPY_LAST, 'ridge': RIDGE, 'kNN': KNN, 'mean': MEAN}
# Of 90 % intervals.
SHOWN_LEVEL = 0.9
LEGEND = (
    'MSE in the square of the own unit. both: t-1 and t together. masked: of the masked steps '
    'alone, where the baselines guess; what is known they return, with error 0. The MSE of the '
    'model over the same steps is green below every baseline, red above one. copy: t from t-1 or '
    't-1 from t. NLL: nats per number. in 90 %: share of the truth inside the 90 % interval. '
    'ECE: mean distance of such shares from what they should be.'
)


def tables(evaluation: Evaluation) -> list[Table]:
    """Return one table for each pattern, and one of the steps ahead."""
    published = evaluation.published
    shown = [
        _pattern_table(name, pattern, published.get(name, {}), bool(published))
        for name, pattern in evaluation.patterns.items()
    ]
    if evaluation.horizon is not None:
        shown.append(_horizon_table(evaluation.horizon))
    return shown


def _pattern_table(
    name: str, pattern: PatternScores, published: Mapping[str, float], compared: bool
) -> Table:
    table = _table(name)
    table.add_column('', style='bold')
    table.add_column('known')
    for title in ('MSE\nt-1', 'MSE\nt', 'MSE\nboth'):
        table.add_column(title, justify='right')
    if compared:
        table.add_column('publ.\nboth', justify='right')
    for title in (*(f'{t}\nmasked' for t in BESIDE), 'NLL\nboth', 'in\n90 %', 'ECE'):
        table.add_column(title, justify='right')
    for row, (modality, scores) in enumerate(pattern.modalities.items()):
        model, others = scores.model, scores.baselines
        known: list[bool] = pattern.known[row].tolist()
        cells = [modality, known_words(known), *_coloured(scores, known)]
        if compared:
            cells.append(_number(published.get(modality, math.nan)))
        cells += [_masked_mse(others[name], known) for name in BESIDE.values()]
        cells += [_number(model.both.nll_per_dim), *_calibration(model.both.calibration)]
        table.add_row(*cells)
    return table


def _horizon_table(horizon: Horizon) -> Table:
    table = _table('MSE of t, steps ahead from t-1: model / copied from t-1 (decoded std)')
    table.add_column('', style='bold')
    for ahead, count in enumerate(horizon.windows, start=1):
        table.add_column(f'{ahead}\nn = {count}', justify='right')
    for name, curve in horizon.curves.items():
        cells = [
            f'{_number(mse)} / {_number(copy)}\n({_number(std)})'
            for mse, copy, std in zip(curve.mse, curve.copy_last, curve.std, strict=True)
        ]
        table.add_row(name, *cells)
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify='left', box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))


def _coloured(scores: ModalityScores, known: Sequence[bool]) -> list[str]:
    """Return the MSE of t-1, t and both; of the masked steps coloured beside the baselines."""
    model = scores.model
    judged = model.masked(known)
    found = [s.masked(known) for s in scores.baselines.values() if s is not None]
    others = [score.mse for score in found if score is not None and math.isfinite(score.mse)]
    cells = []
    for score in (model.previous, model.current, model.both):
        cell = _number(score.mse)
        if score is judged and others and math.isfinite(score.mse):
            cell = f'[{"green" if score.mse < min(others) else "red"}]{cell}[/]'
        cells.append(cell)
    return cells


def _masked_mse(scores: Scores | None, known: Sequence[bool]) -> str:
    if all(known):
        return KNOWN
    found = None if scores is None else scores.masked(known)
    return ABSENT if found is None else _number(found.mse)


def _calibration(calibration: Calibration | None) -> tuple[str, str]:
    if calibration is None:
        return ABSENT, ABSENT
    return f'{calibration.coverage[SHOWN_LEVEL]:.2f}', f'{calibration.expected_error:.2f}'


def _number(value: float) -> str:
    """Return a number in 6 characters or so: .0185, 1.24, 384, 1.2e+04."""
    if not math.isfinite(value):
        return ABSENT
    if abs(value) >= 100_000 or 0 < abs(value) < 0.00005:
        return f'{value:.0e}'
    if abs(value) >= 100:
        return f'{value:.0f}'
    return f'{value:.2f}' if abs(value) >= 1 else f'{value:.4f}'
