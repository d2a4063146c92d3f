"""Pictures as cameras publish them: every encoding, padded rows, larger ones."""

from __future__ import annotations

from typing import Any

from mmvae_controller.senses.errors import MessageError
from mmvae_controller.senses.pictures import read_picture
import numpy as np
import pytest

PICTURE = np.arange(72, dtype=np.uint8).reshape(4, 6, 3)
LIGHT, DARK = 200, 40
# The first four pixels of a sensor's mosaic, row by row.
MOSAICS = {'rggb': (0, 1, 1, 2), 'bggr': (2, 1, 1, 0), 'gbrg': (1, 2, 0, 1), 'grbg': (1, 0, 2, 1)}


@pytest.mark.parametrize('padding', [0, 5])
@pytest.mark.parametrize(
    ('encoding', 'pixels', 'expected'),
    [
        ('rgb8', PICTURE, PICTURE),
        ('bgr8', PICTURE, PICTURE),
        ('mono8', PICTURE[:, :, 0], PICTURE[:, :, :1]),
        ('rgba8', np.dstack([PICTURE, PICTURE[:, :, 0]]), PICTURE),
        ('bgra8', np.dstack([PICTURE, PICTURE[:, :, 0]]), PICTURE),
    ],
)
def test_each_encoding_gives_its_colours_in_their_order(
    camera: Any, image: Any, encoding: str, pixels: Any, expected: Any, padding: int
):
    read = camera(shape=list(expected.shape), encoding=encoding)
    assert np.array_equal(read(image(pixels, encoding, padding)), expected)


@pytest.mark.parametrize('padding', [0, 3])
@pytest.mark.parametrize('pattern', list(MOSAICS))
@pytest.mark.parametrize('bright', [0, 1, 2])
def test_the_mosaic_of_a_sensor_becomes_its_colours(
    camera: Any, image: Any, pattern: str, bright: int, padding: int
):
    colour_of = np.tile(np.reshape(MOSAICS[pattern], (2, 2)), (3, 4))
    seen = np.where(colour_of == bright, LIGHT, DARK).astype(np.uint8)
    message = image(seen, f'bayer_{pattern}8', padding)
    colours = {'encoding': f'bayer_{pattern}8', 'camera_size': [6, 8]}
    expected = [LIGHT if channel == bright else DARK for channel in range(3)]
    for shape in ([6, 8, 3], [2, 3, 3]):
        sample = camera(shape=shape, **colours)(message)
        assert np.array_equal(sample, np.broadcast_to(expected, shape))


@pytest.mark.parametrize('padding', [0, 7])
@pytest.mark.parametrize(('encoding', 'channels'), [('rgb8', 3), ('rgba8', 4), ('mono8', 1)])
def test_a_larger_picture_is_shrunk_to_the_means_of_its_areas(
    camera: Any, image: Any, encoding: str, channels: int, padding: int
):
    large = np.kron(PICTURE, np.ones((5, 3, 1), dtype=np.uint8))
    large[::5] = np.clip(large[::5].astype(int) + 5, 0, 255)
    pixels = np.dstack([large, large[:, :, :1]])[:, :, :channels]
    shape = [4, 6, min(channels, 3)]
    read = camera(shape=shape, encoding=encoding, camera_size=[20, 18])
    expected = np.clip(PICTURE.astype(int) + 1, 0, 255)[:, :, : shape[2]]
    assert np.array_equal(read(image(pixels, encoding, padding)), expected)
    with pytest.raises(MessageError, match='size is 6 x 4 pixels, expected 18 x 20'):
        read(image(pixels[:4, :6], encoding))


@pytest.mark.parametrize(
    ('field', 'value', 'says'),
    [
        ('encoding', 'bgr8', "encoding is 'bgr8', expected 'rgb8'"),
        ('encoding', '', "encoding is '', expected 'rgb8'"),
        ('height', 3, 'size is 6 x 3 pixels, expected 6 x 4'),
        ('width', 7, 'size is 7 x 4 pixels, expected 6 x 4'),
        ('step', 17, 'step is 17 bytes, expected at least 18'),
        ('step', 19, 'data has 72 bytes, expected step x height = 76'),
        ('data', np.empty(0, dtype=np.uint8), 'data has 0 bytes, expected step x height = 72'),
    ],
)
def test_a_picture_that_does_not_fit_is_refused(
    camera: Any, image: Any, field: str, value: Any, says: str
):
    message = image(PICTURE, 'rgb8')
    setattr(message, field, value)
    with pytest.raises(MessageError) as error:
        camera(shape=[4, 6, 3], encoding='rgb8')(message)
    assert says in str(error.value)


def test_a_picture_of_any_size_is_read_as_red_green_blue(image: Any):
    assert np.array_equal(read_picture(image(PICTURE, 'rgb8', padding=2)), PICTURE)
    assert np.array_equal(read_picture(image(PICTURE[:3], 'bgr8')), PICTURE[:3, :, ::-1])
    with pytest.raises(MessageError, match="'mono8', expected 'rgb8' or 'bgr8'"):
        read_picture(image(PICTURE[:, :, 0], 'mono8'))
    with pytest.raises(MessageError, match='size is 0 x 0 pixels, expected some'):
        read_picture(image(PICTURE[:0, :0], 'rgb8'))
    message = image(PICTURE, 'rgb8')
    message.data = message.data[:-1]
    with pytest.raises(MessageError, match='data has 71 bytes'):
        read_picture(message)
