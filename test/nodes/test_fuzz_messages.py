"""Any message at all is either an observation of these modalities, or a MessageError."""

from __future__ import annotations

from array import array
import copy
from dataclasses import replace
import itertools
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st
from mmvae_controller.modality.observation import empty_values, everything_known, Observation
from mmvae_controller.modality.robot_file import load_robot
import numpy as np
import pytest

pytest.importorskip('sensor_msgs')
pytestmark = pytest.mark.ros

from mmvae_controller.nodes.wire.messages import stamp_of  # noqa: E402
from mmvae_controller.nodes.wire.pointcloud import (  # noqa: E402
    observation_message,
    point_dtype,
    point_fields,
    read_observation,
)
from mmvae_controller.senses.errors import MessageError  # noqa: E402
from sensor_msgs.msg import PointCloud2, PointField  # noqa: E402

IIWA = Path(__file__).parents[2] / 'config' / 'robots' / 'iiwa_sim.yaml'
ROBOT = load_robot(IIWA)
# The arm's senses, with a picture that is quickly made.
MODALITIES = tuple(
    replace(m, shape=(4, 6, 3)) if m.name == 'camera' else m for m in ROBOT.modalities
)
UINT32 = st.integers(0, 2**32 - 1) | st.sampled_from([0, 1, 4, 6, 18, 20, 2**31, 2**32 - 1])
GIVEN = settings(max_examples=150)


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
