"""JPEG and PNG: colours, sizes that are looked at first, and what is damaged."""

from __future__ import annotations

from typing import Any
import zlib

import cv2
from mmvae_controller.senses import compressed
from mmvae_controller.senses.errors import MessageError
import numpy as np
import pytest

KIND = 'sensor_msgs/CompressedImage'
# Patches that a JPEG keeps, to a few levels: red first.
PATCHES = np.array([[[200, 30, 30], [30, 180, 40]], [[20, 40, 190], [128, 128, 128]]], np.uint8)
PICTURE = np.kron(PATCHES, np.ones((16, 24, 1), dtype=np.uint8))
GREY = cv2.cvtColor(PICTURE, cv2.COLOR_RGB2GRAY)[:, :, np.newaxis]
# What a JPEG may be off by, and a PNG.
NEAR, EXACT = 12, 0
COMMENT = b'\xff\xfe'


def chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content).to_bytes(4)
    return len(content).to_bytes(4) + name + content + checksum


def png_of(*chunks: bytes, colours: int = 2, interlaced: bool = False) -> bytes:
    """Return a PNG of 48 x 32 pixels with 8 bits that has some chunks."""
    numbers = (48).to_bytes(4) + (32).to_bytes(4) + bytes([8, colours, 0, 0, interlaced])
    end = chunk(b'IEND', b'')
    return PNG[:8] + chunk(b'IHDR', numbers) + b''.join(chunks) + end


def encoded(picture: Any, extension: str, *settings: int) -> bytes:
    """Return an rgb or grey picture as a file, as every program would read it."""
    bgr = picture[:, :, ::-1] if picture.shape[-1] == 3 else picture
    done, data = cv2.imencode(extension, np.ascontiguousarray(bgr), settings)
    assert done
    return bytes(data)


def segment(marker: bytes, length: int) -> bytes:
    return marker + (length + 2).to_bytes(2) + bytes(length)


# Colours in full, so that they end where the patches do.
FULL = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
JPEG, PNG = encoded(PICTURE, '.jpg', *FULL), encoded(PICTURE, '.png')


@pytest.fixture
def camera(sense: Any) -> Any:
    """Return what reads a camera's compressed pictures."""

    def described(encoding: str = 'rgb8', **keys: Any) -> Any:
        shape = [32, 48, 1 if encoding == 'mono8' else 3]
        usual = {'encoder': 'image', 'shape': shape, 'min_contrast': 'off'}
        return sense(message=KIND, encoding=encoding, **{**usual, **keys})

    return described


@pytest.mark.parametrize(
    ('encoding', 'expected'), [('rgb8', PICTURE), ('bgr8', PICTURE[:, :, ::-1]), ('mono8', GREY)]
)
@pytest.mark.parametrize(('data', 'off'), [(JPEG, NEAR), (PNG, EXACT)], ids=['jpeg', 'png'])
@pytest.mark.parametrize(
    'text', ['jpeg', 'rgb8; jpeg compressed bgr8', 'bgr8; png compressed bgr8']
)
def test_a_file_gives_the_colours_that_are_wanted(
    camera: Any, messages: Any, encoding: str, expected: Any, data: bytes, off: int, text: str
):
    sample = camera(encoding)(messages(KIND, format=text, data=data))
    assert np.abs(sample.astype(int) - expected).max() <= off


def test_colours_that_were_handed_to_the_encoder_the_wrong_way_round_are_found(
    camera: Any, messages: Any
):
    swapped = encoded(PICTURE[:, :, ::-1], '.png')
    for encoding, expected in (('rgb8', PICTURE), ('bgr8', PICTURE[:, :, ::-1]), ('mono8', GREY)):
        message = messages(KIND, format='rgb8; png compressed rgb8', data=swapped)
        assert np.array_equal(camera(encoding)(message), expected)


def test_grey_files_are_grey_and_no_colours(camera: Any, messages: Any):
    for extension, off in (('.jpg', NEAR), ('.png', EXACT)):
        message = messages(KIND, format='mono8; jpeg compressed ', data=encoded(GREY, extension))
        assert np.abs(camera('mono8')(message).astype(int) - GREY).max() <= off
        with pytest.raises(MessageError, match=r'(JPEG|PNG) is grey, expected rgb8'):
            camera('rgb8')(message)


def test_alpha_is_dropped(camera: Any, messages: Any):
    alpha = np.dstack([PICTURE[:, :, ::-1], np.full(PICTURE.shape[:2], 7, np.uint8)])
    message = messages(KIND, format='png', data=bytes(cv2.imencode('.png', alpha)[1]))
    assert np.array_equal(camera()(message), PICTURE)


def test_a_larger_picture_is_shrunk(camera: Any, messages: Any):
    read = camera(shape=[2, 2, 3], camera_size=[32, 48])
    assert np.array_equal(read(messages(KIND, format='png', data=PNG)), PATCHES)


def test_a_picture_of_another_size_is_refused_before_it_is_decoded(
    camera: Any, messages: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(compressed.cv2, 'imdecode', lambda *_: pytest.fail('was decoded'))
    for name, data in announcing(30_000, 20_000).items():
        assert len(data) < 10_000, name
        message = messages(KIND, format='jpeg', data=data)
        with pytest.raises(MessageError, match='size is 30000 x 20000 pixels, expected 48 x 32'):
            camera()(message)


def zeros(mebibytes: int) -> bytes:
    deflater = zlib.compressobj()
    return b''.join(deflater.compress(bytes(2**20)) for _ in range(mebibytes)) + deflater.flush()


# One filter and three colours for each of 48 pixels, 32 times.
ROWS = b''.join(b'\0' + row.tobytes() for row in PICTURE)
PACKED = zlib.compress(ROWS)


@pytest.mark.parametrize(
    'pixels',
    [
        zeros(256),
        zlib.compress(ROWS + bytes(1)),
        PACKED + bytes(1),
        PACKED + zeros(1),
    ],
    ids=['256 MiB', 'one byte too many', 'a byte behind it', 'a second stream behind it'],
)
def test_a_png_that_holds_more_than_its_size_is_refused_before_it_is_decoded(
    camera: Any, messages: Any, monkeypatch: pytest.MonkeyPatch, pixels: bytes
):
    monkeypatch.setattr(compressed.cv2, 'imdecode', lambda *_: pytest.fail('was decoded'))
    data = png_of(chunk(b'IDAT', pixels))
    assert len(data) < 2**20
    with pytest.raises(MessageError, match='PNG holds more than the 4640 bytes of its 48 x 32'):
        camera()(messages(KIND, format='png', data=data))


@pytest.mark.parametrize('name', [b'zTXt', b'iCCP', b'fdAT', b'IHDR'])
def test_what_else_a_png_carries_is_not_given_to_the_decoder(
    camera: Any, messages: Any, monkeypatch: pytest.MonkeyPatch, name: bytes
):
    carried = chunk(name, b'name\0\0' + zeros(7))
    given = []
    monkeypatch.setattr(
        compressed.cv2,
        'imdecode',
        lambda data, flags, decode=cv2.imdecode: given.append(len(data)) or decode(data, flags),
    )
    data = png_of(carried * 9, chunk(b'IDAT', PACKED), carried)
    assert np.array_equal(camera()(messages(KIND, format='png', data=data)), PICTURE)
    assert given == [len(data) - 10 * len(carried)]


def test_pixels_may_come_in_parts_and_interlaced(camera: Any, messages: Any):
    parts = chunk(b'IDAT', PACKED[:20]), chunk(b'IDAT', PACKED[20:])
    assert np.array_equal(camera()(messages(KIND, format='png', data=png_of(*parts))), PICTURE)
    passes = [
        PICTURE[::8, ::8], PICTURE[::8, 4::8], PICTURE[4::8, ::4], PICTURE[::4, 2::4],
        PICTURE[2::4, ::2], PICTURE[::2, 1::2], PICTURE[1::2],
    ]  # fmt: skip
    rows = b''.join(b'\0' + row.tobytes() for part in passes for row in part)
    data = png_of(chunk(b'IDAT', zlib.compress(rows)), interlaced=True)
    assert np.array_equal(camera()(messages(KIND, format='png', data=data)), PICTURE)


def announcing(width: int, height: int) -> dict[str, bytes]:
    """Return files that announce another size than they have."""
    jpeg, png = bytearray(JPEG), bytearray(PNG)
    place = JPEG.index(b'\xff\xc0')
    jpeg[place + 5 : place + 9] = height.to_bytes(2) + width.to_bytes(2)
    png[16:24] = width.to_bytes(4) + height.to_bytes(4)
    png[29:33] = zlib.crc32(png[12:29]).to_bytes(4)
    return {'jpeg': bytes(jpeg), 'png': bytes(png)}


@pytest.mark.parametrize('marker', [b'\xff\x00', b'\xff\x01', b'\xff\xd0', b'\xff\xd8'])
def test_no_size_hides_behind_a_marker_that_has_no_length(
    camera: Any, messages: Any, marker: bytes
):
    bomb = announcing(30_000, 20_000)['jpeg']
    # Read with a length, the marker would lead past what is announced, to a decoy behind it.
    hidden = bomb[:2] + marker + len(bomb).to_bytes(2) + bomb[2:] + JPEG[2:]
    with pytest.raises(MessageError, match='JPEG without a header'):
        camera()(messages(KIND, format='jpeg', data=hidden))


def test_metadata_may_come_before_the_size(camera: Any, messages: Any):
    data = JPEG[:2] + segment(COMMENT, 60_000) + b'\xff\xff' + JPEG[2:] + bytes(9)
    sample = camera()(messages(KIND, format='jpeg', data=data))
    assert np.abs(sample.astype(int) - PICTURE).max() <= NEAR


@pytest.mark.parametrize(
    ('data', 'says'),
    [
        (b'', "data begins with b'', expected a JPEG or a PNG"),
        (b'RIFF____WEBP', 'expected a JPEG or a PNG'),
        (JPEG[:-2], 'JPEG without an end'),
        (JPEG[: len(JPEG) // 2], 'JPEG without an end'),
        (JPEG[:2] + JPEG[-2:], 'JPEG without a header'),
        (JPEG[:2] + segment(COMMENT, 0) * 2000 + JPEG[2:], 'JPEG without a header'),
        (JPEG[:2] + b'\xff' * 5000 + JPEG[2:], 'JPEG without a header'),
        (JPEG[:-2] + b'\xff\xda\x00\x02' * 200 + JPEG[-2:], 'JPEG of 201 scans, expected at most'),
        (JPEG[: JPEG.index(b'\xff\xda')] + JPEG[-2:], 'JPEG of .* cannot be decoded'),
        (PNG[:20], 'PNG without a header'),
        (PNG[:12] + b'IDAT' + PNG[16:], 'PNG without a header'),
        (PNG[: len(PNG) // 2], 'PNG of .* bytes cannot be decoded: it is damaged'),
        (PNG[:-12], 'PNG of .* bytes cannot be decoded: it is damaged'),
        (PNG[:40], 'PNG of .* bytes cannot be decoded: it is damaged'),
        (encoded(PICTURE.astype(np.uint16) * 257, '.png'), 'PNG has 16 bits, expected 8: depth'),
    ],
)
def test_what_is_damaged_or_none_is_refused(camera: Any, messages: Any, data: bytes, says: str):
    with pytest.raises(MessageError, match=says):
        camera()(messages(KIND, format='jpeg', data=data))


def test_bits_that_are_wrong_in_a_png_are_found(camera: Any, messages: Any):
    for place in range(50, len(PNG) - 12, 7):
        data = bytearray(PNG)
        data[place] ^= 0x10
        with pytest.raises(MessageError, match=r'PNG .*: it is damaged'):
            camera()(messages(KIND, format='png', data=bytes(data)))


@pytest.mark.parametrize('shape', [(31, 48, 3), (32, 48)])
def test_what_is_decoded_to_another_size_than_announced_is_refused(
    camera: Any, messages: Any, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...]
):
    monkeypatch.setattr(compressed.cv2, 'imdecode', lambda *_: np.zeros(shape, np.uint8))
    with pytest.raises(MessageError, match='cannot be decoded'):
        camera()(messages(KIND, format='png', data=PNG))


def test_whatever_opencv_raises_is_a_message_that_is_refused(
    camera: Any, messages: Any, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: Any) -> None:
        raise cv2.error('out of memory')

    monkeypatch.setattr(compressed.cv2, 'imdecode', refuse)
    with pytest.raises(MessageError, match='PNG cannot be decoded: out of memory'):
        camera()(messages(KIND, format='png', data=PNG))


def test_compressed_depth_is_refused_with_what_to_do_instead(camera: Any, messages: Any):
    message = messages(KIND, format='16UC1; compressedDepth png', data=bytes(12) + PNG)
    with pytest.raises(MessageError, match=r'16UC1; compressedDepth.*depth comes as sensor_msgs'):
        camera()(message)
