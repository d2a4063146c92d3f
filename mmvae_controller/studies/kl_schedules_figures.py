"""The figures of the study."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from mmvae_controller.evaluation.published import MEDIANS, MODALITIES
from mmvae_controller.studies.files import write_figure
from mmvae_controller.studies.kl_schedules_summary import Cell, HIGH, LOW, MEDIAN, Summary
import numpy as np
from numpy.typing import NDArray

DPI = 110
# Lines that end alike lie on each other: each shows through the gaps of the next.
DASHES = ('-', (0, (5, 2)), '-', (0, (5, 2)), '-.', ':')
COLOURS = ('tab:red', 'tab:blue', 'tab:green', 'tab:orange', 'tab:purple', 'tab:brown')
# Where the axis of the KL begins: less is none.
SMALLEST_NATS = 0.01
# 1 is no better than the mean of the rows; beyond this it does not matter how wrong it is.
WORST = 1.2


def draw_figures(summary: Summary, out: Path) -> None:
    """Write `curves_SCALING.png`, `errors_SCALING.png` and `alone_SCALING.png`."""
    for scaling in dict.fromkeys(s for s, _ in summary.blocks):
        protocols = [p for s, p in summary.blocks if s == scaling]
        figures = {
            'curves': _curves(summary, scaling, protocols),
            'errors': _errors(summary, scaling, protocols),
            'alone': _alone(summary, scaling, protocols),
        }
        for name, figure in figures.items():
            write_figure(out / f'{name}_{scaling}.png', figure, DPI)


def _curves(summary: Summary, scaling: str, protocols: Sequence[str]) -> Figure:
    """Draw loss, KL, active units and error over the epochs, a column for each protocol."""
    rows = (
        ('training loss', 'loss (weighted nats)'),
        ('KL of the posterior from the prior', 'KL (nats)'),
        ('active units', 'units'),
        ('error, mean over modalities and patterns', 'MSE / variance'),
    )
    figure = Figure(figsize=(5.5 * len(protocols), 11), layout='constrained')
    figure.suptitle(
        f'{scaling}: {_over_seeds(summary, scaling)}; loss on trained, else held-out rows'
    )
    axes = figure.subplots(len(rows), len(protocols), squeeze=False, sharex=True)
    for column, protocol in enumerate(protocols):
        cells = summary.of(scaling, protocol)
        for cell, colour, dash in zip(cells, COLOURS, DASHES, strict=False):
            epochs = [epoch for epoch, _ in cell.curve]
            for row, series in enumerate(_series(cell)):
                label = cell.condition.schedule
                axis: Axes = axes[row, column]
                axis.plot(epochs, series[:, 0], color=colour, ls=dash, label=label)
                axis.fill_between(epochs, series[:, 1], series[:, 2], color=colour, alpha=0.2)
        for row, (title, unit) in enumerate(rows):
            axes[row, column].set_title(f'{title}, {protocol} masks', fontsize=10)
            axes[row, column].set_ylabel(unit)
            axes[row, column].grid(alpha=0.3)
        axes[1, column].set_yscale('log')
        axes[1, column].set_ylim(bottom=SMALLEST_NATS)
        axes[3, column].set_yscale('log')
        axes[-1, column].set_xlabel('epoch')
        axes[0, column].legend(fontsize=8)
    return figure


def _series(cell: Cell) -> list[NDArray[np.float64]]:
    """Return `(T, 3)` median and quartiles of what the rows of the curves show."""
    return [
        np.array([[numbers[name][k] for k in (MEDIAN, LOW, HIGH)] for _, numbers in cell.curve])
        for name in ('train_loss', 'kl', 'active_units', 'relative_mean')
    ]


def _errors(summary: Summary, scaling: str, protocols: Sequence[str]) -> Figure:
    """Draw the MSE of each modality under each pattern, beside the published ones."""
    names = list(summary.variance)
    patterns = list(summary.of(scaling, protocols[0])[0].last['mse'])
    figure = Figure(figsize=(4 * len(patterns), 3.6 * len(protocols)), layout='constrained')
    figure.suptitle(f'{scaling}: MSE on held-out rows; {_over_seeds(summary, scaling)}')
    axes = figure.subplots(len(protocols), len(patterns), squeeze=False, sharey=True)
    for row, protocol in enumerate(protocols):
        cells = summary.of(scaling, protocol)
        for column, pattern in enumerate(patterns):
            axis: Axes = axes[row, column]
            width = 0.8 / len(cells)
            for number, (cell, colour) in enumerate(zip(cells, COLOURS, strict=False)):
                errors = [cell.last['mse'][pattern][n] for n in names]
                median = np.array([e[MEDIAN] for e in errors])
                off = np.abs([[e[LOW] for e in errors], [e[HIGH] for e in errors]] - median)
                places = np.arange(len(names)) - 0.4 + width * (number + 0.5)
                axis.bar(
                    places, median, width, yerr=off, color=colour, label=cell.condition.schedule
                )
            whole = [summary.variance[n] for n in names]
            axis.scatter(range(len(names)), whole, marker='_', s=700, color='black', label='mean')
            if pattern in MEDIANS and tuple(names) == MODALITIES:
                axis.scatter(
                    range(len(names)), MEDIANS[pattern], marker='x', color='black',
                    zorder=3, label='published (other rows)',
                )  # fmt: skip
            axis.set_yscale('log')
            axis.set_xticks(range(len(names)), names)
            axis.set_title(f'{pattern}, {protocol} masks', fontsize=10)
        axes[row, 0].set_ylabel('MSE (squared unit of the data)')
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc='outside lower center', ncols=len(labels), fontsize=9)
    return figure


def _alone(summary: Summary, scaling: str, protocols: Sequence[str]) -> Figure:
    """Draw how well each modality is known from another one alone: MSE / variance."""
    names = list(summary.variance)
    count = max(len(summary.of(scaling, p)) for p in protocols)
    figure = Figure(figsize=(3.3 * count + 0.8, 3.6 * len(protocols)), layout='constrained')
    figure.suptitle(f'{scaling}: how far off each modality is if one alone is known')
    axes = figure.subplots(len(protocols), count, squeeze=False)
    for row, protocol in enumerate(protocols):
        for axis, cell in zip(axes[row], summary.of(scaling, protocol), strict=False):
            found = cell.importance['alone_mse']
            grid = np.array(
                [[found[i][j][MEDIAN] / summary.variance[j] for j in names] for i in names]
            )
            image = axis.imshow(grid, vmin=0, vmax=WORST, cmap='viridis')
            for y, x in np.ndindex(grid.shape):
                colour = 'white' if grid[y, x] < WORST / 2 else 'black'
                axis.text(
                    x, y, f'{grid[y, x]:.2f}', ha='center', va='center', fontsize=8, color=colour
                )  # fmt: skip
            axis.set_xticks(range(len(names)), names, rotation=45)
            axis.set_yticks(range(len(names)), names)
            axis.set_title(f'{cell.condition.schedule}, {protocol} masks', fontsize=10)
        axes[row, 0].set_ylabel('known')
    for axis in axes[-1]:
        axis.set_xlabel('decoded')
    label = 'MSE / variance; 1: no better than the mean of the rows'
    figure.colorbar(image, ax=axes, extend='max', shrink=0.8, label=label)
    return figure


def _over_seeds(summary: Summary, scaling: str) -> str:
    """Return what is drawn of how many seeds."""
    counts = sorted({len(c.seeds) for c in summary.cells if c.condition.scaling == scaling})
    if counts == [1]:
        return 'one seed'
    return f'median and quartiles over {" or ".join(map(str, counts))} seeds'
