"""What is in a chunk of an MCAP file: compressed or not, whole, cut off or damaged."""

from __future__ import annotations

from binascii import crc32
import struct
import sys

from lz4.frame import LZ4FrameDecompressor
from mmvae_controller.recordings.mcap_records import Fields
from mmvae_controller.recordings.stored import Tell

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_CHUNK = struct.Struct('<QQQI')
STEP = 1 << 16


def unpacked(content: bytes, tell: Tell) -> bytes:
    """Return the records in a chunk: of one that is cut off those before the cut.

    Of one that is damaged there are none: what changed in it cannot be told from what did not.
    """
    try:
        _, _, size, checksum = _CHUNK.unpack_from(content)
        fields = Fields(content, _CHUNK.size)
        compression, length = fields.text(), fields.number('<Q')
    except (struct.error, UnicodeDecodeError) as error:
        tell(f'has a damaged chunk, left out: {error}')
        return b''
    data = fields.rest(length)
    found, why = _decompressed(compression, data)
    if len(data) < length and len(found) < size:
        lost = f'{size - len(found)} of {size} bytes are not there'
        tell(f'has a damaged chunk, read as far as it goes: {lost}')
        return found
    if checksum and not why and crc32(found) != checksum:
        why = 'wrong checksum'
    if why:
        tell(f'has a damaged chunk of {size} bytes, left out: {why}')
        return b''
    return found


def _decompressed(compression: str, data: bytes) -> tuple[bytes, str]:
    """Return what can be decompressed, and why not more; empty if all could."""
    if not compression:
        return data, ''
    makers = {'zstd': zstd.ZstdDecompressor, 'lz4': LZ4FrameDecompressor}
    if compression not in makers:
        return b'', f'it is compressed as {compression!r}, expected {" or ".join(makers)}'
    decompressor, found = makers[compression](), []
    try:
        # In pieces: what comes before a cut is kept.
        for begin in range(0, len(data), STEP):
            if decompressor.eof:
                break
            found.append(decompressor.decompress(data[begin : begin + STEP]))
    except (zstd.ZstdError, RuntimeError) as error:
        return b''.join(found), str(error)
    return b''.join(found), ''
