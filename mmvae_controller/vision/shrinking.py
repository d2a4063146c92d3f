"""Pictures of a camera at the size that a model looks at, and back."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def shrunk(picture: NDArray[np.uint8], size: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return a picture `(H, W, C)` at another size (height, width), each pixel a mean of areas.

    Means and not samples, which would flicker with what lies between them. A picture of that size
    already is returned as it is, not copied.
    """
    height, width = size
    if picture.shape[:2] == (height, width):
        return picture
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    # OpenCV leaves out the last dimension of grey pictures.
    return np.asarray(small, dtype=np.uint8).reshape(height, width, picture.shape[2])


def enlarged(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a picture `(H, W, C)` at another size (height, width), each pixel again and again.

    Of a multiple of its size, `shrunk` makes the same picture again.
    """
    height, width = size
    if picture.shape[:2] == (height, width):
        return picture
    large = cv2.resize(picture, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(large, dtype=np.uint8).reshape(height, width, picture.shape[2])
