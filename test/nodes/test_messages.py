"""Conversions between messages and the core's arrays; every refusal says found and expected."""

from __future__ import annotations

from array import array
from dataclasses import replace
from typing import Any

from mmvae_controller.control.gate import Sent
from mmvae_controller.modality.observation import (
    empty_values,
    everything_known,
    nothing_known,
    Observation,
)
from mmvae_controller.modality.robot import InputMessage, OutputMessage, Robot, Source
from mmvae_controller.modality.spec import Quantity
import numpy as np
import pytest

pytest.importorskip('sensor_msgs')
pytestmark = pytest.mark.ros

from geometry_msgs.msg import WrenchStamped  # noqa: E402
from mmvae_controller.nodes.errors import MessageError  # noqa: E402
from mmvae_controller.nodes.wire.arrays import labelled_array  # noqa: E402
from mmvae_controller.nodes.wire.messages import (  # noqa: E402
    command_message,
    image_message,
    read_positions,
    read_sense,
    stamp_of,
    time_message,
)
from mmvae_controller.nodes.wire.pointcloud import observation_message, read_observation  # noqa: E402
from sensor_msgs.msg import JointState  # noqa: E402
from std_msgs.msg import Float32MultiArray, Float64MultiArray  # noqa: E402

STAMP_NS = 1_700_000_000_123_456_789
PICTURE = np.arange(72, dtype=np.uint8).reshape(4, 6, 3)
SENT = Sent(np.array([0.5, -0.5]), np.array([1.0, 2.0]))


def read(robot: Robot, name: str, message: Any, **changes: Any) -> Any:
    modality = next(m for m in robot.modalities if m.name == name)
    return read_sense(message, modality, replace(robot.sources[name], **changes))


def test_a_picture_survives_the_way_there_and_back(robot: Robot):
    message = image_message(PICTURE, 'rgb8', STAMP_NS, 'eye')
    assert np.array_equal(read(robot, 'camera', message), PICTURE)
    assert stamp_of(message.header.stamp) == STAMP_NS
    assert message.header.frame_id == 'eye'


def test_a_larger_picture_is_shrunk_to_the_means_of_its_areas(robot: Robot):
    large = np.kron(PICTURE, np.ones((5, 3, 1), dtype=np.uint8))
    large[::5] = np.clip(large[::5].astype(int) + 5, 0, 255)
    message = image_message(large, 'rgb8', 0, '')
    expected = np.clip(PICTURE.astype(int) + 1, 0, 255)
    found = read(robot, 'camera', message, camera_size=(20, 18))
    assert found.dtype == np.uint8
    assert np.array_equal(found, expected)
    with pytest.raises(MessageError, match='18 x 20 pixels, expected 6 x 4'):
        read(robot, 'camera', message)
    with pytest.raises(MessageError, match='6 x 4 pixels, expected 18 x 20'):
        read(robot, 'camera', image_message(PICTURE, 'rgb8', 0, ''), camera_size=(20, 18))


def test_the_rows_of_a_picture_may_be_padded(robot: Robot):
    message = image_message(PICTURE, 'rgb8', 0, '')
    padded = np.zeros((4, 20), dtype=np.uint8)
    padded[:, :18] = PICTURE.reshape(4, 18)
    message.step, message.data = 20, array('B', padded.tobytes())
    assert np.array_equal(read(robot, 'camera', message), PICTURE)


@pytest.mark.parametrize(
    ('field', 'value', 'says'),
    [
        ('encoding', 'bgr8', "encoding is 'bgr8', expected 'rgb8'"),
        ('encoding', '', "encoding is '', expected 'rgb8'"),
        ('height', 3, 'size is 6 x 3 pixels, expected 6 x 4'),
        ('width', 7, 'size is 7 x 4 pixels, expected 6 x 4'),
        ('step', 17, 'step is 17 bytes, expected at least 18'),
        ('step', 19, 'data has 72 bytes, expected step x height = 76'),
        ('data', array('B'), 'data has 0 bytes, expected step x height = 72'),
    ],
)
def test_a_picture_that_does_not_fit_is_refused(robot: Robot, field: str, value: Any, says: str):
    message = image_message(PICTURE, 'rgb8', 0, '')
    setattr(message, field, value)
    with pytest.raises(MessageError) as error:
        read(robot, 'camera', message)
    assert says in str(error.value)


def test_joints_are_found_by_name_in_any_order_among_others(robot: Robot):
    message = JointState(name=['gripper', 'right', 'left'], position=[9.0, 2.0, 1.0])
    assert read(robot, 'joints', message).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ('message', 'part', 'says'),
    [
        (JointState(name=['left'], position=[1.0]), 'position', "expected also ['right']"),
        (JointState(name=['left', 'right'], position=[1.0]), 'position', 'position has 1 numbers'),
        (JointState(name=['left', 'right']), 'position', 'position has 0 numbers'),
        (JointState(name=['left', 'right'], position=[1.0, 2.0]), 'velocity', 'velocity has 0'),
        (JointState(name=['left', 'left'], position=[1.0, 2.0]), 'position', 'a joint twice'),
        (JointState(), 'position', "expected also ['left', 'right']"),
    ],
)
def test_joint_states_that_do_not_fit_are_refused(
    robot: Robot, message: JointState, part: str, says: str
):
    with pytest.raises(MessageError) as error:
        read(robot, 'joints', message, part=part)
    assert says in str(error.value)


def test_numbers_that_are_not_finite_are_handed_on_for_the_window_to_mask(robot: Robot):
    message = JointState(name=['left', 'right'], position=[float('nan'), 2.0])
    assert np.isnan(read(robot, 'joints', message)[0])


def test_a_wrench_gives_the_channels_that_are_asked_for(robot: Robot):
    message = WrenchStamped()
    message.wrench.force.x, message.wrench.torque.z = 3.0, 4.0
    assert read(robot, 'touch', message).tolist() == [3.0, 4.0]


@pytest.mark.parametrize('kind', [Float32MultiArray, Float64MultiArray])
def test_an_array_gives_its_numbers_and_is_refused_with_another_count(robot: Robot, kind: type):
    touch = next(m for m in robot.modalities if m.name == 'touch')
    source = Source('skin', InputMessage.FLOAT32_ARRAY)
    assert read_sense(kind(data=[1.0, 2.0]), touch, source).tolist() == [1.0, 2.0]
    with pytest.raises(MessageError, match='data has 3 numbers, expected 2'):
        read_sense(kind(data=[1.0, 2.0, 3.0]), touch, source)


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
    (point,) = trajectory.points
    assert list(point.positions if position else point.velocities) == values
    assert (point.time_from_start.sec, point.time_from_start.nanosec) == (1, 20_000_000)


@pytest.mark.parametrize(
    ('data', 'says'),
    [
        ([1.0], 'data has 1 numbers, expected 2'),
        ([], 'data has 0 numbers, expected 2'),
        ([float('nan'), 1.0], 'data is not finite'),
        ([float('inf'), 1.0], 'data is not finite'),
    ],
)
def test_positions_that_are_no_command_are_refused(data: list[float], says: str):
    with pytest.raises(MessageError, match=says):
        read_positions(Float64MultiArray(data=data), 2)


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
