"""The types of messages, and what goes out: the joint command and pictures."""

from __future__ import annotations

from array import array
from importlib import import_module
import os
from typing import Any

from builtin_interfaces.msg import Duration, Time
from mmvae_controller.control.gate import Sent
from mmvae_controller.control.window import NS
from mmvae_controller.guidance.help import explained_by, Help
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.pictures import BGR, DEPTH, GREY, HEIGHT, RGB
from mmvae_controller.modality.robot import CommandOutput, OutputMessage
from mmvae_controller.modality.spec import Quantity
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

# How a picture as a model knows it goes out; ranges and heights are shown in grey.
ENCODING_OF = {RGB: 'rgb8', BGR: 'bgr8', GREY: 'mono8', DEPTH: 'mono8', HEIGHT: 'mono8'}


def message_type(message: str) -> type:
    """Return the class of a message, imported now: not every robot has every package.

    Raises:
        ModalityError: The package is not installed, or has no such message.

    """
    package, name = message.split('/')
    try:
        return getattr(import_module(f'{package}.msg'), name)
    except (ImportError, AttributeError) as error:
        distro = os.environ.get('ROS_DISTRO', '<distro>')
        raise ModalityError(
            explained_by(
                Help.NOT_CONFIGURED,
                f'message {message} cannot be imported: {error}; install '
                f'ros-{distro}-{package.replace("_", "-")}, or source the workspace that has it',
            )
        ) from error


def image_message(picture: NDArray[np.uint8], encoding: str, stamp_ns: int, frame: str) -> Image:
    """Return the message of a picture `(H, W, C)`."""
    message = Image(height=picture.shape[0], width=picture.shape[1], encoding=encoding)
    message.header.stamp = time_message(stamp_ns)
    message.header.frame_id = frame
    message.step = picture.shape[1] * picture.shape[2]
    message.data = array('B', np.ascontiguousarray(picture).tobytes())
    return message


def command_message(output: CommandOutput, sent: Sent, stamp_ns: int, period_ns: int) -> Any:
    """Return a set-point as the message that the robot listens to.

    Args:
        output: Its type, and whether the wire carries rad or rad/s.
        sent: What the gate let through.
        stamp_ns: Now.
        period_ns: Of the control loop: when a trajectory should have arrived.

    """
    is_position = output.quantity is Quantity.POSITION
    values = (sent.position if is_position else sent.velocity).tolist()
    if output.message is OutputMessage.FLOAT64_ARRAY:
        return Float64MultiArray(data=values)
    if output.message is OutputMessage.JOINT_STATE:
        state = JointState(name=list(output.joints))
        state.header.stamp = time_message(stamp_ns)
        setattr(state, 'position' if is_position else 'velocity', values)
        return state
    point = JointTrajectoryPoint(
        time_from_start=Duration(sec=period_ns // NS, nanosec=period_ns % NS)
    )
    setattr(point, 'positions' if is_position else 'velocities', values)
    if output.message is OutputMessage.JOINT_TRAJECTORY_POINT:
        return point
    # The stamp stays zero, "start now": with one, a robot whose clock is ahead would drop the
    # point as past.
    return JointTrajectory(joint_names=list(output.joints), points=[point])


def time_message(stamp_ns: int) -> Time:
    """Return a stamp."""
    return Time(sec=stamp_ns // NS, nanosec=stamp_ns % NS)


def stamp_of(stamp: Time) -> int:
    """Return the nanoseconds of a stamp."""
    return int(stamp.sec) * NS + int(stamp.nanosec)
