"""Where the hand is in the pictures of two cameras."""

from __future__ import annotations

from collections.abc import Mapping

from mmvae_controller.vision.blob import Colour, find_blob
import numpy as np
from numpy.typing import NDArray

VIEWS = ('left', 'right')
# The channels of the modality: pixels from the left and from the top of each picture.
HAND_CHANNELS = tuple(f'{view}.{axis}' for view in VIEWS for axis in ('u', 'v'))
# The green fingertip of the simulation; nothing else there is green. The finger hides a little of
# it from above: by that much the rest lies lower, in the mean of 100 postures.
GREEN = Colour(
    hue=(45, 75), min_saturation=120, min_value=40, min_pixels=12, offset_px=(0.0, -0.15)
)


def find_hand(
    pictures: Mapping[str, NDArray[np.uint8]], colour: Colour = GREEN
) -> NDArray[np.float32] | None:
    """Return where the hand is, `(4,)` px as `HAND_CHANNELS` says; None unless both show it.

    Args:
        pictures: By view, `(H, W, 3)` rgb.
        colour: Of the marker on the hand.

    """
    found = [find_blob(pictures[view], colour) for view in VIEWS if view in pictures]
    places = [place for place in found if place is not None]
    if len(places) < len(VIEWS):
        return None
    return np.concatenate(places).astype(np.float32)
