"""An evaluation as plain data, for JSON."""

from __future__ import annotations

from collections.abc import Iterable
import math
from typing import Any

from mmvae_controller.evaluation.evaluation import Evaluation
from mmvae_controller.evaluation.horizon import Horizon
from mmvae_controller.evaluation.judge import ModalityScores, PatternScores
from mmvae_controller.evaluation.scores import Calibration, Score, Scores
from mmvae_controller.evaluation.verdict import verdict


def report_data(evaluation: Evaluation) -> dict[str, Any]:
    """Return everything; what could not be measured is None."""
    selection = evaluation.selection
    return {
        'model': evaluation.model,
        'checksum': evaluation.checksum,
        'dataset': evaluation.dataset,
        'split': selection.split.value,
        'rows': len(selection.rows),
        'trained_on': selection.trained_on,
        'baseline_rows': evaluation.bank_rows,
        'notes': list(evaluation.notes),
        'verdict': verdict(evaluation) or None,
        'units': dict(evaluation.units),
        'patterns': {n: _pattern(p) for n, p in evaluation.patterns.items()},
        'published': {n: dict(p) for n, p in evaluation.published.items()},
        'horizon': None if evaluation.horizon is None else _horizon(evaluation.horizon),
    }


def _pattern(pattern: PatternScores) -> dict[str, Any]:
    return {
        name: {'known': pattern.known[row].tolist(), **_modality(scores)}
        for row, (name, scores) in enumerate(pattern.modalities.items())
    }


def _modality(scores: ModalityScores) -> dict[str, Any]:
    baselines = {n: None if s is None else _scores(s) for n, s in scores.baselines.items()}
    return {**_scores(scores.model), 'baselines': baselines}


def _scores(scores: Scores) -> dict[str, Any]:
    return {
        **_score(scores.both),
        't-1': _score(scores.previous),
        't': _score(scores.current),
    }


def _score(score: Score) -> dict[str, Any]:
    data: dict[str, Any] = {
        'samples': score.samples,
        'mse': _number(score.mse),
        'rmse': _number(score.rmse),
        'nll': _number(score.nll),
        'nll_per_dim': _number(score.nll_per_dim),
    }
    if score.calibration is not None:
        data['calibration'] = _calibration(score.calibration)
    return data


def _calibration(calibration: Calibration) -> dict[str, Any]:
    return {
        'mean_squared_z': _number(calibration.mean_squared_z),
        'coverage': {str(level): _number(c) for level, c in calibration.coverage.items()},
        'expected_calibration_error': _number(calibration.expected_error),
    }


def _horizon(horizon: Horizon) -> dict[str, Any]:
    return {
        'steps': len(horizon.windows),
        'windows': list(horizon.windows),
        'modalities': {
            name: {
                'mse': _numbers(curve.mse),
                'std': _numbers(curve.std),
                'baselines': {
                    'copy_last': _numbers(curve.copy_last),
                    'mean': _numbers(curve.mean) or None,
                },
            }
            for name, curve in horizon.curves.items()
        },
    }


def _numbers(values: Iterable[float]) -> list[float | None]:
    return [_number(v) for v in values]


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
