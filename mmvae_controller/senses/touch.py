"""Touch: the forces of one wrench, or whether there is any contact."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from mmvae_controller.modality.robot import Source, WRENCH_CHANNELS
from mmvae_controller.modality.spec import Modality
import numpy as np
from numpy.typing import NDArray

_PART_OF = {channel: attrgetter(channel) for channel in WRENCH_CHANNELS}


def read_stamped_wrench(message: Any, modality: Modality, source: Source) -> NDArray[np.float64]:
    """Return the sample `(D,)` of a geometry_msgs/WrenchStamped."""
    return read_wrench(message.wrench, modality, source)


def read_wrench(message: Any, modality: Modality, source: Source) -> NDArray[np.float64]:
    """Return the sample `(D,)` of a geometry_msgs/Wrench."""
    return np.array(
        [_PART_OF[channel](message) for channel in modality.channels], dtype=np.float64
    )


def read_contacts(message: Any, modality: Modality, source: Source) -> NDArray[np.float64]:
    """Return the sample `(1,)` of contacts: 1 while there is any, else 0.

    A gazebo_msgs/ContactsState has `states`, a ros_gz_interfaces/Contacts has `contacts`. Their
    forces are not read: they are those on the first body, which can be the robot or what it
    touches.
    """
    contacts = message.states if hasattr(message, 'states') else message.contacts
    return np.array([len(contacts) > 0], dtype=np.float64)
