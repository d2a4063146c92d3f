"""What a PNG inflates to, counted before it is decoded: a few bytes can hold gigabytes."""

from __future__ import annotations

from collections.abc import Iterator
import zlib

from mmvae_controller.senses.errors import MessageError
from mmvae_controller.senses.headers import Header, PNG_SIGNATURE, PNG_SIZE

# Of a chunk: length and name before what it holds, and a checksum behind it.
BEFORE, BEHIND = 8, 4
PALETTE, PIXELS, END = b'PLTE', b'IDAT', b'IEND'
# Behind width and height: bits, kind of colours, compression, filter, and whether interlaced.
BITS_AT, COLOURS_AT, INTERLACED_AT = 8, 9, 12
NUMBERS_OF = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # Of a pixel, by the kind of colours.
# The passes of an interlaced picture: first row and column, and how far it is to the next.
WHOLE = ((0, 0, 1, 1),)
PASSES = (
    (0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
    (1, 0, 2, 1),
)  # fmt: skip


def plain_png(data: bytes, header: Header) -> bytes:
    """Return a PNG of whose header the size was found to be right, without all but its pixels.

    What else a file carries, such as texts, profiles and more frames, inflates as well.

    Raises:
        MessageError: It does not hold exactly the pixels that it announces.

    """
    kept = list(_needed(data))
    if not kept or _name(kept[-1]) != END:
        raise damaged(data, header)
    numbers = data[PNG_SIZE:]
    wanted = _bytes_of_pixels(header, numbers)
    inflater = zlib.decompressobj()
    try:
        packed = b''.join(chunk[BEFORE:-BEHIND] for chunk in kept if _name(chunk) == PIXELS)
        # With one more than wanted, a stream that holds more is told from one that ends.
        inflated = len(inflater.decompress(packed, wanted + 1))
    except zlib.error as error:
        raise damaged(data, header) from error
    if inflated > wanted or inflater.unused_data:
        raise MessageError(
            f'PNG holds more than the {wanted} bytes of its {header.width} x {header.height} '
            'pixels: it is damaged, or made to fill the memory'
        )
    if inflated < wanted or not inflater.eof:
        raise damaged(data, header)
    return PNG_SIGNATURE + b''.join(kept)


def damaged(data: bytes, header: Header) -> MessageError:
    """Return what to raise of a picture that is not whole."""
    return MessageError(f'{header.codec} of {len(data)} bytes cannot be decoded: it is damaged')


def _needed(data: bytes) -> Iterator[bytes]:
    """Yield the chunks without which there is no picture, up to the last one that is whole.

    Of headers the first, which was looked at: another one could announce another size.
    """
    place = len(PNG_SIGNATURE)
    while place + BEFORE + BEHIND <= len(data):
        end = place + BEFORE + int.from_bytes(data[place : place + 4]) + BEHIND
        chunk = data[place:end]
        if end > len(data):
            return
        if place == len(PNG_SIGNATURE) or _name(chunk) in (PALETTE, PIXELS, END):
            yield chunk
        if _name(chunk) == END:
            return
        place = end


def _name(chunk: bytes) -> bytes:
    return chunk[4:BEFORE]


def _bytes_of_pixels(header: Header, numbers: bytes) -> int:
    bits = numbers[BITS_AT] * NUMBERS_OF.get(numbers[COLOURS_AT], 0)
    interlaced = numbers[INTERLACED_AT : INTERLACED_AT + 1] == b'\1'
    total = 0
    for row, column, row_step, column_step in PASSES if interlaced else WHOLE:
        rows = len(range(row, header.height, row_step))
        columns = len(range(column, header.width, column_step))
        # Each row begins with the name of its filter; a pass without columns has no rows.
        total += rows * (1 + -(-columns * bits // 8)) if columns else 0
    return total
