"""The plots of a demo: what the command rested on, how fast the loop was, how episodes ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from mmvae_controller.evaluation.figures import GRID_ALPHA, LINES
from mmvae_controller.nodes.watch.record import Curve, Episode, Record

FIGURE_SIZE = (9.0, 3.2)
PANEL_INCHES = (4.5, 2.3)
COLUMNS = 2
LEGEND_INCHES = 0.4
# More would be as small as in the figure of the whole run.
MOST_PANELS = 6
SHADE = '0.85'
NATS = 'nats'
Curves = Mapping[str, Curve]


def importance_figure(record: Record) -> Figure:
    """Return the curves of the whole run; while the camera had failed the ground is grey."""
    figure = Figure(figsize=FIGURE_SIZE, layout='constrained')
    axes = figure.subplots()
    _curves(axes, record.importance)
    for number, (episode, failed_s) in enumerate(record.failures()):
        label = None if number else f'camera {episode.camera}'
        axes.axvspan(failed_s, episode.ended_s, color=SHADE, zorder=0, linewidth=0, label=label)
    axes.set(
        xlabel='simulated time (s)',
        ylabel=NATS,
        yscale='symlog',
        title='what the command loses without each sense',
    )
    figure.legend(loc='outside lower center', ncols=6)
    return figure


def failure_figure(record: Record) -> Figure | None:
    """Return a panel for each of the first episodes in which the camera failed; None of none."""
    failures = list(record.failures())[:MOST_PANELS]
    if not failures:
        return None
    rows = -(-len(failures) // COLUMNS)
    size = (COLUMNS * PANEL_INCHES[0], rows * PANEL_INCHES[1] + LEGEND_INCHES)
    figure = Figure(figsize=size, layout='constrained')
    panels = figure.subplots(rows, COLUMNS, sharey=True, squeeze=False).flat
    for panel, (episode, failed_s) in zip(panels, failures, strict=False):
        _curves(panel, _within(record, episode), '.')
        panel.axvspan(failed_s - episode.began_s, episode.elapsed_s, color=SHADE, zorder=0)
        panel.axvline(failed_s - episode.began_s, color='black', linestyle='--', linewidth=1)
        panel.set(xlim=(0, episode.elapsed_s), yscale='symlog')
        panel.set_title(_ended(episode), fontsize=10)
    for panel in list(figure.axes)[len(failures) :]:
        panel.set_axis_off()
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc='outside upper center', ncols=6)
    figure.supxlabel('s since the episode began; dashed: the camera fails', fontsize=10)
    figure.supylabel(NATS, fontsize=10)
    return figure


def tick_figure(record: Record) -> Figure:
    """Return how long a tick of the control loop took."""
    figure = Figure(figsize=FIGURE_SIZE, layout='constrained')
    axes = figure.subplots()
    if record.ticks_ms:
        times, p50, p99 = zip(*record.ticks_ms, strict=True)
        axes.plot(times, p50, label='p50')
        axes.plot(times, p99, label='p99')
        axes.legend()
    axes.set(
        xlabel='simulated time (s)', ylabel='ms', title='time of a control tick', ylim=(0, None)
    )
    return figure


def outcome_figure(episodes: Sequence[Episode]) -> Figure:
    """Return how long each episode took, and how it ended."""
    figure = Figure(figsize=FIGURE_SIZE, layout='constrained')
    axes = figure.subplots()
    axes.bar(
        [e.number for e in episodes],
        [e.elapsed_s for e in episodes],
        color=['tab:green' if e.success else 'tab:red' for e in episodes],
    )
    for episode in episodes:
        if episode.camera_failed_after_s is not None:
            axes.bar(
                episode.number,
                episode.elapsed_s - episode.camera_failed_after_s,
                bottom=episode.camera_failed_after_s,
                fill=False,
                hatch='///',
            )
    axes.set(
        xlabel='episode',
        ylabel='s',
        title='how long each episode took (red: no success; hatched: the camera had failed)',
    )
    return figure


def _within(record: Record, episode: Episode) -> Curves:
    """Return the curves of an episode, over the time since it began."""
    return {
        name: [(t - episode.began_s, nats) for t, nats in curve if episode.during(t)]
        for name, curve in record.importance.items()
    }


def _curves(axes: Axes, curves: Curves, marker: str = '') -> None:
    """Draw what the command loses without each sense; one that is empty is in the legend too."""
    for number, (name, curve) in enumerate(curves.items()):
        times, nats = zip(*curve, strict=True) if curve else ((), ())
        colour = LINES[number % len(LINES)]
        axes.plot(times, nats, label=name, linewidth=1, marker=marker, color=colour)
    axes.grid(alpha=GRID_ALPHA)


def _ended(episode: Episode) -> str:
    return f'episode {episode.number}: {episode.ending} after {episode.elapsed_s:.2f} s'
