"""Ranges become a picture: 1 at the near end, 255 at the far one, 0 where nothing came back."""

from __future__ import annotations

import cv2
from mmvae_controller.modality.pictures import HIGHEST, LOWEST, NO_RETURN
import numpy as np
from numpy.typing import NDArray

# Of a pixel that stands for several: with a smaller share of returns it has none, so that a
# single speck does not stand for all of them.
LEAST_RETURNS = 0.5
# REP 118: whole numbers are mm, others m.
_KIND_OF = {'16UC1': ('u2', 0.001), '32FC1': ('f4', 1.0)}


# A NaN may be one that signals.
@np.errstate(invalid='ignore')
def ranges_m(rows: NDArray[np.uint8], encoding: str, big_endian: bool) -> NDArray[np.float32]:
    """Return the ranges `(H, W)` in m that lie in rows of bytes `(H, W * bytes)`."""
    kind, unit_m = _KIND_OF[encoding]
    found = rows.view(np.dtype(kind).newbyteorder('>' if big_endian else '<')).astype(np.float32)
    found *= np.float32(unit_m)
    return found


def depth_picture(
    range_m: NDArray[np.float32], depth_m: tuple[float, float], size: tuple[int, ...]
) -> NDArray[np.uint8]:
    """Return ranges as a picture `(H, W, 1)`, shrunk to a size (height, width).

    0, negative, infinite and not a number are no return (REP 117, 118). What is nearer than near
    counts as near, what is farther than far as far. A smaller picture has the means of what came
    back: no return is no range, and would pull them to where nothing is.
    """
    near, far = depth_m
    # NaN is not above 0.
    returned = (range_m > 0) & (range_m < np.inf)
    share = np.where(returned, np.clip(range_m, near, far) - np.float32(near), 0)
    share /= np.float32(far - near)
    if range_m.shape != size:
        weight = _area_means(returned.astype(np.float32), size)
        share = _area_means(share, size) / np.maximum(weight, LEAST_RETURNS)
        returned = weight >= LEAST_RETURNS
    levels = LOWEST + np.rint(share * (HIGHEST - LOWEST))
    return np.where(returned, levels, NO_RETURN).astype(np.uint8)[:, :, np.newaxis]


def _area_means(values: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
    height, width = size
    small = cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.float32)
