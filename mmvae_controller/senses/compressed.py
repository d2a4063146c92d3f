"""Pictures that a camera publishes as JPEG or PNG."""

from __future__ import annotations

from typing import Any

import cv2
from mmvae_controller.modality.pictures import BGR, COLOURS_OF, GREY, RGB
from mmvae_controller.modality.robot import Source
from mmvae_controller.modality.spec import Modality
from mmvae_controller.senses.errors import MessageError
from mmvae_controller.senses.headers import Header, PNG, read_header
from mmvae_controller.senses.inflating import damaged, plain_png
from mmvae_controller.vision.shrinking import shrunk
import numpy as np
from numpy.typing import NDArray

BITS = 8
COMPRESSED_DEPTH = 'compressedDepth'
# The camera's pixels as they are, never turned by what metadata says.
_FLAGS = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
_COLOURED = ('rgb8', 'bgr8', 'rgba8', 'bgra8')
# From what is stored to what is wanted; nothing where both are the same.
_CONVERSIONS: dict[tuple[tuple[str, ...], tuple[str, ...]], int] = {
    (BGR, RGB): cv2.COLOR_BGR2RGB,
    (BGR, GREY): cv2.COLOR_BGR2GRAY,
    (RGB, BGR): cv2.COLOR_RGB2BGR,
    (RGB, GREY): cv2.COLOR_RGB2GRAY,
}


def read_compressed(message: Any, modality: Modality, source: Source) -> NDArray[np.uint8]:
    """Return the sample `(H, W, C)` of a sensor_msgs/CompressedImage.

    A picture of another size than expected, or a PNG that holds more than its size, is not
    decoded at all: a few bytes can announce or hold gigabytes. A JPEG that is damaged in its
    middle cannot be told from a sound one.

    Raises:
        MessageError: It is none, or damaged, or of another size, or has too few colours.

    """
    wanted = source.picture
    assert wanted is not None, 'a Source of pictures has their format'
    colours = COLOURS_OF[wanted.encoding]
    height, width = wanted.camera_size or modality.shape[:2]
    if COMPRESSED_DEPTH in message.format:
        raise MessageError(
            f'format is {message.format!r}, expected JPEG or PNG: depth comes as '
            'sensor_msgs/Image (image_transport republish compressedDepth raw)'
        )
    # Searched for markers, which arrays do not do; a compressed picture is quickly copied.
    data = bytes(memoryview(message.data))
    header = read_header(data)
    if (header.height, header.width) != (height, width):
        raise MessageError(
            f'size is {header.width} x {header.height} pixels, expected {width} x {height}'
        )
    if header.bits > BITS:
        raise MessageError(
            f'{header.codec} has {header.bits} bits, expected {BITS}: depth comes as '
            'sensor_msgs/Image'
        )
    if colours != GREY and not header.coloured:
        raise MessageError(f'{header.codec} is grey, expected {wanted.encoding}')
    picture = _decoded(plain_png(data, header) if header.codec == PNG else data, header)
    conversion = _CONVERSIONS.get((_stored_colours(message.format), colours))
    if conversion is not None:
        picture = np.asarray(cv2.cvtColor(picture, conversion), dtype=np.uint8)
    # OpenCV leaves out the last dimension of grey pictures.
    return shrunk(picture.reshape(height, width, len(colours)), modality.shape[:2])


def _decoded(data: bytes, header: Header) -> NDArray[np.uint8]:
    """Return the picture `(H, W, 3)`, in the order blue, green, red of what was encoded so."""
    try:
        picture = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), _FLAGS)
    except cv2.error as error:
        raise MessageError(f'{header.codec} cannot be decoded: {error}') from error
    # Damaged, or read by OpenCV in another way than here.
    if picture is None or picture.shape != (header.height, header.width, len(BGR)):
        raise damaged(data, header)
    return np.asarray(picture, dtype=np.uint8)


def _stored_colours(text: str) -> tuple[str, ...]:
    """Return in which order OpenCV decodes the colours, by the `format` of a message.

    Whoever encodes with OpenCV has to hand over blue, green, red, and image_transport says so:
    `rgb8; jpeg compressed bgr8`. Where it names an encoding with colours and does not say so, its
    own decoder takes what comes first for red.
    """
    encoding, _, compressed = text.partition(';')
    swapped = encoding.strip() in _COLOURED and 'compressed bgr' not in compressed
    return RGB if swapped else BGR
