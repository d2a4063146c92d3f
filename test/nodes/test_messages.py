"""Conversions between messages and the core's arrays; every refusal says found and expected."""

from __future__ import annotations

from array import array
from dataclasses import replace
import sys
from types import ModuleType
from typing import Any

from mmvae_controller.control.gate import Sent
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.observation import (
    empty_values,
    everything_known,
    nothing_known,
    Observation,
)
from mmvae_controller.modality.pictures import COLOURS_OF, HEIGHT
from mmvae_controller.modality.robot import InputMessage, OutputMessage, Robot
from mmvae_controller.modality.spec import Quantity
import numpy as np
import pytest

pytest.importorskip('sensor_msgs')
pytestmark = pytest.mark.ros

from mmvae_controller.nodes.wire.arrays import labelled_array  # noqa: E402
from mmvae_controller.nodes.wire.messages import (  # noqa: E402
    command_message,
    ENCODING_OF,
    image_message,
    message_type,
    stamp_of,
    time_message,
)
from mmvae_controller.nodes.wire.pointcloud import observation_message, read_observation  # noqa: E402
from mmvae_controller.senses.errors import MessageError  # noqa: E402
from mmvae_controller.senses.reading import read_sense  # noqa: E402
from std_msgs.msg import Float64MultiArray  # noqa: E402

STAMP_NS = 1_700_000_000_123_456_789
PICTURE = np.arange(72, dtype=np.uint8).reshape(4, 6, 3)
SENT = Sent(np.array([0.5, -0.5]), np.array([1.0, 2.0]))
# What no index of Python packages has: only a sourced ROS 2.
FOREIGN = (InputMessage.GAZEBO_CONTACTS, InputMessage.GZ_CONTACTS)


@pytest.mark.parametrize('message', [*InputMessage, *OutputMessage])
def test_every_message_has_a_type_of_its_name(
    message: InputMessage | OutputMessage, monkeypatch: pytest.MonkeyPatch
):
    package, name = message.split('/')
    if message in FOREIGN:
        stand_in = type(name, (), {'__module__': f'{package}.msg'})
        monkeypatch.setitem(sys.modules, package, ModuleType(package))
        monkeypatch.setitem(sys.modules, f'{package}.msg', ModuleType(f'{package}.msg'))
        setattr(sys.modules[f'{package}.msg'], name, stand_in)
    found = message_type(message)
    assert found.__name__ == name
    assert found.__module__.startswith(f'{package}.msg')


@pytest.mark.parametrize('installed', [False, True])
def test_a_message_that_is_not_installed_is_told_with_what_to_install(
    installed: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv('ROS_DISTRO', 'jazzy')
    monkeypatch.setitem(sys.modules, 'gazebo_msgs', ModuleType('gazebo_msgs'))
    # Not there at all, or a package without such a message.
    module = ModuleType('gazebo_msgs.msg') if installed else None
    monkeypatch.setitem(sys.modules, 'gazebo_msgs.msg', module)
    with pytest.raises(ModalityError, match=r'ContactsState cannot .*ros-jazzy-gazebo-msgs'):
        message_type(InputMessage.GAZEBO_CONTACTS)


def test_every_kind_of_picture_that_a_model_knows_can_be_shown():
    assert set(ENCODING_OF) == {*COLOURS_OF.values(), HEIGHT}


def test_a_picture_survives_the_way_there_and_back(robot: Robot):
    camera = robot.modalities[0]
    message = image_message(PICTURE, 'rgb8', STAMP_NS, 'eye')
    assert np.array_equal(read_sense(message, camera, robot.sources['camera']), PICTURE)
    assert stamp_of(message.header.stamp) == STAMP_NS
    assert message.header.frame_id == 'eye'


@pytest.mark.parametrize(
    ('quantity', 'values'),
    [
        (Quantity.POSITION, [0.5, -0.5]),
        (Quantity.VELOCITY, [1.0, 2.0]),
    ],
)
def test_the_command_goes_out_as_the_robot_wants_it(
    robot: Robot, quantity: Quantity, values: list[float]
):
    def convert(message: OutputMessage) -> Any:
        output = replace(robot.output, message=message, quantity=quantity)
        return command_message(output, SENT, STAMP_NS, 1_020_000_000)

    position = quantity is Quantity.POSITION
    assert list(convert(OutputMessage.FLOAT64_ARRAY).data) == values
    state = convert(OutputMessage.JOINT_STATE)
    assert state.name == ['left', 'right']
    assert list(state.position if position else state.velocity) == values
    assert stamp_of(state.header.stamp) == STAMP_NS
    trajectory = convert(OutputMessage.JOINT_TRAJECTORY)
    assert trajectory.joint_names == ['left', 'right']
    assert stamp_of(trajectory.header.stamp) == 0
    (first,) = trajectory.points
    for point in (first, convert(OutputMessage.JOINT_TRAJECTORY_POINT)):
        assert list(point.positions if position else point.velocities) == values
        assert (point.time_from_start.sec, point.time_from_start.nanosec) == (1, 20_000_000)


def test_a_stamp_survives_the_way_there_and_back():
    assert stamp_of(time_message(STAMP_NS)) == STAMP_NS


def observation_of(robot: Robot) -> Observation:
    values = empty_values(robot.modalities)
    random = np.random.default_rng(0)
    for modality in robot.modalities:
        values[modality.name][:] = random.integers(0, 255, (2, *modality.shape))
    known = everything_known(robot.modalities)
    age_s = random.uniform(0, 1, known.shape).astype(np.float32)
    return Observation(STAMP_NS, values, known, age_s)


def test_an_observation_survives_the_way_there_and_back(robot: Robot):
    observation = observation_of(robot)
    observation.age_s[1, 0] = np.inf
    message = observation_message(observation, robot.modalities, STAMP_NS)
    found = read_observation(message, robot.modalities)
    assert found.stamp_ns == STAMP_NS
    assert np.array_equal(found.known, observation.known)
    assert np.array_equal(found.age_s, observation.age_s)
    for name, values in observation.values.items():
        assert found.values[name].dtype == values.dtype
        assert np.array_equal(found.values[name], values)


def test_a_masked_slot_carries_nothing_old(robot: Robot):
    observation = replace(observation_of(robot), known=nothing_known(robot.modalities))
    message = observation_message(observation, robot.modalities, STAMP_NS)
    found = read_observation(message, robot.modalities)
    assert not message.is_dense
    assert not found.known.any()
    assert all(not values.any() for values in found.values.values())


@pytest.mark.parametrize(
    ('field', 'value'),
    [
        ('height', 2),
        ('width', 1),
        ('is_bigendian', True),
        ('point_step', 1),
        ('row_step', 1),
        ('data', array('B')),
        ('fields', []),
    ],
)
def test_an_observation_that_is_none_is_refused(robot: Robot, field: str, value: Any):
    message = observation_message(observation_of(robot), robot.modalities, STAMP_NS)
    setattr(message, field, value)
    with pytest.raises(MessageError, match=field):
        read_observation(message, robot.modalities)


@pytest.mark.parametrize(('what', 'value'), [('offset', 3), ('datatype', 1), ('count', 99)])
def test_an_observation_with_another_layout_is_refused(robot: Robot, what: str, value: int):
    message = observation_message(observation_of(robot), robot.modalities, STAMP_NS)
    setattr(message.fields[3], what, value)
    with pytest.raises(MessageError, match=f'field joints: {what} is {value}'):
        read_observation(message, robot.modalities)


def test_an_observation_of_other_modalities_is_refused(robot: Robot):
    message = observation_message(observation_of(robot), robot.modalities, STAMP_NS)
    with pytest.raises(MessageError, match='fields are'):
        read_observation(message, robot.modalities[1:])


@pytest.mark.parametrize(
    ('field', 'bad', 'says'),
    [
        ('joints/known', 2, 'joints/known is'),
        ('touch/age_s', np.nan, 'touch/age_s is'),
        ('touch/age_s', -1, 'touch/age_s is'),
        ('motor', np.inf, 'motor is known but not finite'),
    ],
)
def test_an_observation_with_broken_content_is_refused(
    robot: Robot, field: str, bad: float, says: str
):
    from mmvae_controller.nodes.wire.pointcloud import point_dtype

    message = observation_message(observation_of(robot), robot.modalities, STAMP_NS)
    points = np.frombuffer(message.data, dtype=point_dtype(robot.modalities)).copy()
    points[field] = bad
    message.data = array('B', points.tobytes())
    with pytest.raises(MessageError, match=says):
        read_observation(message, robot.modalities)


def test_a_labelled_array_says_what_each_index_means():
    message = labelled_array(
        Float64MultiArray, np.arange(6).reshape(2, 3), (('row', 'ab'), ('column', 'xyz'))
    )
    assert [(d.label, d.size, d.stride) for d in message.layout.dim] == [
        ('row: a, b', 2, 6),
        ('column: x, y, z', 3, 3),
    ]
    assert list(message.data) == [0, 1, 2, 3, 4, 5]
