"""A recording as a picture: when each sense was there, what was an episode, what was commanded."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from mmvae_controller.evaluation.figures import LINES
from mmvae_controller.recordings.report import Report
from mmvae_controller.recordings.tally import Stretch, Tally
import numpy as np
from numpy.typing import NDArray

# Okabe and Ito's colours, which the colour-blind tell apart.
PRESENT, MASKED, UNSOUND, EPISODE = '#0072B2', '#D55E00', '#E69F00', '#009E73'
EPISODE_ALPHA = 0.13
WIDTH_INCHES, ROW_INCHES, CURVES_INCHES, HEAD_INCHES = 12.0, 0.42, 2.8, 1.3
BAR, THIN_BAR = 0.56, 0.30
# A sample alone would be too narrow to be seen: at least this share of the width.
NARROWEST = 1 / 2000
# Where nothing was commanded for so many times the usual, the curve is interrupted.
INTERRUPTED = 5.0
GRID_ALPHA = 0.25


def report_figure(report: Report) -> Figure:
    """Return the figure of an import."""
    tallies = list(report.tallies.values())
    height = HEAD_INCHES + ROW_INCHES * len(tallies) + CURVES_INCHES
    figure = Figure(figsize=(WIDTH_INCHES, height), layout='constrained')
    ratios = [ROW_INCHES * len(tallies) + 0.3, CURVES_INCHES]
    senses, curves = figure.subplots(2, 1, sharex=True, height_ratios=ratios)
    end_s = max((bag.end_s for bag in report.bags), default=0.0)
    for axes in (senses, curves):
        for episode in report.episodes:
            axes.axvspan(
                episode.begin_s,
                episode.end_s + report.period_s,
                color=EPISODE,
                alpha=EPISODE_ALPHA,
                linewidth=0,
            )
        axes.spines[['top', 'right']].set_visible(False)
    _draw_senses(senses, tallies, max(end_s, 1e-9) * NARROWEST)
    _draw_commands(curves, report)
    _draw_bags(senses, curves, report)
    several = len(report.bags) > 1
    curves.set_xlabel('s of all recordings' if several else 's of the recording')
    curves.set_xlim(0, max(end_s, report.period_s))
    rows = f'{report.rows} rows of {report.period_s:g} s in {len(report.episodes)} episodes'
    figure.suptitle(f'{report.robot}: {rows}', x=0.01, ha='left', fontsize=12)
    patches = [
        Patch(color=PRESENT, label='new enough'),
        Patch(color=MASKED, label='too old: masked'),
        Patch(color=UNSOUND, label='unsound: masked'),
        Patch(color=EPISODE, alpha=3 * EPISODE_ALPHA, label='episode'),
    ]
    senses.legend(
        handles=patches,
        ncols=4,
        loc='lower right',
        bbox_to_anchor=(1, 1),
        frameon=False,
        fontsize=9,
    )
    return figure


def _draw_senses(axes: Axes, tallies: Sequence[Tally], narrowest_s: float) -> None:
    for row, tally in enumerate(tallies):
        for stretches, colour, height in (
            (tally.present_s, PRESENT, BAR),
            (tally.masked_s, MASKED, BAR),
            (tally.unsound_s, UNSOUND, THIN_BAR),
        ):
            axes.broken_barh(
                _bars(stretches, narrowest_s),
                (row - height / 2, height),
                facecolors=colour,
                linewidth=0,
            )
    axes.set_yticks(range(len(tallies)), [_name(tally) for tally in tallies])
    axes.tick_params(axis='y', length=0)
    axes.tick_params(axis='x', labelbottom=False)
    axes.set_ylim(len(tallies) - 0.4, -0.6)
    for row, tally in enumerate(tallies):
        if not tally.used:
            axes.text(
                0.005, row, 'not in the recording', color=MASKED, va='center', fontsize=9,
                transform=axes.get_yaxis_transform(),
            )  # fmt: skip


def _name(tally: Tally) -> str:
    rate = f', {tally.rate_hz:.0f} Hz' if tally.used else ''
    return f'{tally.name}{rate}'


def _bars(stretches: Sequence[Stretch], narrowest_s: float) -> list[tuple[float, float]]:
    return [(begin, max(end - begin, narrowest_s)) for begin, end in stretches]


def _draw_commands(axes: Axes, report: Report) -> None:
    axes.set_ylabel(f'command, {report.unit}')
    axes.grid(axis='y', alpha=GRID_ALPHA)
    if not report.curve.at_s:
        return
    at_s, values = _interrupted(
        np.array(report.curve.at_s), np.stack(report.curve.values).astype(np.float64)
    )
    lines: list[Line2D] = []
    for joint in range(values.shape[1]):
        lines += axes.plot(at_s, values[:, joint], color=LINES[joint % len(LINES)], linewidth=0.9)
    axes.legend(
        lines,
        report.joints,
        loc='upper left',
        bbox_to_anchor=(1.0, 1.02),
        fontsize=8,
        frameon=False,
    )


def _interrupted(
    at_s: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a curve with a hole wherever nothing was commanded for long."""
    between = np.diff(at_s)
    if not between.size:
        return at_s, values
    holes = np.flatnonzero(between > INTERRUPTED * np.median(between)) + 1
    return np.insert(at_s, holes, at_s[holes]), np.insert(values, holes, np.nan, axis=0)


def _draw_bags(senses: Axes, curves: Axes, report: Report) -> None:
    """Say where one bag ends and the next begins."""
    if len(report.bags) < 2:
        return
    for number, bag in enumerate(report.bags):
        if number:
            for axes in (senses, curves):
                axes.axvline(bag.begin_s, color='black', linewidth=0.8, linestyle=':')
        name = bag.path.rstrip('/').rsplit('/', 1)[-1]
        curves.text(
            bag.begin_s, 1.01, f' {name}', fontsize=8, transform=curves.get_xaxis_transform()
        )
