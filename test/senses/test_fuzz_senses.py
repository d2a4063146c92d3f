"""Any message at all is either a sample of the right shape and type, or a MessageError."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
from hypothesis import example, given, HealthCheck, settings
from hypothesis import strategies as st
from mmvae_controller.modality.pictures import (
    COLOURS_OF,
    DECODED_ENCODINGS,
    DEPTH_ENCODINGS,
    HEIGHT,
    HeightMap,
    PictureFormat,
)
from mmvae_controller.modality.robot import InputMessage, OutputMessage, Source
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.modality.spec import Encoder, Modality, Quantity, Role
from mmvae_controller.senses.commands import read_command
from mmvae_controller.senses.errors import MessageError
from mmvae_controller.senses.reading import read_sense
import numpy as np
import pytest

ROBOT = load_robot(Path(__file__).parents[2] / 'config' / 'robots' / 'iiwa_sim.yaml')
JOINTS = list(ROBOT.output.joints)
HEIGHT_PX, WIDTH_PX = 4, 6
PICTURE = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
SIZE_OF = {'mono8': 1, 'rgba8': 4, 'bgra8': 4, '16UC1': 2, '32FC1': 4}
FILES = [
    bytes(cv2.imencode(kind, picture)[1])
    for kind in ('.png', '.jpg')
    for picture in (PICTURE, PICTURE[:, :, 0])
]
# Every float that there is: NaN, infinities, denormals, and what float32 cannot hold.
FLOATS = st.floats(width=64)
FLOATS32 = st.floats(width=32)
UINT32 = st.integers(0, 2**32 - 1) | st.sampled_from([0, 1, 4, 6, 18, 20, 2**31, 2**32 - 1])
NAMES = st.sampled_from([*JOINTS, 'gripper', '']) | st.text(st.characters(codec='utf-8'))
# `messages` is the same for all examples.
GIVEN = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def modality_of(name: str) -> Modality:
    return next(m for m in ROBOT.modalities if m.name == name)


def picture_of(colours: tuple[str, ...]) -> Modality:
    shape = (HEIGHT_PX, WIDTH_PX, len(colours))
    return Modality('sense', Role.SENSE, Encoder.IMAGE, shape, 'intensity', colours, 1.0)


def vector_of(channels: tuple[str, ...]) -> Modality:
    shape = (len(channels),)
    return Modality('sense', Role.SENSE, Encoder.VECTOR, shape, 'any', channels, 1.0)


def check(message: Any, modality: Modality, source: Source) -> Any:
    """Read a message, and return the sample that it must be; None if it is refused."""
    try:
        sample = read_sense(message, modality, source)
    except MessageError:
        return None
    assert sample.shape == modality.shape
    assert sample.dtype == (np.uint8 if modality.dtype is np.uint8 else np.float64)
    return sample


@st.composite
def images(draw: st.DrawFn) -> dict[str, Any]:
    """Return a picture of any encoding, with any of its fields spoilt."""
    encoding = draw(st.sampled_from(list(COLOURS_OF)))
    step = WIDTH_PX * SIZE_OF.get(encoding, 1 if encoding.startswith('bayer') else 3)
    length = HEIGHT_PX * step
    fields: dict[str, Any] = {
        'height': HEIGHT_PX,
        'width': WIDTH_PX,
        'encoding': encoding,
        'is_bigendian': draw(st.integers(0, 255)),
        'step': step,
        'data': draw(st.binary(min_size=length, max_size=length)),
    }
    spoilt = draw(st.sets(st.sampled_from(['height', 'width', 'step', 'encoding', 'data'])))
    for field in sorted(spoilt & {'height', 'width', 'step'}):
        fields[field] = draw(UINT32)
    if 'encoding' in spoilt:
        fields['encoding'] = draw(st.sampled_from(['', 'rgb16', 'RGB8', '8UC3']) | NAMES)
    if 'data' in spoilt:
        fields['data'] = draw(st.binary(max_size=64))
    return fields


@GIVEN
@given(images(), st.booleans(), st.sampled_from(list(COLOURS_OF)))
def test_any_image(messages: Any, fields: dict[str, Any], fits: bool, other: str):
    wanted = fields['encoding'] if fits and fields['encoding'] in COLOURS_OF else other
    depth_m = (0.3, 2.0) if wanted in DEPTH_ENCODINGS else None
    source = Source('', InputMessage.IMAGE, picture=PictureFormat(wanted, None, depth_m))
    message = messages.make('sensor_msgs/Image', **fields)
    sample = check(message, picture_of(COLOURS_OF[wanted]), source)
    if sample is not None:
        assert wanted == fields['encoding']
        assert (fields['height'], fields['width']) == (HEIGHT_PX, WIDTH_PX)
        if wanted == 'rgb8':
            assert sample.tobytes() == fields['data']


@GIVEN
@given(
    st.just(4) | st.integers(0, 9),
    st.just(6) | st.integers(0, 9),
    st.just(18) | st.integers(0, 40),
    st.integers(-2, 2),
)
def test_an_image_whose_step_tells_lies_is_never_read_beyond_its_rows(
    messages: Any, height: int, width: int, step: int, more: int
):
    data = bytes(i % 251 for i in range(max(0, step * height + more)))
    message = messages.make(
        'sensor_msgs/Image', height=height, width=width, encoding='rgb8', step=step, data=data
    )
    source = Source('', InputMessage.IMAGE, picture=PictureFormat('rgb8'))
    sample = check(message, picture_of(COLOURS_OF['rgb8']), source)
    assert (sample is not None) == (height == 4 and width == 6 and step >= 18 and more == 0)
    if sample is not None:
        assert sample[3, 0, 0] == 3 * step % 251


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Return a JPEG or a PNG with bytes changed, cut out or put in; or anything."""
    data = bytearray(draw(st.sampled_from(FILES)))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(data)))
        change = draw(st.sampled_from(['put', 'cut', 'set']))
        piece = draw(st.binary(max_size=8) | st.sampled_from([b'\xff\xc0', b'\xff\xda', b'IHDR']))
        if change == 'cut':
            del data[place : place + draw(st.integers(0, 64))]
        else:
            data[place : place + (len(piece) if change == 'set' else 0)] = piece
    return draw(st.just(bytes(data)) | st.binary(max_size=64))


@GIVEN
@example(FILES[0], 'jpeg', 'rgb8')
@given(
    files(),
    st.sampled_from(['jpeg', 'png', 'rgb8; jpeg compressed bgr8', '16UC1; compressedDepth'])
    | NAMES,
    st.sampled_from(DECODED_ENCODINGS),
)
def test_any_compressed_image(messages: Any, data: bytes, text: str, wanted: str):
    source = Source('', InputMessage.COMPRESSED_IMAGE, picture=PictureFormat(wanted))
    message = messages.make('sensor_msgs/CompressedImage', format=text, data=data)
    check(message, picture_of(COLOURS_OF[wanted]), source)


@st.composite
def clouds(draw: st.DrawFn) -> dict[str, Any]:
    """Return two points with any of their fields spoilt."""
    kinds = st.sampled_from([7, 7, 8]) | st.integers(0, 255)
    count = st.just(1) | UINT32
    offsets = st.sampled_from([0, 4, 8]) | UINT32
    names = draw(st.permutations(['x', 'y', 'z', 'rgb']) | st.lists(st.sampled_from('xyz')))
    fields: dict[str, Any] = {
        'height': 1,
        'width': 2,
        'fields': [(name, draw(offsets), draw(kinds), draw(count)) for name in names],
        'is_bigendian': draw(st.booleans()),
        'point_step': 16,
        'row_step': 32,
        'data': draw(st.binary(min_size=32, max_size=32)),
    }
    numbers = ['height', 'width', 'point_step', 'row_step']
    spoilt = draw(st.lists(st.sampled_from([*numbers, 'data']), max_size=2))
    for field in spoilt:
        fields[field] = draw(st.binary(max_size=64) if field == 'data' else UINT32)
    return fields


@GIVEN
@given(clouds())
def test_any_cloud(messages: Any, fields: dict[str, Any]):
    whole = HeightMap((-1e4, 1e4, -1e4, 1e4), (0.0, 0.001))
    source = Source('', InputMessage.POINT_CLOUD, heights=whole)
    names = ('name', 'offset', 'datatype', 'count')
    points = [
        messages.make('sensor_msgs/PointField', **dict(zip(names, field, strict=True)))
        for field in fields['fields']
    ]
    message = messages.make('sensor_msgs/PointCloud2', **{**fields, 'fields': points})
    check(message, picture_of(HEIGHT), source)


@st.composite
def joint_states(draw: st.DrawFn) -> dict[str, Any]:
    """Return joints permuted, doubled, missing, or with the wrong number of values."""
    names = draw(st.permutations([*JOINTS, 'gripper']) | st.lists(NAMES, max_size=12))
    names = names + draw(st.lists(st.sampled_from(JOINTS), max_size=1))
    size = draw(st.just(len(names)) | st.integers(0, 12))
    return {
        'name': names,
        'position': draw(st.lists(FLOATS, min_size=size, max_size=size)),
        'velocity': draw(st.lists(FLOATS, max_size=3)),
    }


@GIVEN
@example({'name': JOINTS[::-1], 'position': [float(i) for i in range(7)]}, 'position')
@given(joint_states(), st.sampled_from(['position', 'velocity', 'effort']))
def test_any_joints(messages: Any, fields: dict[str, Any], part: str):
    source = replace(ROBOT.sources['joints'], part=part)
    sample = check(
        messages.make('sensor_msgs/JointState', **fields), modality_of('joints'), source
    )
    if sample is not None:
        names = fields['name']
        assert len(set(names)) == len(names)
        found = [fields[part][names.index(joint)] for joint in JOINTS]
        assert np.array_equal(sample, found, equal_nan=True)


def wrench(messages: Any, numbers: Iterable[float]) -> dict[str, Any]:
    """Return the fields of a wrench."""
    x, y, z, a, b, c = numbers
    vector = 'geometry_msgs/Vector3'
    return {
        'force': messages.make(vector, x=x, y=y, z=z),
        'torque': messages.make(vector, x=a, y=b, z=c),
    }


@GIVEN
@given(st.lists(FLOATS, min_size=6, max_size=6))
def test_any_wrench(messages: Any, numbers: list[float]):
    message = messages.make('geometry_msgs/Wrench', **wrench(messages, numbers))
    source = Source('', InputMessage.WRENCH)
    sample = check(message, modality_of('touch'), source)
    assert np.array_equal(sample, numbers[:3], equal_nan=True)


@GIVEN
@given(st.lists(st.lists(st.lists(FLOATS, min_size=6, max_size=6), max_size=2), max_size=3))
def test_any_contacts(rosbags: Any, contacts: list[list[list[float]]]):
    def both(numbers: list[float]) -> Any:
        force = rosbags.make('geometry_msgs/Wrench', **wrench(rosbags, numbers))
        return rosbags.make('ros_gz_interfaces/JointWrench', body_1_wrench=force)

    found = [
        rosbags.make('ros_gz_interfaces/Contact', wrenches=[both(w) for w in wrenches])
        for wrenches in contacts
    ]
    message = rosbags.make('ros_gz_interfaces/Contacts', contacts=found)
    source = Source('', InputMessage.GZ_CONTACTS)
    sample = check(message, vector_of(('touching',)), source)
    assert sample is not None
    assert sample[0] == bool(contacts)


@st.composite
def arrays(draw: st.DrawFn) -> tuple[str, dict[str, Any], dict[str, int]]:
    """Return numbers whose layout may tell lies."""
    kind, numbers = draw(st.sampled_from([('Float32', FLOATS32), ('Float64', FLOATS)]))
    offset = draw(st.sampled_from([0, 0, 1, 3]) | UINT32)
    data = draw(st.lists(numbers, max_size=9))
    return f'std_msgs/{kind}MultiArray', {'data': data}, {'data_offset': offset}


@GIVEN
@given(arrays(), st.integers(1, 4))
def test_any_array(messages: Any, array: Any, size: int):
    kind, fields, layout = array
    layout_message = messages.make('std_msgs/MultiArrayLayout', **layout)
    message = messages.make(kind, layout=layout_message, **fields)
    sample = check(message, vector_of(tuple('abcd'[:size])), Source('', InputMessage(kind)))
    used = np.array(fields['data'])[layout['data_offset'] :]
    assert (sample is None) == (len(used) != size)
    if sample is not None:
        assert np.array_equal(sample, used, equal_nan=True)


def check_command(message: Any, kind: OutputMessage, size: int) -> None:
    try:
        command = read_command(message, kind, tuple(JOINTS[:size]), Quantity.POSITION)
    except MessageError:
        return
    assert command.shape == (size,)
    assert command.dtype == np.float64
    assert np.isfinite(command).all()


@GIVEN
@given(arrays(), st.integers(1, 7))
def test_any_command_without_names_is_finite_or_refused(messages: Any, array: Any, size: int):
    kind, fields, layout = array
    layout_message = messages.make('std_msgs/MultiArrayLayout', **layout)
    message = messages.make(kind, layout=layout_message, **fields)
    check_command(message, OutputMessage.FLOAT64_ARRAY, size)
    point = messages.make('trajectory_msgs/JointTrajectoryPoint', positions=fields['data'])
    check_command(point, OutputMessage.JOINT_TRAJECTORY_POINT, size)


@GIVEN
@given(joint_states(), st.integers(1, 7))
def test_any_command_with_names_is_finite_or_refused(
    messages: Any, fields: dict[str, Any], size: int
):
    check_command(
        messages.make('sensor_msgs/JointState', **fields), OutputMessage.JOINT_STATE, size
    )
    points = [
        messages.make('trajectory_msgs/JointTrajectoryPoint', positions=fields['position'])
    ] * (len(fields['velocity']) % 3)
    trajectory = messages.make(
        'trajectory_msgs/JointTrajectory', joint_names=fields['name'], points=points
    )
    check_command(trajectory, OutputMessage.JOINT_TRAJECTORY, size)


@pytest.mark.parametrize('kind', ['Float32', 'Float64'])
@given(FLOATS32)
@GIVEN
def test_any_number(messages: Any, kind: str, number: float):
    message = messages.make(f'std_msgs/{kind}', data=number)
    sample = check(message, vector_of(('only',)), Source('', InputMessage(f'std_msgs/{kind}')))
    assert np.array_equal(sample, [number], equal_nan=True)
