"""A sample out of a message, by the type that the robot YAML names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mmvae_controller.modality.robot import InputMessage, Source
from mmvae_controller.modality.spec import Modality
from mmvae_controller.senses.arrays import read_array, read_scalar
from mmvae_controller.senses.clouds import read_cloud
from mmvae_controller.senses.compressed import read_compressed
from mmvae_controller.senses.joints import read_joints
from mmvae_controller.senses.pictures import read_image
from mmvae_controller.senses.touch import read_contacts, read_stamped_wrench, read_wrench
import numpy as np
from numpy.typing import NDArray

_READERS: dict[InputMessage, Callable[[Any, Modality, Source], NDArray[np.generic]]] = {
    InputMessage.IMAGE: read_image,
    InputMessage.COMPRESSED_IMAGE: read_compressed,
    InputMessage.POINT_CLOUD: read_cloud,
    InputMessage.JOINT_STATE: read_joints,
    InputMessage.WRENCH_STAMPED: read_stamped_wrench,
    InputMessage.WRENCH: read_wrench,
    InputMessage.GAZEBO_CONTACTS: read_contacts,
    InputMessage.GZ_CONTACTS: read_contacts,
    InputMessage.FLOAT32_ARRAY: read_array,
    InputMessage.FLOAT64_ARRAY: read_array,
    InputMessage.BOOL: read_scalar,
    InputMessage.FLOAT32: read_scalar,
    InputMessage.FLOAT64: read_scalar,
}


def read_sense(message: Any, modality: Modality, source: Source) -> NDArray[np.generic]:
    """Return the sample `(*shape)` that a message carries.

    A message is whatever has the fields of the ROS message: what rclpy received, or what rosbags
    read from a recording. Numbers that are not finite are returned as they are: masking them is
    the window's work.

    Raises:
        MessageError: The message is not what the modality expects.

    """
    return _READERS[source.message](message, modality, source)
