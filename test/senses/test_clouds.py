"""Point clouds become height maps: cells, ends, layouts, and what is no cloud."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mmvae_controller.senses.errors import MessageError
import numpy as np
import pytest

FLOAT32, FLOAT64 = 7, 8
KIND_OF = {FLOAT32: 'f4', FLOAT64: 'f8'}
KIND = 'sensor_msgs/PointCloud2'
NAN = np.nan


@pytest.fixture
def heights(sense: Any) -> Callable[[Any], Any]:
    """Return what reads a map of 2 rows, 0.5 m each, and 4 columns; a level is 1 cm."""
    return sense(
        message=KIND,
        encoder='image',
        shape=[2, 4, 1],
        area_m=[0, 1, -1, 1],
        height_m=[-0.5, 2.04],
        min_contrast='off',
    )


@pytest.fixture
def cloud(messages: Any) -> Callable[..., Any]:
    """Return what makes the message of points `(N, 3)`."""

    def make(
        points: Sequence[Sequence[float]],
        datatype: int = FLOAT32,
        rows: int = 1,
        padding: int = 0,
        big_endian: bool = False,
        **changes: Any,
    ) -> Any:
        kind = np.dtype(KIND_OF[datatype]).newbyteorder('>' if big_endian else '<')
        # Something else lies before and behind of them, as colours do.
        point = np.dtype([('ring', 'u1'), *((axis, kind) for axis in 'zxy'), ('intensity', 'u2')])
        found = np.zeros(len(points), dtype=point)
        for axis, values in zip('xyz', np.reshape(points, (-1, 3)).T, strict=True):
            found[axis] = values
        width = len(points) // rows
        lines = np.frombuffer(found.tobytes(), np.uint8).reshape(rows, width * point.itemsize)
        lines = np.pad(lines, ((0, 0), (0, padding)), constant_values=99)
        datatypes = {'ring': 2, 'intensity': 4}
        fields: dict[str, Any] = {
            'height': rows,
            'width': width,
            'fields': [
                messages.make(
                    'sensor_msgs/PointField',
                    name=name,
                    offset=point.fields[name][1],
                    datatype=datatypes.get(name, datatype),
                    count=1,
                )
                for name in point.names
            ],
            'is_bigendian': big_endian,
            'point_step': point.itemsize,
            'row_step': lines.shape[1],
            'data': lines.tobytes(),
        }
        return messages(KIND, **{**fields, **changes})

    return make


@pytest.mark.parametrize('padding', [0, 3])
@pytest.mark.parametrize('big_endian', [False, True])
@pytest.mark.parametrize('datatype', [FLOAT32, FLOAT64])
def test_the_highest_point_of_each_cell_is_seen_from_above(
    heights: Any, cloud: Any, datatype: int, big_endian: bool, padding: int
):
    points = [
        (0.9, 0.9, 0.10),  # Ahead and to the left: the first row, the first column.
        (0.8, 0.6, 0.30),  # The same cell, higher.
        (0.7, 0.7, 0.20),
        (0.1, -0.9, 0.00),  # The last row, the last column.
        (0.6, -0.4, 1.50),
        (0.2, 0.1, -0.49),
    ]
    message = cloud(points, datatype, 2, padding, big_endian)
    assert heights(message)[:, :, 0].tolist() == [[81, 0, 201, 0], [0, 2, 0, 51]]


def test_heights_beyond_the_ends_count_as_the_ends(heights: Any, cloud: Any):
    message = cloud([(0.9, 0.9, 3.0), (0.9, -0.9, -9.0), (0.1, 0.9, 2.04), (0.1, -0.9, -0.5)])
    assert heights(message)[:, ::3, 0].tolist() == [[255, 1], [255, 1]]


def test_the_edges_of_the_area_belong_to_it_and_nothing_beyond_does(heights: Any, cloud: Any):
    edges = [(0, -1, 0.5), (1, 1, 0.5), (0, 1, 0.5), (1, -1, 0.5)]
    assert heights(cloud(edges))[:, :, 0].tolist() == [[101, 0, 0, 101]] * 2
    beyond = [(1.01, 0, 0.5), (-0.01, 0, 0.5), (0.5, 1.01, 0.5), (0.5, -1.01, 0.5)]
    assert not heights(cloud(beyond)).any()


def test_points_that_are_not_finite_are_none(heights: Any, cloud: Any):
    spoilt = [(NAN, 0, 1), (0, NAN, 1), (0.5, 0, NAN), (0.5, 0, np.inf), (-np.inf, 0, 1)]
    assert not heights(cloud(spoilt)).any()
    assert np.count_nonzero(heights(cloud([*spoilt, (0.5, 0, 1.0)]))) == 1


def test_a_cloud_without_points_is_an_empty_map(heights: Any, cloud: Any):
    assert not heights(cloud([])).any()
    assert not heights(cloud([], height=0, row_step=0)).any()


@pytest.mark.parametrize(
    ('changes', 'says'),
    [
        ({'fields': []}, r'fields are \[\], expected one x among them'),
        ({'point_step': 8}, 'field x ends at byte 9, expected at most point_step = 8'),
        ({'row_step': 29}, 'row_step is 29 bytes, expected at least 30'),
        ({'row_step': 31}, 'data has 30 bytes, expected row_step x height = 31'),
        ({'height': 2}, 'data has 30 bytes, expected row_step x height = 60'),
        ({'width': 3}, 'row_step is 30 bytes, expected at least 45'),
        ({'width': 2**32 - 1}, 'expected at least'),
        ({'data': b''}, 'data has 0 bytes, expected row_step x height = 30'),
    ],
)
def test_a_cloud_that_does_not_fit_together_is_refused(
    heights: Any, cloud: Any, changes: dict[str, Any], says: str
):
    with pytest.raises(MessageError, match=says):
        heights(cloud([(0.5, 0, 1), (0.5, 0, 1)], **changes))


@pytest.mark.parametrize(
    ('what', 'value', 'says'),
    [
        ('name', 'w', 'expected one z among them'),
        ('name', 'x', 'expected one x among them'),
        ('datatype', 5, 'field z has 1 numbers of datatype 5, expected one of'),
        ('datatype', 0, 'field z has 1 numbers of datatype 0, expected one of'),
        ('count', 2, 'field z has 2 numbers of datatype 7, expected one of'),
        ('offset', 12, 'field z ends at byte 16, expected at most point_step = 15'),
        ('offset', 2**32 - 1, 'field z ends at byte 4294967299'),
    ],
)
def test_a_cloud_with_other_coordinates_is_refused(
    heights: Any, cloud: Any, what: str, value: Any, says: str
):
    message = cloud([(0.5, 0, 1)])
    setattr(next(field for field in message.fields if field.name == 'z'), what, value)
    with pytest.raises(MessageError, match=says):
        heights(message)
