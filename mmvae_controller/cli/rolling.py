"""`mmvae rollout`."""

from __future__ import annotations

from pathlib import Path
import time

from mmvae_controller.cli.files import require_place, write_json
from mmvae_controller.cli.progress import progress_bar
from mmvae_controller.control.network import Network
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.modality.shared_files import find_model, find_robot
from mmvae_controller.simulation.rollout import EpisodeResult, kinds_of, rollout
from rich.console import Console
from rich.table import Table


def run(
    model: str, task: str, robot: str, episodes: int, seed: int, blind: bool, json: Path | None
) -> None:
    """Roll out, with a progress bar, print a table and write the JSON."""
    if json is not None:
        require_place(json)
    network = Network(find_model(model))
    configured = load_robot(find_robot(robot))
    began = time.monotonic()
    simulated_s = 0.0
    counts = {kind: [0, 0] for kind in kinds_of(task, blind)}
    with progress_bar() as bar:
        line = bar.add_task('episodes', total=episodes * len(counts), figures='')

        def on_episode(kind: str, result: EpisodeResult) -> None:
            nonlocal simulated_s
            simulated_s += result.elapsed_s
            counts[kind][0] += result.success
            counts[kind][1] += 1
            figures = f'{kind}: {counts[kind][0]} of {counts[kind][1]} succeeded'
            bar.update(line, advance=1, figures=figures)

        report = rollout(network, configured, task, episodes, seed, blind, on_episode)
    data = report.data()
    means: dict[str, dict[str, float]] = data.get('means', {})
    measures = list(means.get('seeing', {}))
    title = f'{report.model} on {task}, seeds from {seed}'
    table = Table('', 'success', 'rate', *[f'mean {m}' for m in measures], title=title)
    for kind, (successes, total) in counts.items():
        figures = [f'{means[kind][m]:.4g}' for m in measures]
        table.add_row(kind, f'{successes} of {total}', f'{successes / total:.2f}', *figures)
    Console().print(table)
    speed = simulated_s / (time.monotonic() - began)
    median_s = data['median_success_time_s']
    told = 'no success' if median_s is None else f'median success {median_s:.2f} s'
    print(f'{speed:.1f} times real time; {told}')
    if json is not None:
        write_json(json, data)
        print(f'wrote {json}')
