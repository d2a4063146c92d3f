"""The benchmark as pictures: who succeeds under which fault, and how fast it is noticed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from mmvae_controller.evaluation.figures import GRID_ALPHA, LINES
from mmvae_controller.simulation.faults.bench import Driver
from mmvae_controller.simulation.faults.cells import SUCCESS
import numpy as np

PANEL_INCHES = 1.9
ROW_INCHES = 0.3
LABEL_INCHES = 2.4
HEAD_INCHES = 1.2
BAR_HEIGHT = 0.8
COLOUR_MAP = 'Blues'
# Above this rate, letters are white.
DARK = 0.55
ABSENT = '–'
CLEAN = 'no fault'
NAMES = {
    Driver.MODEL: 'model',
    Driver.PEER_ZERO: 'peer, zeros',
    Driver.PEER_HOLD: 'peer, last held',
    Driver.EXPERT: 'expert',
}
Data = Mapping[str, Any]


def figures(data: Data) -> dict[str, Figure]:
    """Return the figures by what they show."""
    return {'success': success_figure(data), 'detection': detection_figure(data)}


def faults_and_starts(data: Data) -> tuple[list[str], list[str]]:
    """Return the faults and the starts of the cells, each once, in the order of the settings."""
    cells = data['cells']
    faults = [f for f in data['settings']['faults'] if any(c['fault'] == f for c in cells)]
    starts = [s for s in data['settings']['starts'] if any(c['start'] == s for c in cells)]
    return faults, starts


def cell_of(data: Data, fault: str, start: str) -> Mapping[str, Any] | None:
    """Return a cell, None if it is not there."""
    matching = (c for c in data['cells'] if (c['fault'], c['start']) == (fault, start))
    return next(matching, None)


def success_figure(data: Data) -> Figure:
    """Return a panel for each driver: success by fault and start; the first row is without."""
    faults, starts = faults_and_starts(data)
    drivers = [d for d, name in SUCCESS.items() if data['clean'].get(name) is not None]
    size = (LABEL_INCHES + PANEL_INCHES * len(drivers), HEAD_INCHES + ROW_INCHES * len(faults))
    figure = Figure(figsize=size, layout='constrained')
    axes = figure.subplots(1, len(drivers), sharey=True, squeeze=False)[0]
    for panel, driver in zip(axes, drivers, strict=True):
        name = SUCCESS[driver]
        rows = [[data['clean'][name]] * len(starts)]
        for fault in faults:
            cells = [cell_of(data, fault, start) for start in starts]
            rows.append([None if cell is None else cell[name] for cell in cells])
        _heat(panel, rows)
        panel.set_title(NAMES[driver], fontsize=10, loc='left')
        panel.set_xticks(range(len(starts)), starts, rotation=30, ha='right', fontsize=8)
    axes[0].set_yticks(range(len(faults) + 1), [CLEAN, *faults], fontsize=8)
    figure.suptitle(_title(data, 'share of episodes that succeeded'), fontsize=10)
    return figure


def detection_figure(data: Data) -> Figure:
    """Return bars: the median time until every sense at fault is given up; – if half never are."""
    faults, starts = faults_and_starts(data)
    size = (LABEL_INCHES + 3 * PANEL_INCHES, HEAD_INCHES + 1.5 * ROW_INCHES * len(faults))
    figure = Figure(figsize=size, layout='constrained')
    panel = figure.subplots()
    height = BAR_HEIGHT / max(1, len(starts))
    for number, (start, colour) in enumerate(zip(starts, LINES, strict=False)):
        shift = (number - (len(starts) - 1) / 2) * height
        label = start
        for row, fault in enumerate(faults):
            cell = cell_of(data, fault, start)
            delay_s = None if cell is None else cell['detection_s']
            if delay_s is None:
                panel.text(0, row + shift, f' {ABSENT}', va='center', fontsize=7, color=colour)
                continue
            panel.barh(row + shift, delay_s, height, color=colour, label=label)
            panel.text(delay_s, row + shift, f' {delay_s:.2f}', va='center', fontsize=7)
            label = '_' + start  # Once in the legend.
    panel.set_yticks(range(len(faults)), faults, fontsize=8)
    panel.set_ylim(len(faults) - 0.5, -0.5)
    panel.set_xlim(left=0)
    panel.margins(x=0.1)
    panel.set_xlabel('s from the begin of the fault, median over the episodes', fontsize=9)
    panel.grid(axis='x', alpha=GRID_ALPHA)
    panel.set_axisbelow(True)
    panel.spines[['top', 'right']].set_visible(False)
    if panel.get_legend_handles_labels()[1]:
        figure.legend(loc='outside lower center', ncols=len(starts), frameon=False, fontsize=8)
    what = f'until every sense at fault is given up; {ABSENT}: half of the episodes or more never'
    figure.suptitle(_title(data, what), fontsize=10)
    return figure


def _heat(panel: Axes, rows: Sequence[Sequence[float | None]]) -> None:
    rates = np.array([[np.nan if r is None else r for r in row] for row in rows])
    panel.imshow(np.ma.masked_invalid(rates), cmap=COLOUR_MAP, vmin=0, vmax=1, aspect='auto')
    for (row, column), rate in np.ndenumerate(rates):
        text = ABSENT if np.isnan(rate) else f'{rate:.2f}'
        colour = 'white' if rate > DARK else 'black'
        panel.text(column, row, text, ha='center', va='center', fontsize=8, color=colour)
    panel.axhline(0.5, color='black', linewidth=0.8)
    panel.tick_params(length=0)


def _title(data: Data, what: str) -> str:
    settings = data['settings']
    return (
        f'{data["model"]} on {data["task"]}, {settings["episodes"]} episodes for each cell\n{what}'
    )
