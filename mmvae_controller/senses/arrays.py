"""Plain numbers: multi-arrays such as taxels, and messages of one number."""

from __future__ import annotations

from typing import Any

from mmvae_controller.modality.robot import Source
from mmvae_controller.modality.spec import Modality
from mmvae_controller.senses.errors import MessageError
import numpy as np
from numpy.typing import NDArray


def read_array(message: Any, modality: Modality, source: Source) -> NDArray[np.float64]:
    """Return the sample `(*shape)` of a std_msgs/Float32MultiArray or Float64MultiArray.

    Raises:
        MessageError: Another number of them.

    """
    return numbers_of(message, modality.size).reshape(modality.shape)


def numbers_of(message: Any, size: int) -> NDArray[np.float64]:
    """Return the numbers `(size,)` of a multi-array; its `data_offset` says where they begin.

    Raises:
        MessageError: Another number of them.

    """
    values = np.array(message.data, dtype=np.float64)[message.layout.data_offset :]
    if values.size != size:
        raise MessageError(f'data has {values.size} numbers, expected {size}')
    return values


def read_scalar(message: Any, modality: Modality, source: Source) -> NDArray[np.float64]:
    """Return the sample `(1,)` of a std_msgs/Float32 or Float64, or of a Bool: 0 or 1."""
    return np.array([message.data], dtype=np.float64)
