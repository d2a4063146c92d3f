"""An evaluation as pictures: errors, calibration, steps ahead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
import math
from pathlib import PurePath

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from mmvae_controller.evaluation.baselines import COPY_LAST, KNN, MEAN, RIDGE
from mmvae_controller.evaluation.evaluation import Evaluation
from mmvae_controller.evaluation.horizon import Curve, Horizon
from mmvae_controller.evaluation.judge import ModalityScores, PatternScores
from mmvae_controller.evaluation.scores import Score, Scores
from mmvae_controller.modality.observation import CURRENT, PREVIOUS

PANEL_INCHES = (3.4, 2.9)
WIDEST = 3
BAR_WIDTH = 0.16
# Okabe and Ito's colours, which the colour-blind tell apart.
COLOURS = {
    'model': '#0072B2',
    'copy': '#E69F00',
    'ridge': '#CC79A7',
    'kNN': '#009E73',
    'mean': '#999999',
    'published': '#000000',
}
PUBLISHED, PUBLISHED_ELSEWHERE = 'published', 'published, of other rows'
SERIES = ('model', 'copy', 'ridge', 'kNN', 'mean')
LINES = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000')
GRID_ALPHA = 0.3
PARTS: Mapping[str, Callable[[Scores], Score]] = {
    't-1': lambda scores: scores.previous,
    't': lambda scores: scores.current,
    'both': lambda scores: scores.both,
}
STEPS_OF = {'t-1': [PREVIOUS], 't': [CURRENT], 'both': [PREVIOUS, CURRENT]}


def figures(evaluation: Evaluation) -> dict[str, Figure]:
    """Return the figures by name."""
    found = {'errors': errors_figure(evaluation), 'calibration': calibration_figure(evaluation)}
    if evaluation.horizon is not None and evaluation.horizon.windows[0]:
        found['horizon'] = horizon_figure(evaluation, evaluation.horizon)
    return found


def errors_figure(evaluation: Evaluation) -> Figure:
    """Return bars of the MSE: a row of panels for each pattern, of t-1, t and both."""
    patterns = evaluation.patterns
    width, height = PANEL_INCHES[0] * len(PARTS), PANEL_INCHES[1] * len(patterns)
    figure = Figure(figsize=(width, height + 0.8), layout='constrained')
    axes = figure.subplots(len(patterns), len(PARTS), sharey=True, squeeze=False)
    for line, (name, pattern) in zip(axes, patterns.items(), strict=True):
        for panel, (step, part) in zip(line, PARTS.items(), strict=True):
            _error_panel(panel, pattern, part)
            panel.set_title(f'{name}: {step}', fontsize=10, loc='left')
            if _common_square(evaluation) is None:
                names = [f'{n}\n({_square(evaluation.units[n])})' for n in pattern.modalities]
                panel.set_xticks(range(len(names)), names)
            for row, label in enumerate(panel.get_xticklabels()):
                known = pattern.known[row, STEPS_OF[step]].all()
                label.set_fontweight('bold' if known else 'normal')
        published = evaluation.published.get(name, {})
        label = PUBLISHED if evaluation.published_rows else PUBLISHED_ELSEWHERE
        _mark_published(line[-1], published, list(pattern.modalities), label)
        line[0].set_ylabel(f'MSE ({_common_square(evaluation) or "own unit"})')
    _share_ends(axes.ravel().tolist())
    handles, labels = _handles(axes.ravel().tolist())
    figure.legend(handles, labels, loc='outside lower center', ncols=len(labels), frameon=False)
    told = 'what was known is bold: the baselines return it, with error 0'
    figure.suptitle(f'{_judged(evaluation)}\n{told}', fontsize=11)
    return figure


def calibration_figure(evaluation: Evaluation) -> Figure:
    """Return reliability diagrams: how much truth lies inside intervals that claim a share."""
    patterns = evaluation.patterns
    rows, columns = _grid(len(patterns))
    size = (PANEL_INCHES[0] * columns + 1.6, PANEL_INCHES[0] * rows + 0.6)
    figure = Figure(figsize=size, layout='constrained')
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel().tolist()
    for panel, (name, pattern) in zip(axes, patterns.items(), strict=False):
        panel.plot([0, 1], [0, 1], color='black', linewidth=0.8, linestyle=':')
        for (modality, scores), colour in zip(pattern.modalities.items(), LINES * 9, strict=False):
            calibration = scores.model.both.calibration
            if calibration is not None:
                levels, shares = zip(*calibration.coverage.items(), strict=True)
                panel.plot(levels, shares, label=modality, color=colour, marker='.', markersize=4)
        panel.set_title(name, fontsize=10, loc='left')
        panel.set(xlim=(0, 1), ylim=(0, 1), aspect='equal')
        panel.grid(alpha=GRID_ALPHA)
    for panel in axes[len(patterns) :]:
        panel.set_visible(False)
    figure.supxlabel('share that the decoded interval claims', fontsize=10)
    figure.supylabel('share of the truth inside it', fontsize=10)
    handles, labels = _handles(axes)
    figure.legend(handles, labels, loc='outside right center', frameon=False)
    told = 'below the diagonal the model is too sure'
    figure.suptitle(f'{_judged(evaluation)}\n{told}', fontsize=11)
    return figure


def horizon_figure(evaluation: Evaluation, horizon: Horizon) -> Figure:
    """Return the RMSE over steps ahead, beside the spread that was decoded and the baselines."""
    rows, columns = _grid(len(horizon.curves))
    size = (PANEL_INCHES[0] * columns + 1.6, PANEL_INCHES[1] * rows + 0.6)
    figure = Figure(figsize=size, layout='constrained')
    axes = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for panel, (name, curve) in zip(axes, horizon.curves.items(), strict=False):
        _horizon_panel(panel, curve)
        panel.set_title(name, fontsize=10, loc='left')
        panel.set_ylabel(f'RMSE ({evaluation.units[name]})')
    for panel in axes[len(horizon.curves) :]:
        panel.set_visible(False)
    figure.supxlabel('steps ahead of the last known one', fontsize=10)
    handles, labels = _handles(axes)
    figure.legend(handles, labels, loc='outside right center', frameon=False)
    counts = ', '.join(str(count) for count in horizon.windows)
    told = f'prediction, each step from the one before, on {counts} windows'
    figure.suptitle(f'{_judged(evaluation)}\n{told}', fontsize=11)
    return figure


def _judged(evaluation: Evaluation) -> str:
    """Return which model was judged on what, and whether it was trained on that."""
    selection = evaluation.selection
    count, taught = len(selection.rows), selection.trained_on
    seen = {None: 'unknown how many', 0: 'none', count: 'ALL'}.get(taught, str(taught))
    data = PurePath(evaluation.dataset).name or evaluation.dataset
    return f'{evaluation.model} on {data}: {count} windows, {seen} of them trained on'


def _common_square(evaluation: Evaluation) -> str | None:
    """Return the unit of every MSE, None if the modalities have different ones."""
    units = set(evaluation.units.values())
    return _square(units.pop()) if len(units) == 1 else None


def _square(unit: str) -> str:
    return f'({unit})²' if '/' in unit else f'{unit}²'


def _grid(count: int) -> tuple[int, int]:
    """Return rows and columns for some panels: one row of a few, else about a square."""
    columns = count if count <= WIDEST else math.ceil(math.sqrt(count))
    return math.ceil(count / columns), columns


def _error_panel(panel: Axes, pattern: PatternScores, part: Callable[[Scores], Score]) -> None:
    names = list(pattern.modalities)
    series = {label: _errors(pattern, label, part) for label in SERIES}
    series = {label: values for label, values in series.items() if any(values)}
    for number, (label, values) in enumerate(series.items()):
        shift = (number - (len(series) - 1) / 2) * BAR_WIDTH
        places = [place + shift for place in range(len(names))]
        panel.bar(places, values, BAR_WIDTH, label=label, color=COLOURS[label])
    panel.set(yscale='log', xticks=range(len(names)), xticklabels=names)
    panel.set_xlim(-0.5, len(names) - 0.5)
    panel.tick_params(axis='x', length=0)
    panel.grid(axis='y', alpha=GRID_ALPHA)
    panel.set_axisbelow(True)
    panel.spines[['top', 'right']].set_visible(False)


def _share_ends(panels: list[Axes]) -> None:
    """End all panels alike, once everything is drawn: a limit set before would cut what follows.

    A bar has to begin somewhere on a logarithmic axis: at a power of ten below the shortest.
    """
    bars = [bar.get_height() for p in panels for bar in p.patches if isinstance(bar, Rectangle)]
    low, high = panels[0].get_ylim()
    lowest = [10 ** math.floor(math.log10(height)) for height in bars if height]
    panels[0].set_ylim(min([low, *lowest]), high)


def _mark_published(
    panel: Axes, errors: Mapping[str, float], names: list[str], label: str
) -> None:
    """Draw a line across the bars of each modality where others have published an error."""
    places = [place for place, name in enumerate(names) if name in errors]
    if places:
        panel.hlines(
            [errors[names[place]] for place in places],
            [place - 3 * BAR_WIDTH for place in places],
            [place + 3 * BAR_WIDTH for place in places],
            label=label,
            color=COLOURS['published'],
        )


def _errors(pattern: PatternScores, label: str, part: Callable[[Scores], Score]) -> list[float]:
    """Return an MSE for each modality, 0 where there is none: a logarithmic axis shows no bar."""
    baseline = {'copy': COPY_LAST, 'ridge': RIDGE, 'kNN': KNN, 'mean': MEAN}.get(label)

    def error(scores: ModalityScores) -> float:
        found = scores.model if baseline is None else scores.baselines[baseline]
        mse = math.nan if found is None else part(found).mse
        return mse if math.isfinite(mse) else 0.0

    return [error(scores) for scores in pattern.modalities.values()]


def _horizon_panel(panel: Axes, curve: Curve) -> None:
    steps = range(1, len(curve.mse) + 1)
    series = {'model': curve.mse, 'copy': curve.copy_last, 'mean': curve.mean}
    for label, values in series.items():
        if values:
            roots = [math.sqrt(v) for v in values]
            panel.plot(steps, roots, label=label, color=COLOURS[label], marker='.')
    panel.plot(steps, curve.std, label='decoded std', color=COLOURS['model'], linestyle=':')
    panel.set(xticks=list(steps), ylim=(0, None))
    panel.grid(alpha=GRID_ALPHA)
    panel.spines[['top', 'right']].set_visible(False)


def _handles(axes: list[Axes]) -> tuple[list[Artist], list[str]]:
    """Return what a legend needs of several panels, each label once."""
    found: dict[str, Artist] = {}
    for panel in axes:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    labels = sorted(
        found, key=lambda label: SERIES.index(label) if label in SERIES else len(SERIES)
    )
    return [found[label] for label in labels], labels
