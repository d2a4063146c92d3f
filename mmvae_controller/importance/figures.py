"""Importance as pictures: matrices, measures with their intervals, violins, maps."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator
from mmvae_controller.evaluation.figures import GRID_ALPHA, LINES
from mmvae_controller.importance.asking import Answer
from mmvae_controller.importance.heatmaps import heatmap_figure, map_figures
from mmvae_controller.importance.measures import MEASURES
from mmvae_controller.importance.summary import Spread
from mmvae_controller.importance.violins import violins_figure
from mmvae_controller.importance.words import ABSENT, number, title_words, TITLES

PANEL_INCHES = (2.75, 0.8)
ROW_INCHES = 0.27
BAR_HEIGHT = 0.66
# Beyond this, the small bars of a linear axis could not be told from nothing.
LINEAR_RATIO = 30.0
# What is smaller counts as nothing: nobody acts on a thousandth of a nat.
SMALLEST_NATS = 1e-3
TEXT_ROOM = 1.5
MOST_TICKS = 5


def figures(answer: Answer, median: bool) -> dict[str, Figure]:
    """Return the figures by name, in the order in which they are to be looked at."""
    found = {'bars': bars_figure(answer, median)}
    for name, protocol in answer.protocols.items():
        found[f'heatmap_{name}'] = heatmap_figure(answer, name, protocol.measured, median)
    found['violins'] = violins_figure(answer)
    return found | map_figures(answer)


def bars_figure(answer: Answer, median: bool) -> Figure:
    """Return bars of every measure, with intervals: a row of panels for each protocol."""
    protocols, count = answer.protocols, len(answer.names)
    height = PANEL_INCHES[1] + ROW_INCHES * count
    size = (PANEL_INCHES[0] * len(MEASURES) + 0.8, height * len(protocols) + 1.0)
    figure = Figure(figsize=size, layout='constrained')
    axes = figure.subplots(len(protocols), len(MEASURES), sharey=True, sharex='col', squeeze=False)
    for column, measure in enumerate(MEASURES):
        found = [protocol.spreads[measure] for protocol in protocols.values()]
        least = _scale(axes[-1, column], [s for line in found for s in line if s], median)
        for panel, spreads in zip(axes[:, column], found, strict=True):
            _bars(panel, spreads, median, least)
            panel.set_title(TITLES[measure], fontsize=9, loc='left')
    for panel, name in zip(axes[:, 0], protocols, strict=True):
        panel.set_yticks(range(count), labels=answer.names)
        panel.set_ylabel(name, fontsize=11, fontweight='bold')
    axes[0, 0].set_ylim(count - 0.5, -0.5)
    bars = 'median, quartiles' if median else 'mean, 95 % interval of the mean'
    figure.suptitle(
        f'{title_words(answer)}\nBars: {bars}. –: not known under this protocol, so it cannot '
        'be taken away.',
        fontsize=10,
    )
    return figure


def _scale(panel: Axes, spreads: list[Spread], median: bool) -> float:
    """Scale a column of panels by its lowest one, and return where its axis begins.

    Logarithmic if a linear axis would hide the small.
    """
    values = [_ends(s, median)[0] for s in spreads]
    top = max([_ends(s, median)[2] or 0.0 for s in spreads] + values + [SMALLEST_NATS])
    shown = [v for v in values if v > SMALLEST_NATS]
    if not shown or max(shown) / min(shown) <= LINEAR_RATIO:
        panel.set_xlabel('nats', fontsize=9)
        panel.set_xlim(0, top * TEXT_ROOM)
        return 0.0
    least = min(shown) / 2
    panel.set_xscale('log')
    panel.set_xlim(least, top * (top / least) ** (TEXT_ROOM - 1))
    panel.xaxis.set_major_locator(LogLocator(numticks=MOST_TICKS))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f'{value:g}'))
    panel.set_xlabel('nats, logarithmic', fontsize=9)
    return least


def _bars(panel: Axes, spreads: tuple[Spread | None, ...], median: bool, least: float) -> None:
    for row, spread in enumerate(spreads):
        if spread is None:
            panel.text(0.02, row, ABSENT, va='center', transform=panel.get_yaxis_transform())
            continue
        value, low, high = _ends(spread, median)
        colour = LINES[row % len(LINES)]
        panel.barh(row, value, BAR_HEIGHT, color=colour, alpha=0.8)
        if low is not None and high is not None:
            panel.hlines(row, max(low, least), max(high, least), color='black')
        end = max(value if high is None else high, value, least)
        panel.annotate(
            number(value), (end, row), (3, 0), textcoords='offset points', va='center', fontsize=8
        )
    panel.tick_params(axis='y', length=0)
    panel.tick_params(axis='x', labelsize=8)
    panel.grid(axis='x', alpha=GRID_ALPHA)
    panel.set_axisbelow(True)
    panel.spines[['top', 'right']].set_visible(False)


def _ends(spread: Spread, median: bool) -> tuple[float, float | None, float | None]:
    if median:
        return spread.median, spread.q25, spread.q75
    return spread.mean, spread.low, spread.high
