"""Numbers of joints, found by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmvae_controller.modality.robot import Source
from mmvae_controller.modality.spec import Modality
from mmvae_controller.senses.errors import MessageError
import numpy as np
from numpy.typing import NDArray


def read_joints(message: Any, modality: Modality, source: Source) -> NDArray[np.float64]:
    """Return the sample `(D,)` of a sensor_msgs/JointState.

    Raises:
        MessageError: A joint is missing or named twice, or has no such number.

    """
    names, values = message.name, getattr(message, source.part)
    if not len(values) and len(names):
        raise MessageError(
            f'{source.part} is empty: the driver publishes no {source.part}; let it, or ask for '
            f'another part than {source.part}'
        )
    return by_name(modality.channels, 'name', names, source.part, values)


def by_name(
    joints: Sequence[str],
    names_field: str,
    names: Sequence[str],
    values_field: str,
    values: Sequence[float],
) -> NDArray[np.float64]:
    """Return the numbers of some joints, whatever their order in a message and what else is there.

    Args:
        joints: Whose, in the order that is wanted.
        names_field: What the message calls `names`.
        names: One for each number.
        values_field: What the message calls `values`.
        values: A number for each name.

    Raises:
        MessageError: A joint is missing or named twice, or names and numbers do not go together.

    """
    if len(values) != len(names):
        raise MessageError(
            f'{values_field} has {len(values)} numbers, expected one for each of the '
            f'{len(names)} joints in {names_field}'
        )
    found = dict(zip(names, values, strict=True))
    if len(found) != len(names):
        raise MessageError(f'{names_field} has a joint twice: {list(names)}')
    missing = [joint for joint in joints if joint not in found]
    if missing:
        raise MessageError(f'{names_field} is {list(names)}, expected also {missing}')
    return np.array([found[joint] for joint in joints], dtype=np.float64)
