"""What remains of a demo: report.json, report.html with plots, and GIFs of episodes."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import asdict
import html
from pathlib import Path
import statistics
from typing import Any

from matplotlib.figure import Figure
from mmvae_controller.cli.demo_figures import (
    failure_figure,
    importance_figure,
    outcome_figure,
    tick_figure,
)
from mmvae_controller.cli.demo_page import BESIDE, TEMPLATE
from mmvae_controller.cli.demo_pictures import (
    imagined_moments,
    regular_moments,
    scenes,
    strip_figure,
    to_show,
    write_animation,
)
from mmvae_controller.cli.files import write_json, write_text
from mmvae_controller.cli.output import png
from mmvae_controller.modality.contract import ModelContract, NETWORK_FILE
from mmvae_controller.modality.robot import Robot
from mmvae_controller.nodes.watch.record import Episode, Record

ANIMATIONS = {False: 'episode.gif', True: 'covered.gif'}
FIGURE_DPI = 110


def write_report(
    out: Path, task: str, contract: ModelContract, robot: Robot, record: Record
) -> dict[str, Any]:
    """Write all of it into a folder and return what is in report.json."""
    data = report_data(task, contract, robot, record)
    write_json(out / 'report.json', data)
    shown = ''.join(
        _animated(out / name, robot, task, record, f) for f, name in ANIMATIONS.items()
    )
    write_text(out / 'report.html', _page(data, record, shown, _strip(robot, task, record)))
    return data


def report_data(
    task: str, contract: ModelContract, robot: Robot, record: Record
) -> dict[str, Any]:
    """Return the figures of a demo as plain data.

    `success_rate` is that of the episodes in which the camera worked all the time.
    """
    seeing = [e for e in record.episodes if e.camera_failed_after_s is None]
    failed = [e for e, _ in record.failures()]
    return {
        'task': task,
        'robot': robot.name,
        'model': contract.name,
        'network_sha256': contract.checksums[NETWORK_FILE],
        'success_rate': _rate(seeing) or 0.0,
        'median_success_time_s': _median_s(seeing),
        'covered_success_rate': _rate(failed),
        'covered_median_success_time_s': _median_s(failed),
        'episodes': [_plain(e) for e in record.episodes],
        'tick_ms': {
            'p50': statistics.median(t[1] for t in record.ticks_ms) if record.ticks_ms else None,
            'p99': max((t[2] for t in record.ticks_ms), default=None),
        },
        'mean_command_loss_nats': {
            name: statistics.fmean(v for _, v in curve) if curve else None
            for name, curve in record.importance.items()
        },
        'diagnostics': {
            name: {'level': seen.level.name, 'message': seen.message, 'values': seen.values}
            for name, seen in sorted(record.statuses.items())
        },
    }


def _plain(episode: Episode) -> dict[str, Any]:
    values = asdict(episode)
    return {'episode': values.pop('number'), **values}


def _rate(episodes: Sequence[Episode]) -> float | None:
    return statistics.fmean(e.success for e in episodes) if episodes else None


def _median_s(episodes: Sequence[Episode]) -> float | None:
    times_s = [e.elapsed_s for e in episodes if e.success]
    return statistics.median(times_s) if times_s else None


def _animated(path: Path, robot: Robot, task: str, record: Record, failed: bool) -> str:
    """Write the animation of an episode, if one was seen, and return it for the page."""
    # One of another run would be taken for this one's.
    path.unlink(missing_ok=True)
    episode = to_show(record, failed)
    if episode is None:
        return ''
    write_animation(path, scenes(robot, task, record, episode, regular_moments(episode)))
    return (
        f'<figure><img src="data:image/gif;base64,{_encoded(path.read_bytes())}" alt="episode">'
        f'<figcaption>{_told(episode)}</figcaption></figure>'
    )


def _strip(robot: Robot, task: str, record: Record) -> str:
    """Return what the model imagined while the camera had failed; nothing if it never did."""
    episode = to_show(record, failed=True)
    if episode is None or episode.camera_failed_after_s is None:
        return ''
    moments_s = imagined_moments(record, episode)
    if not moments_s:
        return ''
    figure = strip_figure(
        scenes(robot, task, record, episode, moments_s), episode.camera_failed_after_s
    )
    return (
        '<h2>What the model imagined instead</h2>'
        f'<p>{_told(episode)}. In red: the camera had failed.</p>{_png(figure, "imagined")}'
    )


def _told(episode: Episode) -> str:
    return html.escape(
        f'Episode {episode.number}, seed {episode.seed}: {episode.ending} after '
        f'{episode.elapsed_s:.2f} s; camera {episode.camera_told()}'
    )


def _page(data: dict[str, Any], record: Record, shown: str, strip: str) -> str:
    failures = failure_figure(record)
    return TEMPLATE.format(
        task=data['task'],
        model=data['model'],
        sha=data['network_sha256'][:12],
        rates=_rates(data, record),
        shown=shown and shown + BESIDE,
        rows=''.join(_row(e) for e in record.episodes),
        importance=_png(importance_figure(record), 'importance'),
        failures='' if failures is None else _png(failures, 'importance as the camera fails'),
        strip=strip,
        ticks=_png(tick_figure(record), 'tick times'),
        outcomes=_png(outcome_figure(record.episodes), 'outcomes'),
        statuses=''.join(
            f'<tr><td>{html.escape(name)}</td><td>{s["level"]}</td>'
            f'<td>{html.escape(s["message"])}</td></tr>'
            for name, s in data['diagnostics'].items()
        ),
    )


def _rates(data: dict[str, Any], record: Record) -> str:
    failed = len(list(record.failures()))
    groups = (
        ('', len(record.episodes) - failed, 'the camera worked'),
        ('covered_', failed, 'the camera was covered midway, or failed otherwise'),
    )
    return ''.join(
        f'<p class="large">{data[f"{prefix}success_rate"]:.0%} of {count} episodes</p>'
        f'<p>in which {what}; median time to success '
        f'{_seconds(data[f"{prefix}median_success_time_s"])}.</p>'
        for prefix, count, what in groups
        if count
    )


def _row(episode: Episode) -> str:
    return (
        f'<tr><td>{episode.number}</td><td>{episode.seed}</td>'
        f'<td>{html.escape(episode.camera_told())}</td>'
        f'<td class="{"good" if episode.success else "bad"}">{html.escape(episode.ending)}</td>'
        f'<td>{episode.elapsed_s:.2f} s</td><td>{100 * episode.distance_m:.1f} cm</td>'
        f'<td>{episode.max_command_step_rad:.4f} rad</td></tr>'
    )


def _png(figure: Figure, name: str) -> str:
    data = _encoded(png(figure, dpi=FIGURE_DPI))
    return f'<img src="data:image/png;base64,{data}" alt="{name}">'


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode('ascii')


def _seconds(value: float | None) -> str:
    return 'none' if value is None else f'{value:.2f} s'
