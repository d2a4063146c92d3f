"""Messages as rclpy receives them and as rosbags reads them, and the senses they belong to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from mmvae_controller.modality.robot import Robot
from mmvae_controller.senses.reading import read_sense
import numpy as np
from numpy.typing import NDArray
import pytest

GAZEBO = {
    'gazebo_msgs/msg/ContactState': """
        string info
        string collision1_name
        string collision2_name
        geometry_msgs/Wrench[] wrenches
        geometry_msgs/Wrench total_wrench
        geometry_msgs/Vector3[] contact_positions
        geometry_msgs/Vector3[] contact_normals
        float64[] depths
    """,
    'gazebo_msgs/msg/ContactsState': """
        std_msgs/Header header
        gazebo_msgs/ContactState[] states
    """,
    'ros_gz_interfaces/msg/Entity': """
        uint64 id
        string name
        uint8 type
    """,
    'ros_gz_interfaces/msg/JointWrench': """
        std_msgs/Header header
        std_msgs/String body_1_name
        std_msgs/UInt32 body_1_id
        std_msgs/String body_2_name
        std_msgs/UInt32 body_2_id
        geometry_msgs/Wrench body_1_wrench
        geometry_msgs/Wrench body_2_wrench
    """,
    'ros_gz_interfaces/msg/Contact': """
        ros_gz_interfaces/Entity collision1
        ros_gz_interfaces/Entity collision2
        geometry_msgs/Vector3[] positions
        geometry_msgs/Vector3[] normals
        float64[] depths
        ros_gz_interfaces/JointWrench[] wrenches
    """,
    'ros_gz_interfaces/msg/Contacts': """
        std_msgs/Header header
        ros_gz_interfaces/Contact[] contacts
    """,
}


class Rclpy:
    """The classes of ROS 2."""

    def make(self, kind: str, **fields: Any) -> Any:
        """Return a message, all other fields at their defaults."""
        package, name = kind.split('/')
        return getattr(import_module(f'{package}.msg'), name)(**fields)

    def __call__(self, kind: str, **fields: Any) -> Any:
        """Return a message as it comes off the wire."""
        from rclpy.serialization import deserialize_message, serialize_message

        message = self.make(kind, **fields)
        return deserialize_message(serialize_message(message), type(message))


class Rosbags:
    """The dataclasses of rosbags, which needs no ROS 2."""

    def __init__(self) -> None:
        from rosbags.typesys import get_types_from_msg, get_typestore, Stores

        self.store = get_typestore(Stores.ROS2_JAZZY)
        for name, text in GAZEBO.items():
            self.store.register(get_types_from_msg(text, name))

    def make(self, kind: str, **fields: Any) -> Any:
        """Return a message, all other fields at their defaults."""
        name = kind.replace('/', '/msg/')
        for field, form in self.store.fielddefs[name][1]:
            given = fields.get(field)
            fields[field] = self._default(form) if given is None else self._fitting(form, given)
        return self.store.types[name](**fields)

    def __call__(self, kind: str, **fields: Any) -> Any:
        """Return a message as it comes out of a bag."""
        name = kind.replace('/', '/msg/')
        raw = self.store.serialize_cdr(self.make(kind, **fields), name)
        return self.store.deserialize_cdr(raw, name)

    def _default(self, form: Any) -> Any:
        nature, inner = form
        if nature.name == 'BASE':
            return '' if inner[0] == 'string' else 0
        if nature.name == 'NAME':
            return self.make(inner.replace('/msg/', '/'))
        return self._fitting(form, [])

    def _fitting(self, form: Any, value: Any) -> Any:
        nature, inner = form
        if nature.name != 'SEQUENCE' or inner[0][0].name != 'BASE':
            return value
        kind = inner[0][1][0]
        if kind == 'string':
            return list(value)
        if kind == 'uint8':
            return np.frombuffer(bytes(value), dtype=np.uint8)
        return np.array(value, dtype=kind)


@pytest.fixture(scope='session')
def rosbags() -> Rosbags:
    pytest.importorskip('rosbags')
    return Rosbags()


@pytest.fixture(params=[pytest.param('rclpy', marks=pytest.mark.ros), 'rosbags'])
def messages(request: pytest.FixtureRequest) -> Rclpy | Rosbags:
    """Return what makes messages of either kind: call it with a type and its fields."""
    if request.param == 'rosbags':
        return request.getfixturevalue('rosbags')
    pytest.importorskip('rclpy')
    return Rclpy()


@pytest.fixture
def sense(
    load: Callable[[Any], Robot], robot_data: dict[str, Any]
) -> Callable[..., Callable[[Any], NDArray[Any]]]:
    """Return what reads the messages of a sense that the keys of a robot YAML describe."""

    def described(**keys: Any) -> Callable[[Any], NDArray[Any]]:
        usual = {'role': 'sense', 'unit': 'm', 'topic': 'sense', 'max_age_s': 1.0}
        robot_data['modalities']['sense'] = {**usual, **keys}
        robot = load(robot_data)
        modality = next(m for m in robot.modalities if m.name == 'sense')

        def read(message: Any) -> NDArray[Any]:
            sample = read_sense(message, modality, robot.sources['sense'])
            assert sample.shape == modality.shape
            assert sample.dtype == (np.uint8 if modality.dtype is np.uint8 else np.float64)
            return sample

        return read

    return described


@pytest.fixture
def camera(sense: Any) -> Callable[..., Callable[[Any], NDArray[Any]]]:
    """Return what reads the pictures of a camera."""
    return partial(sense, message='sensor_msgs/Image', encoder='image', min_contrast='off')


@pytest.fixture
def image(messages: Rclpy | Rosbags) -> Callable[..., Any]:
    """Return what makes the message of an array `(H, W)` or `(H, W, C)`."""

    def make(
        pixels: NDArray[Any], encoding: str, padding: int = 0, big_endian: bool = False
    ) -> Any:
        height, width = pixels.shape[:2]
        swapped = pixels.astype(pixels.dtype.newbyteorder('>' if big_endian else '<'))
        length = pixels[:1].nbytes
        rows = np.frombuffer(swapped.tobytes(), dtype=np.uint8).reshape(height, length)
        rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=99)
        return messages(
            'sensor_msgs/Image',
            height=height,
            width=width,
            encoding=encoding,
            is_bigendian=int(big_endian),
            step=rows.shape[1],
            data=rows.tobytes(),
        )

    return make
