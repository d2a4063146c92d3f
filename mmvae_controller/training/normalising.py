"""Normalisers of a data set, as the branches of a network ask for them."""

from __future__ import annotations

from collections.abc import Mapping

from mmvae_controller.modality.normaliser import fit_normaliser, Normaliser
from mmvae_controller.modality.spec import Encoder, Modality
from mmvae_controller.training.windows import Rows, Windows
from mmvae_controller.vae.config import BranchConfig

PICTURES_TO_FIT = 500
BRIGHTEST = 255.0


def fit_normalisers(
    windows: Windows, rows: Rows, branches: Mapping[str, BranchConfig]
) -> dict[str, Normaliser]:
    """Return a normaliser for each modality, from what was known in some rows.

    Raises:
        ModalityError: A modality was never known in these rows.

    """
    normalisers = {}
    for row, modality in enumerate(windows.description.modalities):
        if not branches[modality.name].normalise:
            normalisers[modality.name] = plain_normaliser(modality)
            continue
        known = rows[windows.known[rows, row]]
        if modality.encoder is Encoder.IMAGE:
            # All of them would not fit into memory, and one may be of a single colour.
            known = known[:: max(1, len(known) // PICTURES_TO_FIT)]
        values = windows.column(modality.name, known)
        normalisers[modality.name] = fit_normaliser(modality, values)
    return normalisers


def plain_normaliser(modality: Modality) -> Normaliser:
    """Return what leaves a vector as it is, and brings an image from 0..255 to 0..1."""
    channels = modality.shape[-1]
    scale = BRIGHTEST if modality.encoder is Encoder.IMAGE else 1.0
    return Normaliser((0.0,) * channels, (scale,) * channels)
