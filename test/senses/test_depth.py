"""Ranges as pictures: units, ends, no return, byte order, and shrinking that keeps them apart."""

from __future__ import annotations

from typing import Any

from mmvae_controller.senses.depth import depth_picture
from mmvae_controller.senses.errors import MessageError
import numpy as np
import pytest

NAN, INF = np.nan, np.inf
# Near and far of all of them: a level is 1 cm.
DEPTH_M = [0.5, 3.04]


@pytest.fixture
def depth(camera: Any) -> Any:
    """Return what reads ranges."""
    return lambda **keys: camera(depth_m=DEPTH_M, **keys)


@pytest.mark.parametrize('padding', [0, 3])
@pytest.mark.parametrize('big_endian', [False, True])
def test_millimetres_become_levels(depth: Any, image: Any, padding: int, big_endian: bool):
    pixels = np.array([[500, 510, 3040], [499, 3050, 65535], [0, 1, 1770]], dtype=np.uint16)
    sample = depth(shape=[3, 3, 1], encoding='16UC1')(image(pixels, '16UC1', padding, big_endian))
    assert sample[:, :, 0].tolist() == [[1, 2, 255], [1, 255, 255], [0, 1, 128]]


@pytest.mark.parametrize('padding', [0, 3])
@pytest.mark.parametrize('big_endian', [False, True])
def test_metres_become_the_same_levels(depth: Any, image: Any, padding: int, big_endian: bool):
    pixels = np.array(
        [[0.5, 0.51, 3.04], [0.1, 1e38, 1.77], [NAN, INF, -INF], [0, -0.0, -1]], dtype=np.float32
    )
    sample = depth(shape=[4, 3, 1], encoding='32FC1')(image(pixels, '32FC1', padding, big_endian))
    assert sample[:, :, 0].tolist() == [[1, 2, 255], [1, 255, 128], [0, 0, 0], [0, 0, 0]]


def test_no_return_is_no_range_when_a_picture_is_shrunk(depth: Any, image: Any):
    metres = np.array(
        [
            [1.00, 1.02, 2.00, NAN, NAN, NAN],
            [1.00, 1.02, 0.00, 2.00, 2.00, NAN],
        ],
        dtype=np.float32,
    )
    read = depth(shape=[1, 3, 1], encoding='32FC1', camera_size=[2, 6])
    # The mean of all; the mean of the two that came back; and one return of four, which is none.
    assert read(image(metres, '32FC1'))[0, :, 0].tolist() == [52, 151, 0]


def test_what_lies_beyond_the_ends_pulls_no_mean_with_it(depth: Any, image: Any):
    metres = np.array([[3.04, 900.0], [3.04, 900.0]], dtype=np.float32)
    read = depth(shape=[1, 1, 1], encoding='32FC1', camera_size=[2, 2])
    assert read(image(metres, '32FC1')).ravel().tolist() == [255]
    metres[:, 1] = 0.01
    assert read(image(metres, '32FC1')).ravel().tolist() == [128]


def test_shrinking_to_any_size_keeps_an_even_wall_even_and_holes_holes():
    wall = np.full((7, 11), 2.0, dtype=np.float32)
    wall[:, 8:] = NAN
    sample = depth_picture(wall, (0.5, 3.04), (3, 4))[:, :, 0]
    assert sample[:, :2].tolist() == [[151, 151]] * 3
    assert sample[:, 3].tolist() == [0] * 3
    assert set(sample.ravel().tolist()) <= {0, 151}


def test_other_ranges_than_those_that_are_expected_are_refused(depth: Any, image: Any):
    millimetres = image(np.ones((3, 3), dtype=np.uint16), '16UC1')
    with pytest.raises(MessageError, match="encoding is '16UC1', expected '32FC1'"):
        depth(shape=[3, 3, 1], encoding='32FC1')(millimetres)
    millimetres.step, millimetres.data = 5, millimetres.data[:15]
    with pytest.raises(MessageError, match='step is 5 bytes, expected at least 6'):
        depth(shape=[3, 3, 1], encoding='16UC1')(millimetres)
