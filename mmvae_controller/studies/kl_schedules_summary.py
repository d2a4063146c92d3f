"""What the seeds of each condition have in common: medians and quartiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmvae_controller.studies.errors import StudyError
from mmvae_controller.studies.kl_schedules_config import Condition
import numpy as np

# Of a nested mapping of numbers, the same mapping of `Spread` as plain data.
Spreads = dict[str, Any]
MEDIAN, LOW, HIGH = 'median', 'low', 'high'
# At a constant learning rate a single epoch may be an outlier: of each model the median of so
# many last looks counts.
LAST_LOOKS = 5


@dataclass(frozen=True, slots=True)
class Cell:
    """All seeds of one condition, each number as `{median, low, high}` (quartiles).

    Args:
        condition: Which.
        seeds: Those that are finished.
        epochs: How long each was trained.
        last: Of the last looks: `kl`, `active_units`, `train_loss`, `mse[pattern][modality]`, and
            `relative[pattern]`, the mean over the modalities of MSE / variance.
        curve: The record of each `epoch` looked at.
        importance: See `HeldOut.importance`; and `told[i]`, the mean over all other modalities
            of their MSE if i alone is known, each divided by its variance.

    """

    condition: Condition
    seeds: tuple[int, ...]
    epochs: int
    last: Spreads
    curve: tuple[tuple[int, Spreads], ...]
    importance: Spreads


@dataclass(frozen=True, slots=True)
class Summary:
    """The study so far.

    Args:
        cells: Of every condition that some group has finished.
        variance: By modality, over the held-out rows: the MSE of knowing nothing but their mean.
        rows: How many were trained on and held out.
        model_seconds: Of training, by model: groups share their time.

    """

    cells: tuple[Cell, ...]
    variance: Mapping[str, float]
    rows: tuple[int, int]
    model_seconds: float

    def of(self, scaling: str, protocol: str) -> list[Cell]:
        """Return the cells of all schedules."""
        wanted = (scaling, protocol)
        return [c for c in self.cells if (c.condition.scaling, c.condition.protocol) == wanted]

    @property
    def blocks(self) -> list[tuple[str, str]]:
        """Scaling and protocol, each pair once, in their order."""
        return list(dict.fromkeys((c.condition.scaling, c.condition.protocol) for c in self.cells))

    def data(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            'rows': {'trained': self.rows[0], 'held_out': self.rows[1]},
            'variance': dict(self.variance),
            'model_seconds': self.model_seconds,
            'conditions': [_cell_data(c) for c in self.cells],
        }


def summarise(results: Sequence[Mapping[str, Any]]) -> Summary:
    """Return what the finished groups have in common.

    Raises:
        StudyError: None is finished.

    """
    if not results:
        raise StudyError('no group of models is finished yet')
    members: dict[Condition, list[tuple[Mapping[str, Any], int]]] = {}
    for result in results:
        for index, (protocol, schedule) in enumerate(result['conditions']):
            condition = Condition(result['scaling'], protocol, schedule)
            members.setdefault(condition, []).append((result, index))
    first = results[0]
    models = sum(len(r['conditions']) for r in results)
    return Summary(
        tuple(_cell(condition, found) for condition, found in members.items()),
        first['variance'],
        (first['rows'][0], first['rows'][1]),
        sum(r['seconds'] for r in results) / models,
    )


def spread(values: Sequence[Any]) -> Any:
    """Return median and quartiles of numbers, or of each number of mappings alike."""
    if isinstance(values[0], Mapping):
        return {key: spread([v[key] for v in values]) for key in values[0]}
    low, median, high = np.percentile(np.asarray(values, dtype=np.float64), [25, 50, 75])
    return {MEDIAN: float(median), LOW: float(low), HIGH: float(high)}


def _cell(condition: Condition, found: Sequence[tuple[Mapping[str, Any], int]]) -> Cell:
    records = [
        [
            (r['epoch'], _with_relative(r['models'][i], result['variance']))
            for r in result['records']
        ]
        for result, i in found
    ]
    curve = tuple(
        (same[0][0], spread([model for _, model in same])) for same in zip(*records, strict=True)
    )
    importance = [_with_told(result['importance'][i], result['variance']) for result, i in found]
    return Cell(
        condition,
        tuple(result['seed'] for result, _ in found),
        curve[-1][0],
        spread([_medians([record for _, record in own[-LAST_LOOKS:]]) for own in records]),
        curve,
        spread(importance),
    )


def _medians(values: Sequence[Any]) -> Any:
    """Return the median of numbers, or of each number of mappings alike."""
    if isinstance(values[0], Mapping):
        return {key: _medians([v[key] for v in values]) for key in values[0]}
    return float(np.median(values))


def _with_relative(record: Mapping[str, Any], variance: Mapping[str, float]) -> dict[str, Any]:
    relative = {
        pattern: float(np.mean([mse / variance[n] for n, mse in errors.items()]))
        for pattern, errors in record['mse'].items()
    }
    return {**record, 'relative': relative, 'relative_mean': float(np.mean([*relative.values()]))}


def _with_told(importance: Mapping[str, Any], variance: Mapping[str, float]) -> dict[str, Any]:
    told = {
        known: float(np.mean([mse / variance[n] for n, mse in errors.items() if n != known]))
        for known, errors in importance['alone_mse'].items()
    }
    totals = {
        f'{measure}_all': {i: sum(row.values()) for i, row in importance[measure].items()}
        for measure in ('alone', 'without')
    }
    return {**importance, **totals, 'told': told}


def _cell_data(cell: Cell) -> dict[str, Any]:
    return {
        'scaling': cell.condition.scaling,
        'protocol': cell.condition.protocol,
        'schedule': cell.condition.schedule,
        'seeds': list(cell.seeds),
        'epochs': cell.epochs,
        'last': cell.last,
        'importance': cell.importance,
        'curve': [{'epoch': epoch, **numbers} for epoch, numbers in cell.curve],
    }
