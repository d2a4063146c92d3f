"""What the command loses without each sense, as distributions over the windows."""

from __future__ import annotations

from typing import cast

from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from mmvae_controller.evaluation.figures import GRID_ALPHA, LINES
from mmvae_controller.importance.asking import Answer
from mmvae_controller.importance.measures import MEASURES
from mmvae_controller.importance.words import title_words
import numpy as np
from numpy.typing import NDArray

PANEL_INCHES = (2.7, 2.1)
COMMAND_LOSS = MEASURES[-1]
# Where the violins end below: what is smaller is as good as nothing.
SMALLEST_NATS = 1e-3
# A shape of fewer would be that of the smoothing.
FEWEST = 5
WIDTH = 0.85


def violins_figure(answer: Answer) -> Figure:
    """Return the distributions by group of windows: a panel for each protocol and modality."""
    protocols, names = answer.protocols, answer.names
    size = (PANEL_INCHES[0] * len(names) + 0.8, PANEL_INCHES[1] * len(protocols) + 1.1)
    figure = Figure(figsize=size, layout='constrained')
    axes = figure.subplots(len(protocols), len(names), sharex=True, sharey=True, squeeze=False)
    for line, (name, found) in zip(axes, protocols.items(), strict=True):
        losses = found.measured.measures[COMMAND_LOSS]
        for row, (panel, modality) in enumerate(zip(line, names, strict=True)):
            _violins(panel, losses[:, row], answer, LINES[row % len(LINES)])
            panel.set_title(f'without {modality}', fontsize=9, loc='left')
        line[0].set_ylabel(f'{name}\nnats', fontsize=10)
    _ends(axes[0, 0], [f.measured.measures[COMMAND_LOSS] for f in protocols.values()])
    figure.supxlabel(answer.groups.what, fontsize=10)
    figure.suptitle(
        f'{title_words(answer)}\nWhat the command loses without a modality: windows by '
        f'{answer.groups.what}. White: median, black: quartiles; as good as nothing is drawn at '
        f'{SMALLEST_NATS:g}',
        fontsize=10,
    )
    return figure


def _violins(panel: Axes, losses: NDArray[np.float64], answer: Answer, colour: str) -> None:
    labels, of = answer.groups.labels, answer.groups.of
    places = list(range(len(labels)))
    if not np.isfinite(losses).any():
        panel.text(0.5, 0.5, 'not known here', ha='center', transform=panel.transAxes, alpha=0.6)
    for place in places:
        numbers = losses[(of == place) & np.isfinite(losses)]
        if len(numbers) == 0:
            continue
        logs = np.log10(np.maximum(numbers, SMALLEST_NATS))
        if len(numbers) >= FEWEST and np.ptp(logs) > 0:
            parts = panel.violinplot(logs, [place], widths=WIDTH, showextrema=False)
            for body in cast(list[PolyCollection], parts['bodies']):
                body.set(facecolor=colour, alpha=0.6)
        low, middle, high = np.quantile(logs, [0.25, 0.5, 0.75])
        panel.vlines(place, low, high, color='black', linewidth=4)
        panel.plot(place, middle, 'o', color='white', markeredgecolor='black', markersize=4)
    panel.set_xticks(places, labels=labels, fontsize=8)
    panel.set_xlim(-0.6, len(labels) - 0.4)
    panel.grid(axis='y', alpha=GRID_ALPHA)
    panel.spines[['top', 'right']].set_visible(False)


def _ends(panel: Axes, losses: list[NDArray[np.float64]]) -> None:
    """Write powers of ten on the axis that all panels share: what is drawn are logarithms."""
    found = np.concatenate([values[np.isfinite(values)] for values in losses])
    logs = np.log10(np.maximum(found, SMALLEST_NATS))
    low, high = int(np.floor(logs.min())), int(np.ceil(logs.max()))
    high = max(high, low + 1)
    panel.set_yticks(range(low, high + 1), labels=[f'{10.0**p:g}' for p in range(low, high + 1)])
    panel.set_ylim(low - 0.1, high)
