"""How well can each cell be known at all? A regressor of its own for every mask and modality.

    pip install scikit-learn
    python bench/icub_specialists.py final_database_train.mat [SEED OF A SPLIT ...]

Extra trees (Geurts et al. 2006) fitted to the masked time steps of one modality under one mask, on
the training rows of `IcubWindows.split(0.2, seed)`, judged on the rows held out. A known slot is
copied, with error 0, as by every baseline of `mmvae evaluate`; printed is the mean over both time
steps: the errors in docs/results/icub.md.
"""

from __future__ import annotations

from pathlib import Path
import sys

from mmvae_controller.datasets.icub import MODALITIES, PATTERNS, read_icub
from mmvae_controller.modality.observation import STEPS
import numpy as np
from sklearn.ensemble import ExtraTreesRegressor

HELD_OUT = 0.2
# Those of docs/results/icub.md.
SPLITS = (0, 1, 2, 3, 4, 5)
TREES = 300
SMALLEST_LEAF = 3


def main() -> None:
    """Print the mean squared error of every cell, mean over the splits."""
    windows = read_icub(Path(sys.argv[1]))
    values = windows.batch(np.arange(len(windows))).values
    splits = [int(word) for word in sys.argv[2:]] or SPLITS
    print('pattern      ' + ' '.join(f'{m.name:>7s}' for m in MODALITIES))
    for name, mask in PATTERNS.items():
        slots = [(MODALITIES[row].name, step) for row, step in np.argwhere(mask)]
        known = np.concatenate([values[n][:, step] for n, step in slots], axis=1)
        errors = []
        for row, modality in enumerate(MODALITIES):
            masked = values[modality.name][:, ~mask[row]]
            errors.append(np.mean([judge(windows, known, masked, seed) for seed in splits]))
        print(f'{name:12s} ' + ' '.join(f'{e:7.4f}' for e in errors), flush=True)


def judge(windows, known, masked, seed):
    """Return the mean squared error on the rows held out, over both steps.

    Args:
        windows: Say how the rows are split.
        known: `(N, K)`.
        masked: `(N, S, D)`: the S of both steps that are not known.
        seed: Of the split.

    """
    if masked.shape[1] == 0:
        return 0.0
    train, held_out = windows.split(HELD_OUT, seed)
    wanted = masked.reshape(len(masked), -1)
    model = ExtraTreesRegressor(TREES, min_samples_leaf=SMALLEST_LEAF, random_state=0)
    found = model.fit(known[train], np.squeeze(wanted[train])).predict(known[held_out])
    error = np.mean((found.reshape(len(held_out), -1) - wanted[held_out]) ** 2)
    return error * masked.shape[1] / STEPS


if __name__ == '__main__':
    main()
