"""Set-points out of the messages in which a robot, or who demonstrates on one, is commanded."""

from __future__ import annotations

from typing import Any

from mmvae_controller.modality.robot import OutputMessage
from mmvae_controller.modality.spec import Quantity
from mmvae_controller.senses.arrays import numbers_of
from mmvae_controller.senses.errors import MessageError
from mmvae_controller.senses.joints import by_name
import numpy as np
from numpy.typing import NDArray

# What a trajectory_msgs/JointTrajectoryPoint and a sensor_msgs/JointState call them.
_POINT_FIELD = {Quantity.POSITION: 'positions', Quantity.VELOCITY: 'velocities'}
_STATE_FIELD = {Quantity.POSITION: 'position', Quantity.VELOCITY: 'velocity'}


def read_command(
    message: Any, kind: OutputMessage, joints: tuple[str, ...], quantity: Quantity
) -> NDArray[np.float64]:
    """Return the set-point `(D,)` that a message carries, rad or rad/s, in the order of `joints`.

    Joints are found by name where there are names, among others as well; without names the numbers
    have to be exactly those of `joints`. Of a trajectory it is the first point.

    Args:
        message: Of that kind.
        kind: The type of the message.
        joints: The robot's.
        quantity: What is wanted; a multi-array does not say what it carries.

    Raises:
        MessageError: A joint is missing, the numbers are not as many as the joints, or one is not
            finite.

    """
    if kind is OutputMessage.FLOAT64_ARRAY:
        field, values = 'data', numbers_of(message, len(joints))
    elif kind is OutputMessage.JOINT_STATE:
        field = _STATE_FIELD[quantity]
        values = by_name(joints, 'name', message.name, field, getattr(message, field))
    elif kind is OutputMessage.JOINT_TRAJECTORY:
        field = _POINT_FIELD[quantity]
        if not len(message.points):
            raise MessageError('points is empty, expected at least one')
        found = getattr(message.points[0], field)
        values = by_name(joints, 'joint_names', message.joint_names, field, found)
    else:
        field = _POINT_FIELD[quantity]
        values = np.array(getattr(message, field), dtype=np.float64)
        if values.shape != (len(joints),):
            raise MessageError(f'{field} has {values.size} numbers, expected {len(joints)}')
    if not np.isfinite(values).all():
        raise MessageError(f'{field} is not finite: {values.tolist()}')
    return values
