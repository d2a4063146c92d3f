r"""What do more senses, a larger latent or larger pictures cost ticks and importance?

    OMP_NUM_THREADS=1 python bench/scaling.py docs/results/scaling.json \
        docs/results/images/scaling.png

Networks with random weights, exported as trained ones are, asked on one thread: for a command with
the picture known already (a tick), for what a new picture costs when it is received, and for all
importance measures. Beside each tick the same network as one graph. About four minutes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import matplotlib as mpl

mpl.use('Agg')

from matplotlib import pyplot as plt
from mmvae_controller.benchmarks.inference import observations, PICTURES
from mmvae_controller.benchmarks.machine import machine
from mmvae_controller.benchmarks.timing import in_turns, MS_PER_S, percentile
from mmvae_controller.control.network import Network
from mmvae_controller.control.whole import Whole
from mmvae_controller.importance.live import LiveImportance
from mmvae_controller.modality.contract import NETWORK_FILE
from mmvae_controller.modality.normaliser import Normaliser
from mmvae_controller.modality.observation import Observation, policy_query
from mmvae_controller.modality.reader import Section
from mmvae_controller.modality.spec import Encoder, Modality, Quantity, Role
from mmvae_controller.vae.checkpoint import save_model
from mmvae_controller.vae.config import network_config
from mmvae_controller.vae.network import RealUnits, TwoStepVAE
import numpy as np
import torch

ROUNDS, WARM_UP = 150, 10
SIZE = 8
SENSES, LATENTS, PIXELS = (1, 3, 7, 15, 31), (16, 48, 128, 256), (32, 64, 128, 256)
USUAL_SENSES, USUAL_LATENT = 3, 48
CHANNELS = [16, 32, 32, 48]
BUDGET_MS = 5.0
AXES = {
    'modalities': 'modalities (vectors of 8)',
    'latent': 'numbers of the latent',
    'pixels': 'side of the square picture, pixels',
}
LOOKS = {
    'tick': ('a command', '#0072b2', 'o-'),
    'whole': ('the same, network as one graph', '#777777', '^--'),
    'look': ('a new picture, when received', '#009e73', 's-'),
    'importance': ('all importance measures', '#d55e00', 'D-'),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A network: so many vectors besides the command, a latent, a picture or none."""

    senses: int = USUAL_SENSES
    latent: int = USUAL_LATENT
    pixels: int = 0


def main() -> None:
    """Measure, write, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('json', type=Path)
    parser.add_argument('png', type=Path)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    found: dict[str, Any] = {
        'command': f'python bench/scaling.py {arguments.json} {arguments.png}',
        'machine': machine(),
        'unit': 'ms, median',
        'series': {
            'modalities': {n + 1: measured(Kind(senses=n)) for n in SENSES},
            'latent': {n: measured(Kind(latent=n)) for n in LATENTS},
            'pixels': {n: measured(Kind(pixels=n)) for n in PIXELS},
        },
    }
    aside = arguments.json.with_suffix('.part')
    aside.write_text(json.dumps(found, indent=2) + '\n', encoding='utf-8')
    os.replace(aside, arguments.json)
    draw(found['series'], arguments.png)


def measured(kind: Kind) -> dict[str, float]:
    """Return the median of each in ms."""
    with TemporaryDirectory() as folder:
        save(Path(folder, 'model'), kind)
        network = Network(Path(folder, 'model'))
        whole = Whole(Path(folder, 'model', NETWORK_FILE), network.contract)
    modalities = network.contract.modalities
    live, known = LiveImportance(network), policy_query(modalities)
    age_s, masks = np.zeros(known.shape, np.float32), known[None].astype(np.float32)
    streams = [observations(modalities) for _ in range(4)]
    row = np.zeros(1, np.int64)
    held = next(streams[0])

    def tick() -> None:
        network.decode_one(Observation(0, held, known, age_s), known, ['command'])

    def as_whole() -> None:
        values = {name: value[None] for name, value in next(streams[1]).items()}
        whole.decode(values, masks, row, ['command'])

    def importance() -> None:
        live.evaluate(Observation(0, next(streams[2]), known, age_s))

    calls = {'tick': tick, 'whole': as_whole, 'importance': importance}
    if kind.pixels:
        shape = (PICTURES, *modalities[0].shape)
        pictures = cycle(np.random.default_rng(1).integers(0, 256, shape, np.uint8))

        def look() -> None:
            network.see('camera', next(pictures))

        calls['look'] = look
    took = in_turns(list(calls.values()), ROUNDS, WARM_UP)
    found = {n: MS_PER_S * percentile(t, 50) for n, t in zip(calls, took, strict=True)}
    print(kind, {name: round(ms, 3) for name, ms in found.items()}, flush=True)
    return found


def save(folder: Path, kind: Kind) -> None:
    """Save a network with random weights."""
    modalities = tuple(senses(kind))
    vector = {'encoder': [64, 64], 'decoder': [64], 'likelihood': 'gaussian'}
    picture = {'encoder': CHANNELS, 'decoder': CHANNELS[::-1], 'likelihood': 'gaussian'}
    data = {
        'latent': kind.latent,
        'activation': 'silu',
        'shared_encoder': [384, 256],
        'shared_decoder': [256, 256],
        'branches': {
            m.name: picture if m.encoder is Encoder.IMAGE else vector for m in modalities
        },
    }
    scales = {
        m.name: Normaliser((0.0,), (255.0,))
        if m.encoder is Encoder.IMAGE
        else Normaliser((0.0,) * m.size, (1.0,) * m.size)
        for m in modalities
    }
    network = TwoStepVAE(modalities, network_config(Section(data, 'scaling'), modalities))
    save_model(folder, RealUnits(network, scales), 'scaling', 0.1, {}, scales)


def senses(kind: Kind) -> Iterator[Modality]:
    """Yield the modalities."""
    vectors = kind.senses - bool(kind.pixels)
    if kind.pixels:
        yield Modality(
            name='camera', role=Role.SENSE, encoder=Encoder.IMAGE, unit='intensity',
            shape=(kind.pixels, kind.pixels, 3), channels=('red', 'green', 'blue'), max_age_s=0.2,
        )  # fmt: skip
    for number, name in enumerate([*(f's{i}' for i in range(vectors)), 'command']):
        commanded = number == vectors
        yield Modality(
            name=name,
            role=Role.COMMAND if commanded else Role.SENSE,
            encoder=Encoder.VECTOR,
            shape=(SIZE,),
            channels=tuple(f'{name}{i}' for i in range(SIZE)),
            unit='rad/s' if commanded else 'rad',
            max_age_s=0.2,
            quantity=Quantity.VELOCITY if commanded else None,
        )


def draw(series: dict[str, dict[Any, dict[str, float]]], path: Path) -> None:
    """Draw a panel for each of what grows."""
    figure, axes = plt.subplots(1, len(series), figsize=(12, 4), sharey=True, layout='constrained')
    for panel, (name, points) in zip(axes, series.items(), strict=True):
        sizes = [int(size) for size in points]
        for key, (label, colour, style) in LOOKS.items():
            times = [point.get(key) for point in points.values()]
            if None not in times:
                panel.plot(sizes, times, style, color=colour, label=label, markersize=5)
        panel.axhline(BUDGET_MS, color='black', linewidth=0.8, linestyle=':')
        panel.set(xlabel=AXES[name], xscale='log', yscale='log')
        panel.set_xticks(sizes, labels=[str(size) for size in sizes], minor=False)
        panel.minorticks_off()
        panel.grid(alpha=0.3)
    axes[0].set_ylabel('ms on one core, median')
    axes[0].annotate(
        'a period of 200 Hz', (axes[0].get_xlim()[0], BUDGET_MS), xytext=(4, 3),
        textcoords='offset points', fontsize=8,
    )  # fmt: skip
    lines = {line.get_label(): line for p in axes for line in p.get_lines()}
    known = {label: lines[label] for label, _, _ in LOOKS.values()}
    figure.legend(known.values(), known.keys(), loc='outside lower center', ncols=4)
    figure.savefig(path, dpi=130)


if __name__ == '__main__':
    main()
