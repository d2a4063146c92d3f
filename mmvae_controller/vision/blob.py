"""Finds a coloured marker in a picture, to a fraction of a pixel, or says that it is not there."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
from mmvae_controller.vision.errors import VisionError
import numpy as np
from numpy.typing import NDArray

# OpenCV halves the angle, so that it fits into a byte.
HUES = 180
UINT8_MAX = 255
CONNECTIVITY = 8


@dataclass(frozen=True, slots=True)
class Colour:
    """Which pixels belong to the marker, as OpenCV counts hue, saturation and value.

    Args:
        hue: From and to, 0 to 179; from above to goes over 0, as red does.
        min_saturation: 0 to 255.
        min_value: 0 to 255.
        min_pixels: A smaller patch is no marker.
        max_rival: Share of the marker's pixels; with another patch larger than that nobody knows
            which one is the marker.
        offset_px: Right and down, from the middle of what is seen of the marker to what it marks:
            what always hides the same part of it is calibrated away.

    Raises:
        VisionError: One is out of range.

    """

    hue: tuple[int, int]
    min_saturation: int
    min_value: int
    min_pixels: int
    max_rival: float = 0.5
    offset_px: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        """Refuse what finds nothing, or anything."""
        bytes_ = (self.min_saturation, self.min_value)
        if not all(0 <= h < HUES for h in self.hue) or not all(0 < b <= UINT8_MAX for b in bytes_):
            raise VisionError(
                f'hue {self.hue} from saturation {self.min_saturation} and value '
                f'{self.min_value} on, expected hues of 0 to {HUES - 1}, the others 1 to '
                f'{UINT8_MAX}'
            )
        if not np.isfinite(self.offset_px).all():
            raise VisionError(f'offset_px is {self.offset_px}, expected two finite numbers')
        if self.min_pixels < 1 or not 0 <= self.max_rival < 1:
            raise VisionError(
                f'min_pixels {self.min_pixels}, max_rival {self.max_rival}, expected at least 1 '
                'and a share'
            )


def find_blob(picture: NDArray[np.uint8], colour: Colour) -> NDArray[np.float64] | None:
    """Return the centre (u, v) of the marker in px, 0 at the centre of the first pixel, or None.

    It is not found when there is too little of it, when something else looks like it, and when
    it reaches out of the picture: the centre of its visible part would be another place.

    Args:
        picture: `(H, W, 3)` rgb.
        colour: Of the marker.

    """
    count, _, stats, centres = cv2.connectedComponentsWithStats(
        _matching(picture, colour), connectivity=CONNECTIVITY
    )
    pixels = stats[1:, cv2.CC_STAT_AREA]  # The first is what does not match.
    if count < 2 or pixels.max() < colour.min_pixels:
        return None
    largest = 1 + int(np.argmax(pixels))
    rival = max((int(n) for i, n in enumerate(pixels, start=1) if i != largest), default=0)
    if rival > colour.max_rival * pixels.max() or _leaves_picture(stats[largest], picture):
        return None
    return np.asarray(centres[largest], dtype=np.float64) + colour.offset_px


def _matching(picture: NDArray[np.uint8], colour: Colour) -> NDArray[np.uint8]:
    """Return 255 where the colour fits, `(H, W)`."""
    hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)
    low, high = colour.hue
    spans = [(low, high)] if low <= high else [(low, HUES - 1), (0, high)]
    found = np.zeros(hsv.shape[:2], dtype=np.uint8)
    for first, last in spans:
        lower = np.array([first, colour.min_saturation, colour.min_value], dtype=np.uint8)
        upper = np.array([last, UINT8_MAX, UINT8_MAX], dtype=np.uint8)
        found |= np.asarray(cv2.inRange(hsv, lower, upper), dtype=np.uint8)
    return found


def _leaves_picture(stats: NDArray[np.int32], picture: NDArray[np.uint8]) -> bool:
    left, top, width, height = (int(n) for n in stats[: cv2.CC_STAT_AREA])
    rows, columns = picture.shape[:2]
    return left == 0 or top == 0 or left + width == columns or top + height == rows
