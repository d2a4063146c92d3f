"""The two matrices as pictures, and where in a picture the nats are."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter
from mmvae_controller.evaluation.patterns import known_words
from mmvae_controller.importance.asking import Answer
from mmvae_controller.importance.measuring import Measured, Numbers
from mmvae_controller.importance.summary import averaged
from mmvae_controller.importance.words import ABSENT, number, title_words
from mmvae_controller.modality.spec import Encoder
import numpy as np
from numpy.typing import NDArray

CELL_INCHES = 0.75
MAP_INCHES = 1.9
COLOUR_MAP = 'Blues'
MAP_COLOURS = 'cividis'
COMMAND_COLOUR = '#D55E00'
UNDEFINED_COLOUR = '#EEEEEE'
# What the colours can tell apart: from here on, or over so many powers of ten below the largest.
SMALLEST_NATS = 1e-3
DECADES = 5
# Above this share of the colours, letters are white.
DARK = 0.55
HIDDEN = 'hidden'
TITLES = {
    'without': 'taken away: what the column loses\nwithout the row, KL(P_j || P(-i)_j)',
    'alone': 'alone: what the row, if it is all that is known,\nfails to tell of the column, '
    'KL(P_j || P(i)_j)',
}


def heatmap_figure(answer: Answer, name: str, measured: Measured, median: bool) -> Figure:
    """Return both matrices of a protocol; the column of the command is framed."""
    matrices = {
        'without': averaged(measured.without, median),
        'alone': averaged(measured.alone, median),
    }
    norm = _norm(np.stack(list(matrices.values())))
    side = CELL_INCHES * len(answer.names)
    figure = Figure(figsize=(2 * side + 4.2, side + 2.1), layout='constrained')
    axes = figure.subplots(1, 2, squeeze=False)[0]
    known = [known_words(row) for row in measured.known.tolist()]
    for panel, (title, matrix) in zip(axes, matrices.items(), strict=True):
        image = _matrix(panel, matrix, norm)
        panel.set_title(TITLES[title], fontsize=9, loc='left')
        _label(panel, answer, known)
    bar = figure.colorbar(image, ax=list(axes), shrink=0.85, extend='min')
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f'{value:g}'))
    bar.set_label(f'nats, {"median" if median else "mean"} over the windows')
    figure.suptitle(
        f'{title_words(answer)}\nProtocol {name}: in brackets which steps of a row are known; '
        f'{ABSENT}: none is, so nothing can be taken away',
        fontsize=9,
    )
    return figure


def map_figures(answer: Answer) -> dict[str, Figure]:
    """Return for each picture that was kept number by number where in it the nats are."""
    found = {}
    for name, protocol in answer.protocols.items():
        numbers = protocol.measured.numbers
        for modality in answer.contract.modalities:
            if numbers is not None and modality.encoder is Encoder.IMAGE:
                figure = _map_figure(answer, name, modality.name, numbers)
                found[f'map_{modality.name}_{name}'] = figure
    return found


def _matrix(panel: Axes, matrix: NDArray[np.float64], norm: LogNorm) -> AxesImage:
    shown = np.ma.masked_invalid(np.maximum(matrix, norm.vmin or SMALLEST_NATS))
    image = panel.imshow(shown, cmap=COLOUR_MAP, norm=norm, aspect='equal')
    for (row, column), value in np.ndenumerate(matrix):
        defined = bool(np.isfinite(value))
        dark = defined and norm(max(value, norm.vmin or SMALLEST_NATS)) > DARK
        if not defined:
            corner = (column - 0.5, row - 0.5)
            panel.add_patch(Rectangle(corner, 1, 1, color=UNDEFINED_COLOUR, zorder=2))
        panel.text(
            column, row, number(float(value)), ha='center', va='center', fontsize=9,
            color='white' if dark else 'black', zorder=3,
        )  # fmt: skip
    return image


def _label(panel: Axes, answer: Answer, known: list[str]) -> None:
    names, places = answer.names, range(len(answer.names))
    shown = [HIDDEN if steps == '-' else steps for steps in known]
    rows = [f'{n} ({steps})' for n, steps in zip(names, shown, strict=True)]
    columns = [f'{n}\n(command)' if p == answer.command else n for p, n in enumerate(names)]
    panel.set_xticks(places, labels=columns, fontsize=9)
    panel.set_yticks(places, labels=rows, fontsize=9)
    label = panel.get_xticklabels()[answer.command]
    label.set(color=COMMAND_COLOUR, fontweight='bold')
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)
    panel.add_patch(
        Rectangle(
            (answer.command - 0.5, -0.5), 1, len(names),
            fill=False, edgecolor=COMMAND_COLOUR, linewidth=2, zorder=4, clip_on=False,
        )
    )  # fmt: skip


def _norm(values: NDArray[np.float64]) -> LogNorm:
    defined = values[np.isfinite(values)]
    top = max(float(defined.max(initial=0.0)), 10 * SMALLEST_NATS)
    return LogNorm(max(SMALLEST_NATS, top / 10**DECADES), top)


def _map_figure(answer: Answer, protocol: str, name: str, numbers: Numbers) -> Figure:
    """Return maps of a picture, `(H, W)`, its colours summed."""
    lines = {'without {}': numbers.without[name], '{} alone': numbers.alone[name]}
    maps = {title: nats.sum(axis=-1) for title, nats in lines.items()}
    norm = _norm(np.stack(list(maps.values())))
    count = len(answer.names)
    figure = Figure(figsize=(MAP_INCHES * count + 1.4, MAP_INCHES * 2 + 1.4), layout='constrained')
    axes = figure.subplots(2, count, squeeze=False)
    for line, (title, pictures) in zip(axes, maps.items(), strict=True):
        for panel, modality, picture in zip(line, answer.names, pictures, strict=True):
            panel.set_title(title.format(modality), fontsize=10)
            panel.set(xticks=[], yticks=[])
            if np.isfinite(picture).all():
                shown = np.maximum(picture, norm.vmin or SMALLEST_NATS)
                image = panel.imshow(shown, cmap=MAP_COLOURS, norm=norm)
            else:
                panel.text(0.5, 0.5, 'not known', ha='center', transform=panel.transAxes)
    bar = figure.colorbar(image, ax=axes, label='nats for each pixel, mean', extend='min')
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f'{value:g}'))
    figure.suptitle(
        f'{title_words(answer)}\nProtocol {protocol}: where in {name} the nats are. Above: lost '
        'without a modality. Below: not explained by one alone',
        fontsize=9,
    )
    return figure
