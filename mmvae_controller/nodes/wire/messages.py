"""Senses from messages, and the joint command into one: pure conversions, strict about both."""

from __future__ import annotations

from array import array
from typing import Any

from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import WrenchStamped
from mmvae_controller.control.gate import Sent
from mmvae_controller.control.window import NS
from mmvae_controller.modality.robot import (
    COLOURS_OF,
    CommandOutput,
    InputMessage,
    OutputMessage,
    Source,
)
from mmvae_controller.modality.spec import Modality, Quantity
from mmvae_controller.nodes.errors import MessageError
from mmvae_controller.vision.shrinking import shrunk
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Float32MultiArray, Float64MultiArray
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

ENCODING_OF = {colours: encoding for encoding, colours in COLOURS_OF.items()}
INPUT_TYPES: dict[InputMessage, type] = {
    InputMessage.IMAGE: Image,
    InputMessage.JOINT_STATE: JointState,
    InputMessage.WRENCH: WrenchStamped,
    InputMessage.FLOAT32_ARRAY: Float32MultiArray,
    InputMessage.FLOAT64_ARRAY: Float64MultiArray,
}
OUTPUT_TYPES: dict[OutputMessage, type] = {
    OutputMessage.FLOAT64_ARRAY: Float64MultiArray,
    OutputMessage.JOINT_TRAJECTORY: JointTrajectory,
    OutputMessage.JOINT_STATE: JointState,
}


def read_sense(message: Any, modality: Modality, source: Source) -> NDArray[np.generic]:
    """Return the sample `(*shape)` that a message carries.

    Numbers that are not finite are returned as they are: masking them is the window's work.

    Raises:
        MessageError: The message is not what the modality expects.

    """
    if source.message is InputMessage.IMAGE:
        return _read_image(message, modality, source)
    if source.message is InputMessage.JOINT_STATE:
        return _read_joints(message, modality, source.part)
    if source.message is InputMessage.WRENCH:
        return _read_wrench(message, modality)
    return _read_array(message, modality)


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
    # The stamp stays zero, "start now": with one, a robot whose clock is ahead would drop the
    # point as past.
    return JointTrajectory(joint_names=list(output.joints), points=[point])


def read_positions(message: Float64MultiArray, size: int) -> NDArray[np.float64]:
    """Return commanded joint positions `(size,)`.

    Raises:
        MessageError: Another number of them, or one is not finite.

    """
    values = np.array(message.data, dtype=np.float64)
    if values.shape != (size,):
        raise MessageError(f'data has {values.size} numbers, expected {size}')
    if not np.all(np.isfinite(values)):
        raise MessageError(f'data is not finite: {values.tolist()}')
    return values


def time_message(stamp_ns: int) -> Time:
    """Return a stamp."""
    return Time(sec=stamp_ns // NS, nanosec=stamp_ns % NS)


def stamp_of(stamp: Time) -> int:
    """Return the nanoseconds of a stamp."""
    return int(stamp.sec) * NS + int(stamp.nanosec)


def _read_image(message: Image, modality: Modality, source: Source) -> NDArray[np.uint8]:
    channels = modality.shape[2]
    height, width = source.camera_size or modality.shape[:2]
    if message.encoding != source.encoding:
        raise MessageError(f'encoding is {message.encoding!r}, expected {source.encoding!r}')
    if (message.height, message.width) != (height, width):
        raise MessageError(
            f'size is {message.width} x {message.height} pixels, expected {width} x {height}'
        )
    row = width * channels
    if message.step < row:
        raise MessageError(f'step is {message.step} bytes, expected at least {row}')
    if len(message.data) != message.step * height:
        raise MessageError(
            f'data has {len(message.data)} bytes, expected step x height = {message.step * height}'
        )
    # Rows may be padded: step counts what lies in memory.
    rows = np.frombuffer(message.data, dtype=np.uint8).reshape(height, message.step)
    picture = rows[:, :row].reshape(height, width, channels)
    return shrunk(picture, modality.shape[:2])


def _read_joints(message: JointState, modality: Modality, part: str) -> NDArray[np.float64]:
    values = getattr(message, part)
    if len(values) != len(message.name):
        raise MessageError(
            f'{part} has {len(values)} numbers, expected one for each of the '
            f'{len(message.name)} joints in name'
        )
    by_name = dict(zip(message.name, values, strict=True))
    if len(by_name) != len(message.name):
        raise MessageError(f'name has a joint twice: {list(message.name)}')
    missing = [joint for joint in modality.channels if joint not in by_name]
    if missing:
        raise MessageError(f'name is {list(message.name)}, expected also {missing}')
    return np.array([by_name[joint] for joint in modality.channels], dtype=np.float64)


def _read_wrench(message: WrenchStamped, modality: Modality) -> NDArray[np.float64]:
    values = []
    for channel in modality.channels:
        kind, axis = channel.split('.')
        values.append(getattr(getattr(message.wrench, kind), axis))
    return np.array(values, dtype=np.float64)


def _read_array(
    message: Float32MultiArray | Float64MultiArray, modality: Modality
) -> NDArray[np.float64]:
    values = np.array(message.data, dtype=np.float64)[message.layout.data_offset :]
    if values.size != modality.size:
        raise MessageError(f'data has {values.size} numbers, expected {modality.size}')
    return values.reshape(modality.shape)
