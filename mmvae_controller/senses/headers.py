"""What a JPEG or PNG says of itself, read before it is decoded: its size above all."""

from __future__ import annotations

from dataclasses import dataclass

from mmvae_controller.senses.errors import MessageError

JPEG, PNG = 'JPEG', 'PNG'
PNG_SIGNATURE = b'\x89PNG\r\n\x1a\n'
# The header's chunk comes first; its numbers lie behind signature, length and name.
PNG_HEADER, PNG_SIZE = b'IHDR', 16
PNG_COLOURED = {2, 3, 6}  # Plain, by palette, with alpha; the others are grey.
JPEG_SIGNATURE, JPEG_END = b'\xff\xd8', b'\xff\xd9'
JPEG_MARKER, JPEG_SCAN = 0xFF, 0xDA
# Without a length. None belongs before the frame: read as if it had one, whatever it hides would
# be leapt over here and found by the decoder.
JPEG_BARE = {0x00, 0x01, *range(0xD0, 0xDA)}
# Which begin a frame: all of this row but Huffman tables, extensions and arithmetic tables.
JPEG_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Metadata can fill some hundred segments of 64 KiB. A frame may be told in scans, each of which
# makes the decoder go over all of it: common encoders use 10.
MOST_SEGMENTS, MOST_SCANS = 1000, 100


@dataclass(frozen=True, slots=True)
class Header:
    """What is needed to decide whether to decode.

    Args:
        codec: `JPEG` or `PNG`.
        height: In pixels.
        width: In pixels.
        bits: Of a number.
        coloured: Whether there is more than grey.

    """

    codec: str
    height: int
    width: int
    bits: int
    coloured: bool


def read_header(data: bytes) -> Header:
    """Return what the bytes of a picture say of it.

    Raises:
        MessageError: They are no JPEG or PNG, or end before they say it.

    """
    if data.startswith(PNG_SIGNATURE):
        return _png(data)
    if data.startswith(JPEG_SIGNATURE):
        return _jpeg(data)
    raise MessageError(f'data begins with {data[:8]!r}, expected a JPEG or a PNG')


def _png(data: bytes) -> Header:
    numbers = data[PNG_SIZE : PNG_SIZE + 10]
    if len(numbers) < 10 or data[PNG_SIZE - 4 : PNG_SIZE] != PNG_HEADER:
        raise MessageError('data is a PNG without a header: it is damaged')
    width, height = (int.from_bytes(numbers[i : i + 4]) for i in (0, 4))
    return Header(PNG, height, width, numbers[8], numbers[9] in PNG_COLOURED)


def _jpeg(data: bytes) -> Header:
    # Damaged data is decoded as far as it goes, and the rest grey: the model would see a scene.
    if not data.rstrip(b'\0').endswith(JPEG_END):
        raise MessageError('data is a JPEG without an end: it is damaged')
    scans = data.count(bytes((JPEG_MARKER, JPEG_SCAN)))
    if scans > MOST_SCANS:
        raise MessageError(f'data is a JPEG of {scans} scans, expected at most {MOST_SCANS}')
    place = len(JPEG_SIGNATURE)
    for _ in range(MOST_SEGMENTS):
        if len(data) < place + 10 or data[place] != JPEG_MARKER:
            break
        kind = data[place + 1]
        if kind in JPEG_FRAMES:
            height, width = (int.from_bytes(data[place + i : place + i + 2]) for i in (5, 7))
            return Header(JPEG, height, width, data[place + 4], data[place + 9] > 1)
        if kind == JPEG_SCAN or kind in JPEG_BARE:
            break
        # Any number of fill bytes may stand before a marker.
        place += 1 if kind == JPEG_MARKER else 2 + int.from_bytes(data[place + 2 : place + 4])
    raise MessageError('data is a JPEG without a header: it is damaged')
