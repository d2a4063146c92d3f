"""Any message at all is either a sample of the right shape and type, or a MessageError."""

from __future__ import annotations

from array import array
import copy
from dataclasses import replace
import itertools
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from mmvae_controller.modality.observation import empty_values, everything_known, Observation
from mmvae_controller.modality.robot import InputMessage, Source
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.modality.spec import Modality
import numpy as np
import pytest

pytest.importorskip('sensor_msgs')
pytestmark = pytest.mark.ros

from geometry_msgs.msg import WrenchStamped  # noqa: E402
from mmvae_controller.nodes.errors import MessageError  # noqa: E402
from mmvae_controller.nodes.wire.messages import (  # noqa: E402
    image_message,
    read_positions,
    read_sense,
    stamp_of,
)
from mmvae_controller.nodes.wire.pointcloud import (  # noqa: E402
    observation_message,
    point_dtype,
    point_fields,
    read_observation,
)
from sensor_msgs.msg import Image, JointState, PointCloud2, PointField  # noqa: E402
from std_msgs.msg import Float32MultiArray, Float64MultiArray, MultiArrayDimension  # noqa: E402

IIWA = Path(__file__).parents[2] / 'config' / 'robots' / 'iiwa_sim.yaml'
ROBOT = load_robot(IIWA)
# The arm's senses, with a picture that is quickly made.
MODALITIES = tuple(
    replace(m, shape=(4, 6, 3)) if m.name == 'camera' else m for m in ROBOT.modalities
)
PICTURE = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
JOINTS = list(ROBOT.output.joints)
# Every float that there is: NaN, infinities, denormals, and what float32 cannot hold.
FLOATS = st.floats(width=64)
FLOATS32 = st.floats(width=32)
UINT32 = st.integers(0, 2**32 - 1) | st.sampled_from([0, 1, 4, 6, 18, 20, 2**31, 2**32 - 1])
BYTES = st.binary(max_size=64) | st.just(PICTURE.tobytes())
NAMES = st.sampled_from([*JOINTS, 'gripper', '']) | st.text(st.characters(codec='utf-8'))
GIVEN = settings(max_examples=150)


def modality_of(name: str) -> Modality:
    return next(m for m in MODALITIES if m.name == name)


def check(message: Any, modality: Modality, source: Source) -> np.ndarray | None:
    """Read a message, and return the sample that it must be."""
    try:
        sample = read_sense(message, modality, source)
    except MessageError:
        return None
    assert sample.shape == modality.shape
    assert sample.dtype == (np.uint8 if modality.dtype is np.uint8 else np.float64)
    return sample


@st.composite
def pictures(draw: st.DrawFn) -> Image:
    """Return a good picture with any of its fields spoilt."""
    message = image_message(PICTURE, 'rgb8', draw(st.integers(0, 2**31 * 10**9 - 1)), 'eye')
    spoilt = draw(st.sets(st.sampled_from(['height', 'width', 'step', 'encoding', 'data'])))
    for field in sorted(spoilt & {'height', 'width', 'step'}):
        setattr(message, field, draw(UINT32))
    if 'encoding' in spoilt:
        message.encoding = draw(st.sampled_from(['', 'bgr8', 'mono8', 'rgb16', 'RGB8']) | NAMES)
    if 'data' in spoilt:
        message.data = array('B', draw(BYTES))
    message.is_bigendian = draw(st.integers(0, 255))
    return message


@GIVEN
@example(image_message(PICTURE, 'rgb8', 0, ''), 'rgb8')
@given(pictures(), st.sampled_from(['rgb8', 'mono8']))
def test_any_picture(message: Image, encoding: str):
    source = replace(ROBOT.sources['camera'], encoding=encoding)
    sample = check(message, modality_of('camera'), source)
    if sample is not None:
        assert np.array_equal(sample, PICTURE)


@GIVEN
@given(
    st.just(4) | st.integers(0, 9),
    st.just(6) | st.integers(0, 9),
    st.just(18) | st.integers(0, 40),
    st.integers(-2, 2),
)
def test_a_picture_whose_step_tells_lies_is_never_read_beyond_its_rows(
    height: int, width: int, step: int, more: int
):
    data = array('B', bytes(i % 251 for i in range(max(0, step * height + more))))
    message = Image(height=height, width=width, encoding='rgb8', step=step, data=data)
    sample = check(message, modality_of('camera'), ROBOT.sources['camera'])
    assert (sample is not None) == (height == 4 and width == 6 and step >= 18 and more == 0)
    if sample is not None:
        assert sample[3, 0, 0] == 3 * step % 251


@st.composite
def joint_states(draw: st.DrawFn) -> JointState:
    """Return joints permuted, doubled, missing, or with the wrong number of values."""
    names = draw(st.permutations([*JOINTS, 'gripper']) | st.lists(NAMES, max_size=12))
    names = names + draw(st.lists(st.sampled_from(JOINTS), max_size=1))
    size = draw(st.just(len(names)) | st.integers(0, 12))
    message = JointState(name=names, position=draw(st.lists(FLOATS, min_size=size, max_size=size)))
    message.velocity = draw(st.lists(FLOATS, max_size=3))
    return message


@GIVEN
@example(JointState(name=JOINTS[::-1], position=[float(i) for i in range(7)]), 'position')
@given(joint_states(), st.sampled_from(['position', 'velocity', 'effort']))
def test_any_joints(message: JointState, part: str):
    source = replace(ROBOT.sources['joints'], part=part)
    sample = check(message, modality_of('joints'), source)
    if sample is not None:
        assert len(set(message.name)) == len(message.name)
        found = [getattr(message, part)[message.name.index(joint)] for joint in JOINTS]
        assert np.array_equal(sample, found, equal_nan=True)


@GIVEN
@given(st.lists(FLOATS, min_size=6, max_size=6))
def test_any_wrench(numbers: list[float]):
    message = WrenchStamped()
    for side, part in zip(('force', 'torque'), (numbers[:3], numbers[3:]), strict=True):
        for axis, number in zip('xyz', part, strict=True):
            setattr(getattr(message.wrench, side), axis, number)
    sample = check(message, modality_of('touch'), ROBOT.sources['touch'])
    assert np.array_equal(sample, numbers[:3], equal_nan=True)


@st.composite
def arrays(draw: st.DrawFn) -> Float32MultiArray | Float64MultiArray:
    """Return numbers whose layout may tell lies."""
    kind, numbers = draw(
        st.sampled_from([(Float32MultiArray, FLOATS32), (Float64MultiArray, FLOATS)])
    )
    message = kind(data=draw(st.lists(numbers, max_size=9)))
    message.layout.data_offset = draw(st.sampled_from([0, 0, 1, 3]) | UINT32)
    message.layout.dim = draw(
        st.lists(
            st.builds(MultiArrayDimension, label=NAMES, size=UINT32, stride=UINT32), max_size=3
        )
    )
    return message


@GIVEN
@given(arrays(), st.integers(1, 4))
def test_any_array(message: Float32MultiArray | Float64MultiArray, size: int):
    skin = replace(modality_of('touch'), shape=(size,), channels=tuple('abcd'[:size]))
    source = Source('skin', InputMessage.FLOAT32_ARRAY)
    sample = check(message, skin, source)
    if sample is not None:
        used = np.array(message.data)[message.layout.data_offset :]
        assert np.array_equal(sample, used, equal_nan=True)


@GIVEN
@given(arrays(), st.integers(1, 7))
def test_any_command_is_finite_or_refused(
    message: Float32MultiArray | Float64MultiArray, size: int
):
    try:
        positions = read_positions(message, size)
    except MessageError:
        return
    assert positions.shape == (size,)
    assert positions.dtype == np.float64
    assert np.isfinite(positions).all()


def observation() -> Observation:
    values = empty_values(MODALITIES)
    random = np.random.default_rng(0)
    for modality in MODALITIES:
        values[modality.name][:] = random.integers(0, 255, (2, *modality.shape))
    known = everything_known(MODALITIES)
    return Observation(0, values, known, np.zeros(known.shape, dtype=np.float32))


GOOD = observation_message(observation(), MODALITIES, 0)
FIELDS = [
    PointField(name=f.name, offset=f.offset, datatype=f.datatype, count=f.count)
    for f in point_fields(MODALITIES)
]
# What makes a flag or an age that is none, or a number that is not finite.
WRONG = [b'\2', b'\xff', *(np.float32(x).tobytes() for x in (np.nan, np.inf, -1.0, 1e-45))]
NUMBERS = ('height', 'width', 'point_step', 'row_step')


@st.composite
def clouds(draw: st.DrawFn) -> PointCloud2:
    """Return a good observation with a field of the message spoilt, or some of its content."""
    message = PointCloud2(
        height=GOOD.height,
        width=GOOD.width,
        fields=FIELDS,
        point_step=GOOD.point_step,
        row_step=GOOD.row_step,
    )
    message.header.stamp.sec = draw(st.integers(-(2**31), 2**31 - 1))
    message.header.stamp.nanosec = draw(UINT32)
    data = bytearray(GOOD.data)
    spoilt = draw(st.sampled_from(['content', 'content', 'fields', 'length', 'end', *NUMBERS]))
    if spoilt in NUMBERS:
        setattr(message, spoilt, draw(UINT32))
    elif spoilt == 'end':
        message.is_bigendian = True
    elif spoilt == 'length':
        del data[draw(st.integers(0, len(data))) :]
    elif spoilt == 'fields':
        fields = draw(st.permutations(FIELDS) | st.lists(st.sampled_from(FIELDS), max_size=14))
        message.fields = fields
    else:
        start = draw(st.sampled_from([0, GOOD.point_step]))
        for field in draw(st.lists(st.sampled_from(FIELDS), max_size=3)):
            wrong = draw(st.sampled_from(WRONG))
            offset = start + field.offset
            data[offset : offset + len(wrong)] = wrong
    message.data = array('B', bytes(data))
    return message


@GIVEN
@given(clouds())
@example(GOOD)
def test_any_observation(message: PointCloud2):
    check_observation(message)


def test_an_observation_with_any_field_spoilt():
    for field, wrong, point in itertools.product(FIELDS, WRONG, (0, GOOD.point_step)):
        message, data = copy.copy(GOOD), bytearray(GOOD.data)
        data[point + field.offset : point + field.offset + len(wrong)] = wrong
        message.data = array('B', bytes(data))
        check_observation(message)


def check_observation(message: PointCloud2) -> None:
    try:
        found = read_observation(message, MODALITIES)
    except MessageError:
        return
    assert found.stamp_ns == stamp_of(message.header.stamp)
    assert found.known.shape == (len(MODALITIES), 2)
    assert np.all(found.age_s >= 0)
    points = np.frombuffer(message.data, dtype=point_dtype(MODALITIES))
    assert all(points[f'{m.name}/known'].max() <= 1 for m in MODALITIES)
    for modality in MODALITIES:
        value = found.values[modality.name]
        assert value.shape == (2, *modality.shape)
        assert value.dtype == modality.dtype
        assert np.isfinite(value).all()
