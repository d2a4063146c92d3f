"""Do the importance measures of a trained model say what is true? In a world where that is known.

    python bench/importance_truth.py docs/results/importance_truth.md

Trains three kinds of model on the linear world, several seeds each, measures their importance with
the latent's mean or samples of it, and writes a table and a figure beside the closed form
(importance/exact.py). About six minutes on one core.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
import sys

import matplotlib as mpl

mpl.use('Agg')

from matplotlib import pyplot as plt
from mmvae_controller.datasets.linear_world import ROBOT
from mmvae_controller.importance.divergences import diverge, matrix_of
from mmvae_controller.importance.exact import ExactDecoder, expected_measures
from mmvae_controller.importance.measures import MEASURES, measures_of
from mmvae_controller.importance.sampled import SampledNetwork
from mmvae_controller.modality.observation import policy_query
from mmvae_controller.training.config import load_training_config
from mmvae_controller.training.trainer import Trainer
import numpy as np
import torch

CONFIGS = Path(__file__).parents[1] / 'config' / 'train'
SEEDS = (0, 1, 2)
ROWS, WINDOWS, SAMPLES = 20000, 2000, 128
NAMES = [m.name for m in ROBOT.modalities]
QUERY = policy_query(ROBOT.modalities)
SMALLEST_NATS = 1e-3
# As models/touch_target was trained, and as models/icub was.
KINDS = {
    'MVAE': ('linear_world.yaml', {}),
    'masked': ('linear_world_masked.yaml', {}),
    'masked, scrambled': ('linear_world_masked.yaml', {'scramble': 0.25, 'noise': 0.05}),
}


class Centre(SampledNetwork):
    """Decodes the mean of the latent, as the robot does."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self._noise = torch.zeros_like(self._noise[:1])


READINGS = {'samples': SampledNetwork, 'mean': Centre}
# Of a model that was not trained to be unsure, samples tell the same as the mean.
ASKED = {'MVAE': ('samples', 'mean'), 'masked': ('mean',), 'masked, scrambled': ('mean',)}


@dataclass
class Found:
    """The measures `(seeds, M)` of one kind of model, read in one way."""

    kind: str
    reading: str
    measures: dict[str, np.ndarray]


def main() -> None:
    """Train, measure, write."""
    page = Path(sys.argv[1])
    found = list(measured())
    truth = expected_measures(ROBOT, QUERY)
    text = page.read_text(encoding='utf-8')
    head, _, rest = text.partition('<!-- table -->')
    _, _, tail = rest.partition('<!-- end -->')
    table = '\n'.join(rows(found, truth))
    page.write_text(f'{head}<!-- table -->\n{table}\n<!-- end -->{tail}', encoding='utf-8')
    draw(found, truth, page.parent / 'images' / 'importance_truth.png')


def measured() -> Iterator[Found]:
    """Train every model and measure it in both ways."""
    windows = ROBOT.draw(WINDOWS, 99).batch(np.arange(WINDOWS))
    command = NAMES.index('motor')
    for kind, (file, changes) in KINDS.items():
        config = replace(load_training_config(CONFIGS / file, ROBOT.modalities), **changes)
        models = [train(replace(config, seed=seed)) for seed in SEEDS]
        contract = replace(ExactDecoder(ROBOT).contract, latent_size=config.network.latent)
        for reading in ASKED[kind]:
            each = []
            for model in models:
                decoder = READINGS[reading](model, contract, SAMPLES, seed=0)
                nats = diverge(decoder, windows.values, windows.known & QUERY)
                alone, without = (
                    matrix_of(part, NAMES).mean(axis=0) for part in (nats.alone, nats.without)
                )
                each.append(measures_of(alone, without, command))
            yield Found(kind, reading, {m: np.stack([e[m] for e in each]) for m in MEASURES})


def train(config):
    """Train one model on windows that no other seed sees."""
    trainer = Trainer(config, ROBOT.draw(ROWS, config.seed))
    for result in trainer.epochs(lambda step, loss: None):
        print(f'{config.name} seed {config.seed} epoch {result.epoch}', end='\r', flush=True)
    print(f'{config.name} seed {config.seed}: {trainer.seconds:.0f} s, loss {result.loss:.3f}')
    return trainer.model.eval()


def rows(found, truth) -> Iterator[str]:
    """Return the table in Markdown, mean over seeds."""
    heads = [f'{f.kind}, {f.reading}' for f in found]
    yield '| measure | sense | truth | ' + ' | '.join(heads) + ' |'
    yield '|---' * (3 + len(heads)) + '|'
    for measure in MEASURES:
        for column, name in enumerate(NAMES):
            wanted = truth[measure][column]
            cells = ' | '.join(number(f.measures[measure][:, column].mean()) for f in found)
            yield f'| `{measure}` | {name} | **{number(wanted)}** | {cells} |'
    yield ''
    yield '| | largest error of a measure above 0.05 nats | largest of all, nats |'
    yield '|---|---|---|'
    for f, head in zip(found, heads, strict=True):
        for measure in MEASURES:
            wanted, had = truth[measure], f.measures[measure]
            apart = np.abs(had - wanted)
            above = wanted > 0.05
            share = (apart / np.where(above, wanted, np.inf)).max()
            yield f'| {head}: `{measure}` | {share:.0%} | {apart.max():.3f} |'


def number(value: float) -> str:
    """Return a number to three digits."""
    return f'{value:.3g}' if value >= SMALLEST_NATS else '0.00'


def draw(found, truth, path: Path) -> None:
    """Draw what was measured over what is true."""
    figure, axes = plt.subplots(1, len(found), figsize=(3.3 * len(found), 3.8), sharey=True)
    for axis, f in zip(axes, found, strict=True):
        for measure, marker in zip(MEASURES, 'o^sDv', strict=True):
            wanted = np.maximum(np.tile(truth[measure], len(SEEDS)), SMALLEST_NATS)
            had = np.maximum(f.measures[measure].reshape(-1), SMALLEST_NATS)
            axis.plot(wanted, had, marker, label=measure, alpha=0.6, markersize=5)
        line = np.array([SMALLEST_NATS, 100])
        axis.plot(line, line, color='black', linewidth=0.8)
        axis.fill_between(line, line * 0.85, line * 1.15, color='black', alpha=0.12, linewidth=0)
        axis.set(xscale='log', yscale='log', xlabel='true (nats)')
        axis.set_title(f'{f.kind}, latent {f.reading}', fontsize=9)
    axes[0].set_ylabel('measured (nats)')
    axes[-1].legend(fontsize=6, loc='lower right')
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)


if __name__ == '__main__':
    main()
