"""How well can each cell be known at all? A regressor of its own for every mask and modality.

    pip install scikit-learn
    python bench/icub_specialists.py final_database_train.mat

Extra trees (Geurts et al. 2006) fitted to one mask and one modality each, on the training rows of
`IcubWindows.split(0.2, seed)`, judged on the rows held out: the errors in docs/results/icub.md.
"""

from __future__ import annotations

from pathlib import Path
import sys

from mmvae_controller.datasets.icub import MODALITIES, PATTERNS, read_icub
import numpy as np
from sklearn.ensemble import ExtraTreesRegressor

HELD_OUT = 0.2
SPLITS = (0, 1, 2)
TREES = 300
SMALLEST_LEAF = 3


def main() -> None:
    """Print the mean squared error of every cell, mean over the splits."""
    windows = read_icub(Path(sys.argv[1]))
    values = windows.batch(np.arange(len(windows))).values
    print('pattern      ' + ' '.join(f'{m.name:>7s}' for m in MODALITIES))
    for name, mask in PATTERNS.items():
        slots = [(MODALITIES[row].name, step) for row, step in np.argwhere(mask)]
        known = np.concatenate([values[n][:, step] for n, step in slots], axis=1)
        errors = []
        for modality in MODALITIES:
            wanted = values[modality.name].reshape(len(windows), -1)
            errors.append(np.mean([judge(windows, known, wanted, seed) for seed in SPLITS]))
        print(f'{name:12s} ' + ' '.join(f'{e:7.4f}' for e in errors), flush=True)


def judge(windows, known, wanted, seed):
    """Return the mean squared error on the rows held out."""
    train, held_out = windows.split(HELD_OUT, seed)
    model = ExtraTreesRegressor(TREES, min_samples_leaf=SMALLEST_LEAF, random_state=0)
    found = model.fit(known[train], wanted[train]).predict(known[held_out])
    return np.mean((found.reshape(len(held_out), -1) - wanted[held_out]) ** 2)


if __name__ == '__main__':
    main()
