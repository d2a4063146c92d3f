"""Forces: of one wrench, or of all contacts together."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from mmvae_controller.modality.robot import Source, TOUCHING, WRENCH_CHANNELS
from mmvae_controller.modality.spec import Modality
from mmvae_controller.senses.errors import MessageError
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
    """Return the sample `(D,)` of contacts: forces summed up, and whether there is a contact.

    A gazebo_msgs/ContactsState has `states`, a ros_gz_interfaces/Contacts has `contacts`. Forces
    are those on the first of the two bodies of each contact, as both simulators give them.

    Raises:
        MessageError: A force is asked for, and a contact has none: without a force it would read
            as one that presses with 0 N.

    """
    contacts = message.states if hasattr(message, 'states') else message.contacts
    forces = [channel for channel in modality.channels if channel != TOUCHING]
    total = dict.fromkeys(modality.channels, 0.0)
    total[TOUCHING] = float(len(contacts) > 0)
    for number, contact in enumerate(contacts if forces else ()):
        wrenches = _wrenches(contact)
        if not wrenches:
            raise MessageError(
                f'contact {number} of {len(contacts)} has no wrench, expected one for {forces}; '
                f'channels: [{TOUCHING}] asks for none'
            )
        for channel in forces:
            total[channel] += sum(_PART_OF[channel](wrench) for wrench in wrenches)
    return np.array([total[channel] for channel in modality.channels], dtype=np.float64)


def _wrenches(contact: Any) -> Sequence[Any]:
    """Return what acts on the first body, in as many parts as the simulator gives."""
    total = getattr(contact, 'total_wrench', None)
    if total is None:
        return [both.body_1_wrench for both in contact.wrenches]
    # Gazebo Classic adds them up itself; without parts a sum that is not zero was measured.
    measured = len(contact.wrenches) or any(part(total) for part in _PART_OF.values())
    return [total] if measured else []
