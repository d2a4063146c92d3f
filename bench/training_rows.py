r"""What do more rows cost? Time and memory of an epoch, from ten thousand rows to ten million.

    python bench/training_rows.py docs/results/scaling_rows.json \
        docs/results/images/scaling_rows.png

Trains a small network on the linear world, recorded on disk, for one whole epoch: read in blocks
(`order: blocks`), read row by row (`order: rows`), and with all of it held in memory, which is
the limit. Each in a process of its own, on one thread; memory is what the kernel says of that
process: its own (RssAnon) and with the mapped pages of files that the kernel may take back
(VmHWM). About ten minutes on one core and 2 GB of disk. `--rows` and `--kinds` measure some of it
again; what the JSON has of the others stays.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
import json
import math
from pathlib import Path
import subprocess
import sys
from tempfile import gettempdir
import threading
import time
from typing import Any

import matplotlib as mpl

mpl.use('Agg')

from matplotlib import pyplot as plt
from mmvae_controller.datasets.linear_world import ROBOT
from mmvae_controller.datasets.store import Dataset, DATASET_FILE
from mmvae_controller.training import trainer as training
from mmvae_controller.training.config import load_training_config
from mmvae_controller.training.order import Order
import torch

CONFIG = Path(__file__).parents[1] / 'config' / 'train' / 'linear_world.yaml'
ROWS = (10_000, 100_000, 1_000_000, 10_000_000)
BATCH = 4096
SAMPLED_EVERY_S = 0.01
KIB = 1024
MB = 1e6
TICKS_MB = (200, 500, 1000, 2000)
# Order, and how many numbers are held in memory at most.
KINDS: dict[str, tuple[Order, float]] = {
    'blocks': (Order.BLOCKS, 0),
    'rows': (Order.ROWS, 0),
    'held': (Order.ROWS, math.inf),
}
LOOKS = {
    'blocks': ('read in blocks (order: blocks)', '#0072b2', 'o-'),
    'rows': ('read row by row (order: rows)', '#d55e00', 's-'),
    'held': ('all held in memory', '#777777', '^--'),
}


class Memory(threading.Thread):
    """Watches how much memory of its own this process has at most."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.own_mb, self._stop_it = 0.0, threading.Event()

    def run(self) -> None:
        """Look again and again until told to end."""
        while not self._stop_it.wait(SAMPLED_EVERY_S):
            self.own_mb = max(self.own_mb, status_mb('RssAnon'))

    def end(self) -> None:
        """Stop looking."""
        self._stop_it.set()
        self.join()


def status_mb(key: str) -> float:
    """Return what the kernel says of this process, in MB."""
    lines = Path('/proc/self/status').read_text(encoding='ascii').splitlines()
    found = next(line for line in lines if line.startswith(f'{key}:'))
    return int(found.split()[1]) * KIB / MB


def measure(kind: str, folder: Path) -> dict[str, float]:
    """Train for an epoch and return what it took."""
    torch.set_num_threads(1)
    order, held = KINDS[kind]
    training.MOST_HELD = held
    before_mb = status_mb('RssAnon')
    memory = Memory()
    memory.start()
    began_s = time.perf_counter()
    world = Dataset(folder)
    config = load_training_config(CONFIG, world.modalities)
    trainer = training.Trainer(
        replace(config, epochs=1, batch_size=BATCH, order=order, warmup_steps=0), world
    )
    ready_s = time.perf_counter()
    (result,) = trainer.epochs(lambda step, loss: None)
    ended_s = time.perf_counter()
    memory.end()
    return {
        'steps': trainer.steps_per_epoch,
        'ready_s': ready_s - began_s,
        'epoch_s': ended_s - ready_s,
        'empty_mb': before_mb,
        'own_mb': memory.own_mb,
        'peak_mb': status_mb('VmHWM'),
        'loss': result.loss,
    }


def draw(points: Mapping[str, Any], path: Path) -> None:
    """Draw time, time per row and memory against rows."""
    plt.rcParams |= {'font.size': 10, 'axes.spines.top': False, 'axes.spines.right': False}
    figure, (total, each, memory) = plt.subplots(1, 3, figsize=(13, 4.2), layout='constrained')
    for kind, (label, colour, line) in LOOKS.items():
        found = sorted((p for p in points.values() if p['kind'] == kind), key=lambda p: p['rows'])
        rows = [p['rows'] for p in found]
        look: dict[str, Any] = {'color': colour, 'label': label, 'ms': 5}
        total.plot(rows, [p['epoch_s'] for p in found], line, **look)
        each.plot(rows, [1e6 * p['epoch_s'] / p['rows'] for p in found], line, **look)
        memory.plot(rows, [p['own_mb'] for p in found], line, **look)
    empty_mb = min(p['empty_mb'] for p in points.values())
    memory.axhline(empty_mb, color='#999999', lw=1, ls=':')
    memory.annotate(
        'Python and PyTorch loaded', (ROWS[0], empty_mb), (0, 4), textcoords='offset points',
        color='#666666', fontsize=9,
    )  # fmt: skip
    total.set(yscale='log', ylabel='time of an epoch / s', title='Time grows with the rows,')
    each.set(ylim=(0, None), ylabel='time per row / µs', title='each costs the same,')
    memory.set(
        yscale='log', ylabel='peak memory of its own / MB', title='and memory does not grow'
    )
    memory.set_yticks(TICKS_MB, [str(tick) for tick in TICKS_MB])
    memory.minorticks_off()
    for axes in (total, each, memory):
        axes.set(xscale='log', xlabel='rows')
        axes.grid(alpha=0.25)
    total.legend(frameon=False, fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)


def main() -> None:
    """Measure what is asked for, and draw all there is."""
    if sys.argv[1:2] == ['--one']:
        print(json.dumps(measure(sys.argv[2], Path(sys.argv[3]))))
        return
    options = parsed()
    points: dict[str, Any] = {}
    with suppress(FileNotFoundError):
        points = json.loads(options.json.read_text(encoding='utf-8'))
    for rows in options.rows:
        folder = options.data / f'linear_{rows}'
        if not (folder / DATASET_FILE).exists():
            ROBOT.record(folder, rows, seed=0)
        for kind in options.kinds:
            words = [sys.executable, __file__, '--one', kind, str(folder)]
            run = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
            found = {'kind': kind, 'rows': rows, 'batch_size': BATCH} | json.loads(run.stdout)
            points[f'{kind} {rows}'] = found
            print(f'{kind:8s}{rows:10d} rows' + ''.join(
                f'  {key} {found[key]:.4g}' for key in ('ready_s', 'epoch_s', 'own_mb', 'peak_mb')
            ), flush=True)  # fmt: skip
            options.json.write_text(json.dumps(points, indent=2) + '\n', encoding='utf-8')
    draw(points, options.picture)


def parsed() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('json', type=Path)
    parser.add_argument('picture', type=Path)
    parser.add_argument('--data', type=Path, default=Path(gettempdir()) / 'training_rows')
    parser.add_argument('--rows', type=int, nargs='+', default=ROWS)
    parser.add_argument('--kinds', nargs='+', choices=KINDS, default=list(KINDS))
    return parser.parse_args()


if __name__ == '__main__':
    main()
