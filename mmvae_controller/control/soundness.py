"""What a sample must have to count: finite numbers, and a picture that shows something."""

from __future__ import annotations

from collections.abc import Container, Mapping
import math

from mmvae_controller.modality.pictures import NO_RETURN
from mmvae_controller.modality.robot import CONTRAST_MARGIN
import numpy as np
from numpy.typing import NDArray

# A picture's contrast is that of at most so many rows and columns of blocks.
CONTRAST_GRID = 32
# So many rows of 255 are the most that fits into 16 bits.
LARGEST_BLOCK = 257
# Of ranges and heights: a smaller share of pixels is a covered sensor's false returns, and shows
# nothing however much they differ.
LEAST_RETURNED = 0.05


class Soundness:
    """Judges samples one by one; remembers which pictures were blank."""

    def __init__(self, min_contrast: Mapping[str, float], ranges: Container[str] = ()) -> None:
        """Start with no picture seen.

        Args:
            min_contrast: By image modality, in grey levels; a picture with less is blank, and so
                are the next ones until one has `CONTRAST_MARGIN` times as much. Not named, every
                picture counts.
            ranges: Those whose levels are ranges or heights: of them only what came back is
                looked at, and `LEAST_RETURNED` of the pixels must have.

        """
        self._ranges = ranges
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
        picture, margin = value.view(np.uint8), ''
        if name in self._ranges:
            share = returned(picture)
            least = LEAST_RETURNED * (CONTRAST_MARGIN if name in self._blank else 1)
            if share < least:
                self._blank.add(name)
                return (
                    f'hardly anything came back ({share:.1%} of the pixels, expected at least '
                    f'{least:.1%})'
                )
            shown = contrast_of_returns(picture)
        else:
            shown = contrast(picture)
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
    sums, rows = _sums(picture)
    grey = sums @ np.full(sums.shape[1], 1 / (rows * sums.shape[1]), dtype=np.float32)
    grey -= grey.mean()
    return math.sqrt(float(grey @ grey) / len(grey))


def returned(picture: NDArray[np.uint8]) -> float:
    """Return from what share of the pixels of ranges or heights anything came back."""
    return np.count_nonzero(picture != NO_RETURN) / picture.size


def contrast_of_returns(picture: NDArray[np.uint8]) -> float:
    """Return the contrast of ranges or heights `(H, W, 1)` over what came back.

    As `contrast`, with each block as heavy as it has returns: no return is no level, and a flat
    wall with holes is still flat.
    """
    sums = _sums(picture)[0].sum(axis=1)
    counts = _sums((picture != NO_RETURN).view(np.uint8))[0].sum(axis=1)
    total = counts.sum()
    if not total:
        return 0.0
    means = sums / np.maximum(counts, 1)
    means -= counts @ means / total
    return math.sqrt(float(counts @ (means * means)) / float(total))


def _sums(picture: NDArray[np.uint8]) -> tuple[NDArray[np.float32], int]:
    """Return the sums over the rows of each block `(blocks, numbers of a row)`, and how many."""
    height, width, _ = picture.shape
    high, wide = (min(-(-size // CONTRAST_GRID), LARGEST_BLOCK) for size in (height, width))
    rows, columns = height // high, width // wide
    cropped = picture[: rows * high, : columns * wide].reshape(rows, high, -1)
    # Rows first, and in 16 bits: of all ways this is the fastest.
    sums = cropped.sum(axis=1, dtype=np.uint16).reshape(rows * columns, -1)
    return sums.astype(np.float32), high
