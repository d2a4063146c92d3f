"""Collecting demonstrations beside what PyBullet alone needs for their pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median
import tempfile
import time
from typing import Any

from mmvae_controller.benchmarks.bare_pybullet import BarePyBullet, read_shown, Shown
from mmvae_controller.benchmarks.figures import at_least, Figure, Found, Say
from mmvae_controller.benchmarks.machine import machine
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.modality.shared_files import find_robot
from mmvae_controller.simulation.collect import collect, CollectSettings, EPISODES_PER_SHARD
from mmvae_controller.simulation.simulator import Simulator, simulator_of

ROBOT, TASK, SEED = 'iiwa_sim', 'touch_target', 0
ROUNDS, EPISODES, STEPS = 4, EPISODES_PER_SHARD, 20_000
ROUNDS_QUICK, EPISODES_QUICK, STEPS_QUICK = 1, 1, 200
# Episodes are of different length: with more than one shard for each, that evens out. It takes as
# long as two rounds, so it is measured in the first one alone.
PROCESSES, SHARDS_EACH = 2, 2
GOAL = 0.9
MS_PER_S = 1e3
# Whose rates are measured, in this order.
COLLECTED, FLOOR, DRAWN = 'collected', 'drawn and stepped', 'drawn'
IN_PROCESSES, STEPPED, BARE_STEPPED = 'collected in processes', 'stepped', 'stepped bare'
Rates = Mapping[str, list[float]]


def benchmark(quick: bool, say: Say) -> Found:
    """Measure; see the protocol."""
    rounds, episodes, steps = (
        (ROUNDS_QUICK, EPISODES_QUICK, STEPS_QUICK) if quick else (ROUNDS, EPISODES, STEPS)
    )
    robot = load_robot(find_robot(ROBOT))
    settings = CollectSettings(str(robot.path), TASK, episodes, SEED)
    more = replace(settings, episodes=PROCESSES * SHARDS_EACH * episodes)
    say('what is to be drawn')
    shown = collected(settings, robot.anchor)
    pictures = sum(len(episode.postures) for episode in shown)
    simulator = simulator_of(robot, TASK)
    bare = BarePyBullet(robot, TASK, settings.record_hz)
    calls: dict[str, Callable[[], float]] = {
        COLLECTED: lambda: collecting_rate(settings, 1),
        FLOOR: lambda: pictures / bare.draw_and_step(shown),
        DRAWN: lambda: pictures / bare.draw(shown),
        IN_PROCESSES: lambda: collecting_rate(more, PROCESSES),
        STEPPED: lambda: steps / stepping_s(simulator, SEED, steps),
        BARE_STEPPED: lambda: steps / bare.step(SEED, steps),
    }
    rates: dict[str, list[float]] = {name: [] for name in calls}
    try:
        for number in range(rounds):
            for name, call in calls.items():
                if name == IN_PROCESSES and number > 0:
                    continue
                say(f'{name}, {number + 1} of {rounds}')
                rates[name].append(call())
    finally:
        bare.close()
        simulator.close()
    return Found(
        _figures(rates, pictures / episodes),
        _settings(settings, rounds, pictures, steps),
        NOTES,
    )


def collected(settings: CollectSettings, joints: str) -> list[Shown]:
    """Collect; return what the floor is to draw.

    Args:
        settings: Of the collection.
        joints: The modality that says where the arm stands.

    """
    with tempfile.TemporaryDirectory() as folder:
        for _ in collect(settings, Path(folder) / 'data', 1):
            pass
        return read_shown(Path(folder) / 'data', settings.seed, joints)


def collecting_rate(settings: CollectSettings, processes: int) -> float:
    """Return how many pictures a second are on disk, from the call to the end of the last file."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        pictures = sum(done.rows for done in collect(settings, Path(folder) / 'data', processes))
        return pictures / (time.perf_counter() - began)


def stepping_s(simulator: Simulator, seed: int, steps: int) -> float:
    """Return how long steps take with every sensor read whenever it is due but the camera."""
    simulator.camera_watched = False
    simulator.reset(seed)
    began = time.perf_counter()
    for _ in range(steps):
        simulator.readings()
        simulator.step()
    return time.perf_counter() - began


def _figures(rates: Rates, pictures_each: float) -> list[Figure]:
    """Return the figures; in an episode are so many pictures."""
    rate = {name: median(measured) for name, measured in rates.items()}
    ours, floor, drawn = rate[COLLECTED], rate[FLOOR], rate[DRAWN]
    speed_up = rate[IN_PROCESSES] / rates[COLLECTED][0]
    return [
        at_least('pictures collected', 'pictures/s', ours, floor, FLOOR_IS, GOAL),
        at_least('pictures collected', 'pictures/s', ours, drawn, DRAWN_IS, GOAL),
        Figure(
            'wall of an episode',
            'ms',
            MS_PER_S * pictures_each / ours,
            MS_PER_S * pictures_each / floor,
            FLOOR_IS,
        ),
        Figure(
            f'{PROCESSES} processes by one',
            'x',
            speed_up,
            min(PROCESSES, machine()['cores']),
            'as many cores',
        ),
        Figure(
            'physics of the simulator without camera',
            'steps/s',
            rate[STEPPED],
            rate[BARE_STEPPED],
            'stepSimulation alone',
        ),
    ]


FLOOR_IS = 'PyBullet alone: as many pictures, steps and set-points'
DRAWN_IS = 'PyBullet alone: as many pictures'
NOTES = (
    'Collected: `collect` with the expert, from the call to the last file: the scene is built, '
    'every sense read, window, expert and gate asked, contacts looked at in each step, a shard '
    'written.',
    'PyBullet alone: getCameraImage of the same size and flags in the same scenes, at the '
    'postures that were recorded; with physics also stepSimulation at 240 Hz and set-points at '
    '40 Hz. Built, reset, converted, checked and written is nothing.',
    f'{PROCESSES} processes: {SHARDS_EACH} shards for each, with their start, in the first round.',
)


def _settings(settings: CollectSettings, rounds: int, pictures: int, steps: int) -> dict[str, Any]:
    return {
        'robot': ROBOT,
        'task': TASK,
        'seed': SEED,
        'episodes': settings.episodes,
        'pictures': pictures,
        'record_hz': settings.record_hz,
        'rounds': rounds,
        'processes': PROCESSES,
        'episodes_of_processes': PROCESSES * SHARDS_EACH * settings.episodes,
        'steps_without_camera': steps,
    }
