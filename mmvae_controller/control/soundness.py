"""What a sample must have to count: finite numbers, and a picture that shows something."""

from __future__ import annotations

from collections.abc import Mapping
import math

from mmvae_controller.modality.robot import CONTRAST_MARGIN
import numpy as np
from numpy.typing import NDArray

# A picture's contrast is that of at most so many rows and columns of blocks.
CONTRAST_GRID = 32
# So many rows of 255 are the most that fits into 16 bits.
LARGEST_BLOCK = 257


class Soundness:
    """Judges samples one by one; remembers which pictures were blank."""

    def __init__(self, min_contrast: Mapping[str, float]) -> None:
        """Start with no picture seen.

        Args:
            min_contrast: By image modality, in grey levels; a picture with less is blank, and so
                are the next ones until one has `CONTRAST_MARGIN` times as much. Not named, every
                picture counts.

        """
        self._min_contrast = dict(min_contrast)
        self._blank: set[str] = set()

    def clear(self) -> None:
        """Forget which pictures were blank."""
        self._blank.clear()

    def fault(self, name: str, value: NDArray[np.generic]) -> str:
        """Return what is wrong with a sample, empty if nothing is: here alone it is judged."""
        if value.dtype != np.uint8:
            return '' if np.isfinite(value).all() else 'the last value is not finite'
        bound = self._min_contrast.get(name)
        if bound is None:
            return ''
        shown, margin = contrast(value.view(np.uint8)), ''
        if name in self._blank:
            margin = f', {CONTRAST_MARGIN * bound:g} after a blank picture'
        if shown >= (CONTRAST_MARGIN * bound if margin else bound):
            self._blank.discard(name)
            return ''
        # A covered lens, a saturated or a dead sensor: the model would read it as a scene.
        self._blank.add(name)
        return f'no contrast ({shown:.1f} grey levels, min_contrast {bound:g}{margin})'


def contrast(picture: NDArray[np.uint8]) -> float:
    """Return how much a picture `(H, W, C)` shows: the standard deviation of its grey levels.

    Of blocks of pixels, at most about 32 x 32 of them, so that the noise of single pixels counts
    the less the larger the picture is; and so does a pattern finer than a block. What is left
    over at the right and at the bottom is not looked at.
    """
    height, width, channels = picture.shape
    high, wide = (min(-(-size // CONTRAST_GRID), LARGEST_BLOCK) for size in (height, width))
    rows, columns = height // high, width // wide
    cropped = picture[: rows * high, : columns * wide].reshape(rows, high, -1)
    # Rows first, and in 16 bits: of all ways this is the fastest.
    sums = cropped.sum(axis=1, dtype=np.uint16).reshape(rows * columns, -1).astype(np.float32)
    grey = sums @ np.full(wide * channels, 1 / (high * wide * channels), dtype=np.float32)
    grey -= grey.mean()
    return math.sqrt(float(grey @ grey) / len(grey))
