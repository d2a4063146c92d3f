"""How long until one model errs no more than the published ones? On rows that it never saw.

    python bench/time_to_error.py final_database_train.mat [EPOCHS [THREADS [SPLIT]]]

Trains `config/train/icub.yaml` in `Trainer` and looks every few epochs at the held-out stretches
of the training file: the mean squared error of both time steps in the 20 cells of
docs/results/icub.md (four masks by five modalities), beside the published median of the same cell.
Those are of rows of the published test file, which is not opened: a landmark, no comparison.

The seconds are those of training, without the looks; a cosine lowers the learning rate over the
epochs asked for, so that fewer epochs are another training, not a part of the longer one.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
import sys
import time

from mmvae_controller.datasets.icub import PATTERNS, read_icub
from mmvae_controller.evaluation.published import MEDIANS
from mmvae_controller.training.config import load_training_config
from mmvae_controller.training.trainer import Trainer
import numpy as np
import torch

CONFIG = Path(__file__).parents[1] / 'config' / 'train' / 'icub.yaml'
EPOCHS, THREADS, EVERY = 60, 1, 5


def main() -> None:
    """Print a line for every look."""
    path = Path(sys.argv[1])
    epochs, threads, split = (
        int(word) for word in [*sys.argv[2:], *map(str, (EPOCHS, THREADS, 0)[len(sys.argv) - 2 :])]
    )
    torch.set_num_threads(threads)
    windows = read_icub(path)
    config = load_training_config(CONFIG, windows.modalities)
    trainer = Trainer(replace(config, epochs=epochs, split_seed=split), windows)
    print(f'{len(trainer.validation_rows)} windows held out, {threads} thread(s)')
    print('epoch  training s   cells at or below   median of error / published', flush=True)
    run = trainer.epochs(lambda step, loss: None)
    seconds, reached = 0.0, None
    while trainer.epoch < epochs:
        began = time.monotonic()
        for _ in range(min(EVERY, epochs - trainer.epoch)):
            next(run)
        seconds += time.monotonic() - began
        ratios = errors(trainer) / np.array([MEDIANS[p] for p in PATTERNS])
        middle = float(np.median(ratios))
        if reached is None and middle <= 1:
            reached = seconds
        print(
            f'{trainer.epoch:5d}  {seconds:10.1f}   {np.sum(ratios <= 1):17d}   {middle:27.2f}',
            flush=True,
        )
    first = 'never' if reached is None else f'after {reached:.1f} s'
    print(f'half of the cells at or below the published median: {first}')


def errors(trainer: Trainer) -> np.ndarray:
    """Return the MSE on the held-out rows, `(4, 5)`: mask by modality."""
    network, names = trainer.model.network, [m.name for m in trainer.modalities]
    batch = trainer.dataset.batch(trainer.validation_rows[:])
    values = {n: torch.from_numpy(batch.values[n]) for n in names}
    normalised = trainer.model.normalise(values)
    found = []
    with torch.no_grad():
        for mask in PATTERNS.values():
            known = torch.from_numpy(batch.known & mask).float()
            decoded = network.decode(network.settle(normalised, known).mean, names)
            restored = {n: trainer.model.scaling(n).restore(decoded[n].mean) for n in names}
            found.append([float(((restored[n] - values[n]) ** 2).mean()) for n in names])
    return np.array(found)


if __name__ == '__main__':
    main()
