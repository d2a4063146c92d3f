"""Pictures as a camera publishes them, uncompressed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
from mmvae_controller.modality.robot import Source
from mmvae_controller.modality.spec import Modality
from mmvae_controller.senses.depth import depth_picture, ranges_m
from mmvae_controller.senses.errors import MessageError
from mmvae_controller.vision.shrinking import shrunk
import numpy as np
from numpy.typing import NDArray

RGB, BGR = 'rgb8', 'bgr8'


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the pixels of an encoding lie, and OpenCV's code of what makes colours of them."""

    bytes_per_pixel: int
    conversion: int | None = None


# OpenCV names a mosaic by the second and third pixel of its second row, ROS by the first four.
_LAYOUT_OF = {
    RGB: _Layout(3),
    BGR: _Layout(3),
    'mono8': _Layout(1),
    'rgba8': _Layout(4, cv2.COLOR_RGBA2RGB),
    'bgra8': _Layout(4, cv2.COLOR_BGRA2BGR),
    'bayer_rggb8': _Layout(1, cv2.COLOR_BayerBG2RGB),
    'bayer_bggr8': _Layout(1, cv2.COLOR_BayerRG2RGB),
    'bayer_gbrg8': _Layout(1, cv2.COLOR_BayerGR2RGB),
    'bayer_grbg8': _Layout(1, cv2.COLOR_BayerGB2RGB),
    '16UC1': _Layout(2),
    '32FC1': _Layout(4),
}


def read_image(message: Any, modality: Modality, source: Source) -> NDArray[np.uint8]:
    """Return the sample `(H, W, C)` of a sensor_msgs/Image.

    Raises:
        MessageError: Another encoding or size, or bytes that do not fit to them.

    """
    wanted = source.picture
    assert wanted is not None, 'a Source of pictures has their format'
    size = modality.shape[:2]
    rows = _pixel_rows(message, wanted.encoding, wanted.camera_size or size)
    if wanted.depth_m is not None:
        found_m = ranges_m(rows, wanted.encoding, bool(message.is_bigendian))
        return depth_picture(found_m, wanted.depth_m, size)
    return shrunk(_colours(rows, wanted.encoding), size)


def read_picture(message: Any) -> NDArray[np.uint8]:
    """Return the picture `(H, W, 3)` rgb, of any size, that a sensor_msgs/Image carries.

    Raises:
        MessageError: It has no pixels, or not those it says, or other colours.

    """
    if message.encoding not in (RGB, BGR):
        raise MessageError(f'encoding is {message.encoding!r}, expected {RGB!r} or {BGR!r}')
    if not (message.height and message.width):
        raise MessageError(f'size is {message.width} x {message.height} pixels, expected some')
    rows = _pixel_rows(message, message.encoding, (message.height, message.width))
    picture = _colours(rows, message.encoding)
    return picture if message.encoding == RGB else np.ascontiguousarray(picture[:, :, ::-1])


def _pixel_rows(message: Any, encoding: str, size: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return the bytes of the pixels, row by row `(H, W * bytes)`, not copied."""
    height, width = size
    if message.encoding != encoding:
        raise MessageError(f'encoding is {message.encoding!r}, expected {encoding!r}')
    if message.height != height or message.width != width:
        raise MessageError(
            f'size is {message.width} x {message.height} pixels, expected {width} x {height}'
        )
    row, step, data = width * _LAYOUT_OF[encoding].bytes_per_pixel, message.step, message.data
    if step < row:
        raise MessageError(f'step is {step} bytes, expected at least {row}')
    if len(data) != step * height:
        raise MessageError(f'data has {len(data)} bytes, expected step x height = {step * height}')
    # Rows may be padded: step counts what lies in memory.
    return np.frombuffer(data, dtype=np.uint8).reshape(height, step)[:, :row]


def _colours(rows: NDArray[np.uint8], encoding: str) -> NDArray[np.uint8]:
    """Return the picture `(H, W, C)` in the rows, not copied where it lies there as it is."""
    layout = _LAYOUT_OF[encoding]
    if layout.conversion is None:
        return rows.reshape(len(rows), -1, layout.bytes_per_pixel)
    pixels = rows if layout.bytes_per_pixel == 1 else rows.reshape(len(rows), -1, 4)
    return np.asarray(cv2.cvtColor(pixels, layout.conversion), dtype=np.uint8)
