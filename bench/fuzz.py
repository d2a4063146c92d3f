"""Does the controller ever send an unsafe command, whatever it senses, hears and is told?

    python bench/fuzz.py --observations 1000000 --processes 2 --out fuzz.json

The shipped model steers the simulated arm while faults of every sense, of the clock, of the model
itself and of the operator come and go. An arm that does what it is told stands for the physics;
pictures and touch come from episodes that were recorded with the same model, at the posture most
like the present one. `fuzz_judge` judges what is sent. A stream of faults follows from its seed
alone, so `--seed S --observations 500` repeats stream S.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
import json
import math
import multiprocessing
from pathlib import Path
import pickle
from tempfile import TemporaryDirectory
import time

from fuzz_stream import CAMERA, Episode, JOINTS, Stream, Tally, TOUCH
from mmvae_controller.control.assembly import controller_of
from mmvae_controller.control.comparison import read_comparison
from mmvae_controller.control.network import Network
from mmvae_controller.control.policy import NetworkPolicy
from mmvae_controller.modality.contract import NETWORK_FILE
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.simulation.arm_file import arm_of
from mmvae_controller.simulation.episode import ticks, Values, wire
from mmvae_controller.simulation.simulator import Simulator
from mmvae_controller.simulation.tasks.task import make_task
import numpy as np

ROOT = Path(__file__).parents[1]
ROBOT = ROOT / 'config' / 'robots' / 'iiwa_sim.yaml'
TASK = 'touch_target'
STREAM_TICKS = 500
CHUNK = 10
RECORDED = 12
FIRST_EPISODE = 5000


def record(model: Path, episodes: int) -> list[Episode]:
    """Return what was sensed while the model did its task."""
    network, robot = Network(model), load_robot(ROBOT)
    controller = controller_of(network, robot, clock_ns=lambda: 0)
    simulator = Simulator(make_task(TASK), arm_of(robot))
    heard: list[Values] = []

    def listen(values: Values, now_ns: int) -> Values:
        if CAMERA in values:
            heard.append({name: np.array(value) for name, value in values.items()})
        return values

    recorded = []
    for seed in range(FIRST_EPISODE, FIRST_EPISODE + episodes):
        heard.clear()
        for _ in ticks(simulator, controller, wire(robot, simulator), seed, distort=listen):
            pass
        rows = (np.stack([h[name] for h in heard]) for name in (CAMERA, JOINTS, TOUCH))
        recorded.append(Episode(*rows))
    simulator.close()
    return recorded


class Worker:
    """What a process needs for any stream; loaded once."""

    def __init__(self, model: Path, episodes: Path) -> None:
        """Load model, robot and episodes."""
        self._network, self._robot = Network(model), load_robot(ROBOT)
        self._comparison = read_comparison(self._network)
        with episodes.open('rb') as file:
            self._episodes = pickle.load(file)

    def run(self, seeds: range) -> Tally:
        """Return what happened in the streams of these seeds."""
        contract, tally = self._network.contract, Tally()
        policy, comparison = NetworkPolicy(self._network), self._comparison
        # Numbers that do not fit are what this is about.
        with np.errstate(all='ignore'):
            for seed in seeds:
                stream = Stream(self._robot, contract, policy, comparison, self._episodes, seed)
                tally.add(stream.run(STREAM_TICKS))
        return tally


_workers: list[Worker] = []


def begin(model: Path, episodes: Path) -> None:
    """Load what this process needs."""
    _workers.append(Worker(model, episodes))


def work(seeds: range) -> Tally:
    """Run streams in this process."""
    return _workers[0].run(seeds)


def run(model: Path, observations: int, processes: int, seed: int) -> Iterator[Tally]:
    """Yield what happened, a few streams at a time."""
    last = seed + math.ceil(observations / STREAM_TICKS)
    chunks = [range(s, min(s + CHUNK, last)) for s in range(seed, last, CHUNK)]
    with TemporaryDirectory(prefix='fuzz_') as folder:
        path = Path(folder) / 'episodes.pickle'
        path.write_bytes(pickle.dumps(record(model, RECORDED)))
        with ProcessPoolExecutor(
            processes,
            # A forked process would inherit the threads of the network, but not what they hold.
            multiprocessing.get_context('spawn'),
            begin,
            (model, path),
        ) as pool:
            yield from pool.map(work, chunks)


def report(model: Path, tally: Tally, took_s: float, options: argparse.Namespace) -> dict:
    """Return the result as plain data."""
    done = tally.counts['observations']
    return {
        'observations': done,
        **{name: tally.counts[name] for name in ('asked', 'moved', 'commands sent', 'holds')},
        'refused as they should be': tally.counts['refused'],
        'unsafe commands': tally.counts['unsafe commands'],
        'unsafe': tally.unsafe,
        'exceptions': dict(tally.exceptions),
        'reasons': dict(tally.reasons.most_common()),
        'ticks with a fault': dict(sorted(tally.faults.items())),
        'observations per s': done / took_s,
        'took s': took_s,
        'seeds': [options.seed, options.seed + math.ceil(done / STREAM_TICKS)],
        'processes': options.processes,
        'model': model.name,
        'compares senses': read_comparison(Network(model)) is not None,
        'network_sha256': Network(model).contract.checksums[NETWORK_FILE],
    }


def main() -> int:
    """Print and write the result; return 1 if a command was unsafe or something was raised."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--observations', type=int, default=1_000_000)
    parser.add_argument('--processes', type=int, default=2)
    parser.add_argument('--seed', type=int, default=0, help='of the first stream')
    parser.add_argument('--model', type=Path, default=ROOT / 'models' / 'touch_target')
    parser.add_argument('--out', type=Path, help='where to write the result as JSON')
    options = parser.parse_args()
    tally, began_s = Tally(), time.monotonic()
    for some in run(options.model, options.observations, options.processes, options.seed):
        tally.add(some)
        print(f'\r{tally.counts["observations"]} observations', end='', flush=True)
    found = report(options.model, tally, time.monotonic() - began_s, options)
    text = json.dumps(found, indent=2)
    print(f'\n{text}')
    if options.out is not None:
        options.out.write_text(text + '\n', encoding='utf-8')
    return int(bool(found['unsafe commands'] or found['exceptions']))


if __name__ == '__main__':
    raise SystemExit(main())
