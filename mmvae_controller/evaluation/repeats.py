"""Windows that stand in two sets of data, whatever the files are called."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

from mmvae_controller.evaluation.windows import Rows, shown, truths, Windows
from mmvae_controller.modality.spec import Encoder, Modality
import numpy as np
from numpy.typing import NDArray

DIGEST_BYTES = 16


def count_repeats(trained: Windows, trained_rows: Rows, windows: Windows, rows: Rows) -> int:
    """Return how many windows are, number for number and picture for picture, trained rows.

    Every trained row is read, for a copy may hold any of them. What was not sensed has to be
    missing in both; a window of which nothing was sensed is none.
    """
    seen = set(_digests(trained, trained_rows))
    return sum(digest in seen for digest in _digests(windows, rows))


def _digests(windows: Windows, rows: Rows) -> Iterator[bytes]:
    modalities = windows.description.modalities
    for truth in truths(windows, rows):
        values = shown(truth.values, truth.present, modalities)
        columns = [truth.present, *(_comparable(m, values[m.name]) for m in modalities)]
        for row in np.flatnonzero(truth.present.any(axis=(1, 2))):
            digest = blake2b(digest_size=DIGEST_BYTES)
            for column in columns:
                digest.update(column[row].tobytes())
            yield digest.digest()


def _comparable(modality: Modality, values: NDArray[np.generic]) -> NDArray[np.generic]:
    if modality.encoder is Encoder.IMAGE:
        return values
    # One width for all floats, and one zero: -0.0 has other bytes.
    return values.astype(np.float64) + 0.0
