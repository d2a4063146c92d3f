"""Normalisers of a data set, as the branches of a network ask for them."""

from __future__ import annotations

from collections.abc import Mapping
import math

from mmvae_controller.datasets.shards import Array
from mmvae_controller.datasets.spans import Spans
from mmvae_controller.modality.normaliser import fit_normaliser, Normaliser
from mmvae_controller.modality.spec import Encoder, Modality
from mmvae_controller.training.errors import TrainingError
from mmvae_controller.training.windows import Rows, Windows
from mmvae_controller.vae.config import BranchConfig, Likelihood
import numpy as np

PICTURES_TO_FIT = 500
# Of more rows so many are looked at, evenly spaced: the mean of so many is off by a thousandth of
# the standard deviation.
ROWS_TO_FIT = 500_000
BRIGHTEST = 255.0


def fit_normalisers(
    windows: Windows, rows: Rows | Spans, branches: Mapping[str, BranchConfig]
) -> dict[str, Normaliser]:
    """Return a normaliser for each modality, from what was known in some rows.

    Raises:
        ModalityError: A modality was never known in these rows.
        TrainingError: A modality is to be decoded as what its values are not.

    """
    fitted = rows[:: max(1, math.ceil(len(rows) / ROWS_TO_FIT))]
    known = windows.known[fitted]
    normalisers = {}
    for row, modality in enumerate(windows.description.modalities):
        branch = branches[modality.name]
        if not branch.normalise:
            normalisers[modality.name] = plain_normaliser(modality)
            if modality.encoder is Encoder.VECTOR:
                _check_values(windows, rows, row, branch.likelihood)
            continue
        there = fitted[known[:, row]]
        if modality.encoder is Encoder.IMAGE:
            # All of them would not fit into memory, and one may be of a single colour.
            there = there[:: max(1, len(there) // PICTURES_TO_FIT)]
        values = windows.column(modality.name, there)
        normalisers[modality.name] = fit_normaliser(modality, values)
    return normalisers


def plain_normaliser(modality: Modality) -> Normaliser:
    """Return what leaves a vector as it is, and brings an image from 0..255 to 0..1."""
    channels = modality.shape[-1]
    scale = BRIGHTEST if modality.encoder is Encoder.IMAGE else 1.0
    return Normaliser((0.0,) * channels, (scale,) * channels)


def _check_values(windows: Windows, rows: Rows | Spans, row: int, likelihood: Likelihood) -> None:
    """Refuse values that the likelihood has no probability for; pictures are 0..1 as they are."""
    modality = windows.description.modalities[row]
    for start in range(0, len(rows), ROWS_TO_FIT):
        some = rows[start : start + ROWS_TO_FIT]
        known = some[windows.known[some][:, row]]
        _check_part(modality, likelihood, windows.column(modality.name, known))


def _check_part(modality: Modality, likelihood: Likelihood, values: Array) -> None:
    numbers = np.asarray(values, dtype=np.float64)
    low, high = np.min(numbers, initial=0.0), np.max(numbers, initial=0.0)
    if likelihood is not Likelihood.GAUSSIAN and not 0 <= low <= high <= 1:
        raise TrainingError(
            f'{modality.name}: holds values from {low:g} to {high:g}, the likelihood {likelihood} '
            'needs 0 to 1; record them so, or take gaussian'
        )
    sums = np.sum(numbers, axis=1)
    if likelihood is Likelihood.CATEGORICAL and not np.all(sums == 1):
        worst = sums[np.argmax(np.abs(sums - 1))]
        raise TrainingError(
            f'{modality.name}: a sample adds up to {worst:g}, the likelihood {likelihood} needs '
            'a 1 for its class and 0 for the others'
        )
