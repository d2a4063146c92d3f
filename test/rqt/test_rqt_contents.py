"""Messages as plain values: what does not fit is refused in one sentence."""

from __future__ import annotations

import math
import subprocess
import sys

from mmvae_controller.nodes.reporting.status import Level
from mmvae_controller.nodes.wire.topic_names import ALONE, WITHOUT
from mmvae_controller.rqt.contents import BLACK, Picture, read_matrix, read_picture, read_status
from mmvae_controller.rqt.errors import ContentError
from mmvae_controller.rqt.words import explain_cell, nats_text
import numpy as np
import pytest

LABELS = ['without: a, b', 'loses: a, b']


def test_what_decides_needs_neither_qt_nor_ros():
    code = (
        'import sys, mmvae_controller.rqt.board; '
        "print([m for m in sys.modules if 'PyQt' in m or 'qt_binding' in m or m == 'rclpy'])"
    )
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert run.stdout.strip() == '[]', run.stderr


def test_a_labelled_array_becomes_a_matrix_row_by_row():
    matrix = read_matrix(LABELS, [2, 2], [9.0, 1.0, 2.0, 3.0, 4.0], offset=1)
    assert (matrix.rows, matrix.columns) == (('a', 'b'), ('a', 'b'))
    assert matrix.nats == ((1.0, 2.0), (3.0, 4.0))


@pytest.mark.parametrize(
    ('labels', 'sizes', 'count', 'says'),
    [
        ([], [], 0, '0 dimensions, expected 2'),
        (LABELS, [2, 3], 6, r"2 labels \('a', 'b'\) for a size of 3"),
        (LABELS, [2, 2], 3, '3 numbers, expected 2 x 2'),
        (LABELS, [2, 2], 5, '5 numbers, expected 2 x 2'),
        (['without: a, b', ''], [2, 2], 4, "label ''"),
        (LABELS, [0, 2], 0, 'size of 0'),
        (LABELS, [2, 10**9], 0, 'size of 1000000000'),
    ],
)
def test_a_matrix_that_does_not_fit_is_refused_and_said_why(labels, sizes, count, says):
    with pytest.raises(ContentError, match=says):
        read_matrix(labels, sizes, [0.0] * count)


@pytest.mark.parametrize(
    ('encoding', 'data', 'rgb'),
    [
        ('rgb8', [1, 2, 3], [1, 2, 3]),
        ('bgr8', [1, 2, 3], [3, 2, 1]),
        ('mono8', [7], [7, 7, 7]),
    ],
)
def test_a_picture_is_read_red_first_and_without_its_padding(encoding, data, rgb):
    row = bytes(data) * 2 + b'\xff'
    picture = read_picture(encoding, 2, 2, len(row), row * 2)
    assert picture.rgb.shape == (2, 2, 3)
    assert (picture.rgb == rgb).all()


@pytest.mark.parametrize(
    ('encoding', 'height', 'width', 'step', 'data'),
    [
        ('yuv422', 2, 2, 6, b'\0' * 12),
        ('rgb8', 2, 2, 5, b'\0' * 10),
        ('rgb8', 2, 2, 6, b'\0' * 11),
        ('rgb8', 0, 2, 6, b''),
        ('rgb8', 2, 0, 0, b''),
        ('rgb8', 2, 2, 6, b''),
    ],
)
def test_a_picture_that_does_not_fit_is_refused(encoding, height, width, step, data):
    with pytest.raises(ContentError, match='the picture has'):
        read_picture(encoding, height, width, step, data)


def test_only_a_picture_without_light_is_black():
    dark = np.full((2, 2, 3), BLACK - 1, dtype=np.uint8)
    assert Picture(dark).black
    dark[0, 0, 0] = BLACK
    assert not Picture(dark).black


def test_a_level_that_does_not_exist_counts_as_an_error():
    assert read_status('n', b'\x09', '', []).level is Level.ERROR


@pytest.mark.parametrize('text', ['none', 'nan', 'inf', ''])
def test_a_value_that_is_no_finite_number_is_none(text):
    assert read_status('n', b'\x00', '', [('age_s', text)]).number('age_s') is None
    assert read_status('n', b'\x00', '', [('age_s', '0.5')]).number('age_s') == 0.5


@pytest.mark.parametrize(
    ('nats', 'text'),
    [
        (0.0, '0'),
        (-1e-9, '0'),
        (0.004, '<0.01'),
        (0.01, '0.01'),
        (9.999, '10.0'),
        (99.96, '100'),
        (1234.5, '1234'),
        (99999.4, '99999'),
        (123456.0, '1.2e5'),
        (1.5e12, '1.5e12'),
        (math.inf, '∞'),
        (math.nan, '–'),
    ],
)
def test_numbers_stay_short(nats, text):
    assert nats_text(nats) == text
    assert len(text) <= 6


def test_a_cell_explains_itself():
    assert explain_cell(WITHOUT, 'camera', 'motor', 35.2) == (
        'motor moves by 35.2 nats when camera is taken away.'
    )
    assert 'predicted from the rest' in explain_cell(WITHOUT, 'touch', 'touch', 1.0)
    assert 'from camera alone' in explain_cell(ALONE, 'camera', 'motor', 1.0)
    assert 'camera is missing' in explain_cell(ALONE, 'camera', 'motor', math.nan)
