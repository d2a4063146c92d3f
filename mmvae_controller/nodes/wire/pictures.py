"""A picture of any size out of a message, in the colours that the tracker looks for."""

from __future__ import annotations

from mmvae_controller.modality.robot import COLOURS_OF, InputMessage, Source
from mmvae_controller.modality.spec import Encoder, Modality, Role
from mmvae_controller.nodes.errors import MessageError
from mmvae_controller.nodes.wire.messages import read_sense
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image

RGB, BGR = 'rgb8', 'bgr8'


def read_picture(message: Image) -> NDArray[np.uint8]:
    """Return the picture `(H, W, 3)` rgb that a message carries.

    Raises:
        MessageError: It has no pixels, or not those it says, or other colours.

    """
    if message.encoding not in (RGB, BGR):
        raise MessageError(f'encoding is {message.encoding!r}, expected {RGB!r} or {BGR!r}')
    if not (message.height and message.width):
        raise MessageError(f'size is {message.width} x {message.height} pixels, expected some')
    colours = COLOURS_OF[message.encoding]
    modality = Modality(
        name='picture',
        role=Role.SENSE,
        encoder=Encoder.IMAGE,
        shape=(message.height, message.width, len(colours)),
        unit='intensity',
        channels=colours,
        max_age_s=1.0,
    )
    source = Source('', InputMessage.IMAGE, encoding=message.encoding)
    picture = read_sense(message, modality, source).astype(np.uint8, copy=False)
    return picture if message.encoding == RGB else np.ascontiguousarray(picture[:, :, ::-1])
