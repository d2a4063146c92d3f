"""What remains of a demo: report.json, report.html with plots, and a GIF of an episode."""

from __future__ import annotations

import base64
from collections.abc import Sequence
import html
from pathlib import Path
import statistics
from typing import Any

from matplotlib.figure import Figure
from mmvae_controller.cli.files import write_json, write_text
from mmvae_controller.cli.output import png
from mmvae_controller.modality.contract import ModelContract, NETWORK_FILE
from mmvae_controller.modality.robot import Robot
from mmvae_controller.nodes.monitor import Record
from mmvae_controller.simulation.replay import OVERVIEW_SIZE, replay
import numpy as np
from numpy.typing import NDArray
from PIL import Image

GIF_FRAME_S = 0.1
GIF_LAST_FRAME_S = 1.5
FIGURE_SIZE = (9.0, 3.2)


def write_report(
    out: Path, task: str, contract: ModelContract, robot: Robot, record: Record
) -> float:
    """Write all three into a folder and return the success rate."""
    data = report_data(task, contract, robot, record)
    write_json(out / 'report.json', data)
    animation = out / 'episode.gif'
    shown = write_animation(animation, task, record)
    write_text(out / 'report.html', _page(data, record, animation if shown else None))
    return float(data['success_rate'])


def report_data(
    task: str, contract: ModelContract, robot: Robot, record: Record
) -> dict[str, Any]:
    """Return the figures of a demo as plain data."""
    episodes = [
        {
            'episode': int(e['episode']),
            'seed': int(e['seed']),
            'success': e['success'] == 'True',
            'elapsed_s': float(e['elapsed_s']),
            'distance_m': float(e['distance_m']),
            'commands': int(e['commands']),
            'max_command_step_rad': float(e['max_command_step_rad']),
        }
        for e in record.episodes
    ]
    successes = [e for e in episodes if e['success']]
    times = [float(e['elapsed_s']) for e in successes]
    return {
        'task': task,
        'robot': robot.name,
        'model': contract.name,
        'network_sha256': contract.checksums[NETWORK_FILE],
        'success_rate': len(successes) / len(episodes) if episodes else 0.0,
        'median_success_time_s': statistics.median(times) if times else None,
        'episodes': episodes,
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


def write_animation(path: Path, task: str, record: Record) -> bool:
    """Write a GIF of the first successful episode; return whether there was anything to show.

    Left the arm as somebody beside it would see it, right what its camera saw and what the
    model, at the same moment, decoded that it sees.
    """
    shown = _first_success_seen_whole(record)
    if shown is None:
        return False
    seed, began_s, ended_s, joints = shown
    moments = [*np.arange(began_s, ended_s, GIF_FRAME_S).tolist(), ended_s]
    postures = [_nearest(joints, moment) for moment in moments]
    seen = [(t, p) for _, t, p in record.pictures]
    imagined = [(t, p) for _, t, p in record.imagined]
    frames = []
    overviews = replay(task, seed, postures)
    for moment, overview in zip(moments, overviews, strict=True):
        small = [_enlarged(_nearest(s, moment)) for s in (seen, imagined) if s]
        column = np.concatenate(small, axis=0) if small else overview[:, :0]
        frames.append(Image.fromarray(np.concatenate([overview, column], axis=1)))
    aside = path.with_name(f'.{path.name}.part')
    pauses = [round(GIF_FRAME_S * 1000)] * (len(frames) - 1) + [round(GIF_LAST_FRAME_S * 1000)]
    frames[0].save(
        aside, format='GIF', save_all=True, append_images=frames[1:], duration=pauses, loop=0
    )
    aside.replace(path)
    return True


def _first_success_seen_whole(
    record: Record,
) -> tuple[int, float, float, list[tuple[float, NDArray[Any]]]] | None:
    """Return seed, begin, end and movement of an episode, on the clock of the record.

    The first episodes may have begun before the monitor and the simulation had found each other.
    """
    for episode in record.episodes:
        moves = [(t, q) for n, t, q in record.joints if n == int(episode['episode'])]
        if episode['success'] != 'True' or not moves:
            continue
        ended_s = moves[-1][0]
        began_s = ended_s - float(episode['elapsed_s']) / record.real_time_factor
        if moves[0][0] <= began_s + GIF_FRAME_S:
            return int(episode['seed']), began_s, ended_s, moves
    return None


def _nearest(series: Sequence[tuple[float, NDArray[Any]]], moment: float) -> NDArray[Any]:
    return min(series, key=lambda item: abs(item[0] - moment))[1]


def _enlarged(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    size = (OVERVIEW_SIZE[1] // 2, OVERVIEW_SIZE[0] // 2)
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.NEAREST))


def _page(data: dict[str, Any], record: Record, animation: Path | None) -> str:
    rows = ''.join(
        f'<tr><td>{e["episode"]}</td><td>{e["seed"]}</td>'
        f'<td class="{"good" if e["success"] else "bad"}">'
        f'{"touched" if e["success"] else "out of time"}</td><td>{e["elapsed_s"]:.2f} s</td>'
        f'<td>{100 * e["distance_m"]:.1f} cm</td><td>{e["max_command_step_rad"]:.4f} rad</td></tr>'
        for e in data['episodes']
    )
    statuses = ''.join(
        f'<tr><td>{html.escape(name)}</td><td>{s["level"]}</td>'
        f'<td>{html.escape(s["message"])}</td></tr>'
        for name, s in data['diagnostics'].items()
    )
    picture = ''
    if animation is not None:
        picture = (
            f'<img src="data:image/gif;base64,{_encoded(animation.read_bytes())}" alt="episode">'
            '<p>Left: the arm. Right: what its camera saw (top) and what the model decoded from '
            'its latent at that moment (bottom).</p>'
        )
    return _TEMPLATE.format(
        task=data['task'],
        model=data['model'],
        sha=data['network_sha256'][:12],
        rate=f'{data["success_rate"]:.0%}',
        count=len(data['episodes']),
        median=_seconds(data['median_success_time_s']),
        picture=picture,
        rows=rows,
        importance=_png(_importance_figure(record)),
        ticks=_png(_tick_figure(record)),
        outcomes=_png(_outcome_figure(data)),
        statuses=statuses,
    )


def _importance_figure(record: Record) -> Figure:
    figure = Figure(figsize=FIGURE_SIZE, layout='constrained')
    axes = figure.subplots()
    for name, curve in record.importance.items():
        if curve:
            axes.plot(*zip(*curve, strict=True), label=name, linewidth=1)
    axes.set(
        xlabel='time (s)',
        ylabel='nats',
        yscale='symlog',
        title='what the command loses without each sense',
    )
    if axes.lines:
        axes.legend(loc='upper right', ncols=4)
    return figure


def _tick_figure(record: Record) -> Figure:
    figure = Figure(figsize=FIGURE_SIZE, layout='constrained')
    axes = figure.subplots()
    if record.ticks_ms:
        times, p50, p99 = zip(*record.ticks_ms, strict=True)
        axes.plot(times, p50, label='p50')
        axes.plot(times, p99, label='p99')
        axes.legend()
    axes.set(xlabel='time (s)', ylabel='ms', title='time of a control tick', ylim=(0, None))
    return figure


def _outcome_figure(data: dict[str, Any]) -> Figure:
    figure = Figure(figsize=FIGURE_SIZE, layout='constrained')
    axes = figure.subplots()
    episodes = data['episodes']
    axes.bar(
        [e['episode'] for e in episodes],
        [e['elapsed_s'] for e in episodes],
        color=['tab:green' if e['success'] else 'tab:red' for e in episodes],
    )
    axes.set(xlabel='episode', ylabel='s', title='time until the touch (red: never)')
    return figure


def _png(figure: Figure) -> str:
    return _encoded(png(figure, dpi=110))


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode('ascii')


def _seconds(value: float | None) -> str:
    return 'none' if value is None else f'{value:.2f} s'


_TEMPLATE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>mmvae demo: {task}</title><style>
body {{ font: 15px/1.45 system-ui, sans-serif }}
body {{ max-width: 62rem; margin: 2rem auto; padding: 0 1rem }}
img {{ max-width: 100% }} table {{ border-collapse: collapse }}
td, th {{ padding: .15rem .8rem .15rem 0; text-align: left }}
.good {{ color: #187a2f }} .bad {{ color: #b3261e }} .large {{ font-size: 2.2rem; margin: 0 }}
</style></head><body>
<h1>{task}</h1>
<p class="large">{rate} of {count} episodes</p>
<p>Model <b>{model}</b> (network sha256 {sha}...), median time to touch {median}.</p>
{picture}
<h2>Which sense the command rests on</h2>
<p>Loss of precision of the command, KL(P<sub>command</sub> || P<sub>command</sub> without the
sense): how far the decoded command moves when only that sense is hidden. 0 means that the robot
would do the same without it; the curve of the command is that of the command one step
earlier.</p>
<img src="data:image/png;base64,{importance}" alt="importance">
<h2>Episodes</h2><img src="data:image/png;base64,{outcomes}" alt="outcomes">
<table><tr><th>episode</th><th>seed</th><th>outcome</th><th>after</th><th>centre to centre</th>
<th>largest command step</th></tr>{rows}</table>
<h2>Control loop</h2><img src="data:image/png;base64,{ticks}" alt="tick times">
<h2>/diagnostics at the end</h2>
<table><tr><th>part</th><th>level</th><th>message</th></tr>{statuses}</table>
</body></html>
"""
