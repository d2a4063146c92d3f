"""The tables of the study, as Markdown, and all its numbers as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmvae_controller.evaluation.published import MEDIANS, MODALITIES
from mmvae_controller.studies.files import write_json, write_text
from mmvae_controller.studies.finished import Finished
from mmvae_controller.studies.kl_schedules_summary import (
    Cell,
    HIGH,
    LAST_LOOKS,
    LOW,
    MEDIAN,
    Summary,
)

RESULTS_FILE, TABLES_FILE = 'results.json', 'tables.md'


def write_report(summary: Summary, finished: Finished, out: Path) -> None:
    """Write results.json and tables.md."""
    write_json(out / RESULTS_FILE, summary.data())
    write_text(out / TABLES_FILE, tables(summary, finished))


def tables(summary: Summary, finished: Finished) -> str:
    """Return all tables: numbers are the median over the seeds, and (lower to upper quartile)."""
    trained, held_out = summary.rows
    several = any(len(cell.seeds) > 1 for cell in summary.cells)
    over = 'Median over the seeds (lower to upper quartile).' if several else 'One seed.'
    lines = [
        *finished.caveat,
        f'Trained on {trained} windows, measured on {held_out} that were held out, each model by '
        f'the median of its last {LAST_LOOKS} records. {over}',
        '',
    ]
    lines += ['### Overview', '', *_overview(summary), '']
    for scaling, protocol in summary.blocks:
        cells = summary.of(scaling, protocol)
        seeds, epochs = len(cells[0].seeds), cells[0].epochs
        plural = '' if seeds == 1 else 's'
        lines += [f'### {scaling}, {protocol} masks: {seeds} seed{plural}, {epochs} epochs', '']
        lines += [*_error_table(summary, cells), '']
        lines += ['Of one modality alone:', '', *_importance_table(summary, cells), '']
    return '\n'.join(lines)


def _overview(summary: Summary) -> list[str]:
    patterns = list(summary.cells[0].last['relative'])
    rows = []
    for cell in summary.cells:
        condition, last = cell.condition, cell.last
        row = [condition.scaling, condition.protocol, condition.schedule]
        row += [number(last['active_units'], '.0f'), number(last['kl'], '.3g')]
        rows.append([*row, *(number(last['relative'][p], '.2f') for p in patterns)])
    header = ['likelihood', 'masks', 'schedule', 'active units', 'KL (nats)']
    return markdown([*header, *(f'MSE / variance, {p}' for p in patterns)], rows)


def _error_table(summary: Summary, cells: Sequence[Cell]) -> list[str]:
    names = list(summary.variance)
    rows = []
    for pattern in cells[0].last['mse']:
        for cell in cells:
            errors = cell.last['mse'][pattern]
            shown = [number(errors[name], '.4f') for name in names]
            rows.append([pattern, cell.condition.schedule, *shown])
        if pattern in MEDIANS and tuple(names) == MODALITIES:
            published = [f'{mse:.4f}' for mse in MEDIANS[pattern]]
            rows.append([pattern, '*published, other rows*', *published])
    rows.append(['', '*mean of the rows*', *(f'{summary.variance[n]:.4f}' for n in names)])
    return markdown(['MSE', 'schedule', *names], rows)


def _importance_table(summary: Summary, cells: Sequence[Cell]) -> list[str]:
    header = [
        'schedule', 'modality', 'MSE of the others / variance', 'single error, own',
        'single error, all', 'loss of precision, own', 'loss of precision, all',
    ]  # fmt: skip
    rows = []
    for cell in cells:
        found = cell.importance
        for name in summary.variance:
            nats = (
                found['alone'][name][name], found['alone_all'][name],
                found['without'][name][name], found['without_all'][name],
            )  # fmt: skip
            told = number(found['told'][name], '.2f')
            shown = [number(value, '.3g') for value in nats]
            rows.append([cell.condition.schedule, name, told, *shown])
    return markdown(header, rows)


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table."""
    lines = [header, ['---'] * len(header), *rows]
    return ['| ' + ' | '.join(line) + ' |' for line in lines]


def number(spread: dict[str, Any], form: str) -> str:
    """Return a median with its quartiles, which are left out where they do not differ."""
    median, low, high = (format(spread[key], form) for key in (MEDIAN, LOW, HIGH))
    return median if low == high else f'{median} ({low} to {high})'
