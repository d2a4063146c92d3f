"""`mmvae collect`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
import time

from mmvae_controller.cli.progress import progress_bar
from mmvae_controller.modality.shared_files import find_model, find_robot
from mmvae_controller.simulation.collect import collect, CollectSettings


def run(
    out: Path, robot: str, task: str, episodes: int, seed: int, processes: int, learner: str
) -> None:
    """Collect, with a progress bar, and say what was collected."""
    found = str(find_model(learner)) if learner else ''
    settings = CollectSettings(str(find_robot(robot)), task, episodes, seed, learner=found)
    done = rows = successes = 0
    began = time.monotonic()
    with progress_bar() as bar, closing(collect(settings, out, processes)) as shards:
        line = bar.add_task('episodes', total=episodes, figures='')
        for shard in shards:
            done += shard.episodes
            rows += shard.rows
            successes += shard.successes
            rate = rows / (time.monotonic() - began)
            bar.update(line, completed=done, figures=f'{rows} rows, {rate:.0f}/s')
        kept = episodes - done
        bar.update(line, completed=episodes)
    print(
        f'{out}: {rows} rows of {done} new episodes, {successes} of them succeeded'
        + (f'; {kept} episodes were there already' if kept else '')
    )
