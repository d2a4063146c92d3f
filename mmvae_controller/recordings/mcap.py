"""The messages of an MCAP file in the order they were written, as far as it goes.

The reader of rosbags wants a file with its end, and sorts by stamp, which hides a clock that was
set back. A file is records, each of a kind, a length and a content (https://mcap.dev/spec); the
index at its end is not needed to read it from front to back.
"""

from __future__ import annotations

from binascii import crc32
from collections.abc import Iterator
from io import BytesIO
import struct
import sys
from typing import BinaryIO

from lz4.frame import LZ4FrameDecompressor
from mmvae_controller.recordings.errors import RecordingError
from mmvae_controller.recordings.stored import CDR, Channel, kind_of, language_of, Stored, Tell

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAGIC = b'\x89MCAP0\r\n'
FOOTER, SCHEMA, CHANNEL, MESSAGE, CHUNK, DATA_END = 0x02, 0x03, 0x04, 0x05, 0x06, 0x0F
_HEAD = struct.Struct('<BQ')
_MESSAGE = struct.Struct('<HIQQ')
_CHUNK = struct.Struct('<QQQI')
# A damaged length must not take all memory at once.
PIECE = 1 << 24
Record = tuple[int, bytes, bool]


def read_mcap(stream: BinaryIO, tell: Tell) -> Iterator[Stored]:
    """Yield what is stored; what cannot be read is told, and what comes after it is read.

    Args:
        stream: At its beginning.
        tell: Is told what was lost.

    Raises:
        RecordingError: It is no MCAP file.

    """
    if stream.read(len(MAGIC)) != MAGIC:
        raise RecordingError('does not begin as an MCAP file')
    return _McapFile(tell).messages(stream)


class _McapFile:
    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._schemas: dict[int, tuple[str, str, str]] = {}
        self._channels: dict[int, Channel | None] = {}

    def messages(self, stream: BinaryIO) -> Iterator[Stored]:
        ended = False
        for kind, content, whole in _records(stream):
            if kind in (DATA_END, FOOTER):
                ended = True
                break
            if kind == CHUNK:
                for inner, part, part_whole in _records(self._chunk(content)):
                    if part_whole:
                        yield from self._take(inner, part)
            elif whole:
                yield from self._take(kind, content)
        if not ended:
            self._tell('has no end: the recording was interrupted, what is there is read')

    def _take(self, kind: int, content: bytes) -> Iterator[Stored]:
        try:
            if kind == SCHEMA:
                fields = _Fields(content)
                number = fields.number('<H')
                self._schemas[number] = (fields.text(), fields.text(), fields.text())
            elif kind == CHANNEL:
                self._add_channel(_Fields(content))
            elif kind == MESSAGE:
                number, _, stamp_ns, _ = _MESSAGE.unpack_from(content)
                channel = self._channels.get(number)
                if channel is not None:
                    yield Stored(channel, stamp_ns, content[_MESSAGE.size :])
        except (struct.error, UnicodeDecodeError) as error:
            self._tell(f'has a damaged record of kind {kind}, left out: {error}')

    def _add_channel(self, fields: _Fields) -> None:
        number, schema = fields.number('<H'), fields.number('<H')
        topic, encoding = fields.text(), fields.text()
        self._channels.setdefault(number, None)
        if encoding != CDR:
            self._tell(f'{topic} is encoded as {encoding!r}, expected {CDR!r}: left out')
        elif schema in self._schemas:
            name, language, definition = self._schemas[schema]
            self._channels[number] = Channel(
                topic, kind_of(name), definition, language_of(language)
            )

    def _chunk(self, content: bytes) -> BytesIO:
        """Return what is in a chunk: of one that is cut off or damaged, what comes before."""
        try:
            _, _, size, checksum = _CHUNK.unpack_from(content)
            fields = _Fields(content, _CHUNK.size)
            compression, length = fields.text(), fields.number('<Q')
        except (struct.error, UnicodeDecodeError):
            return BytesIO()
        found, why = _decompressed(compression, fields.rest(length))
        if not why and len(found) == size and checksum and crc32(found) != checksum:
            # What changed in it cannot be told from what did not.
            self._tell(f'has a damaged chunk of {size} bytes, left out: wrong checksum')
            return BytesIO()
        if why or len(found) < size:
            lost = why or f'{size - len(found)} of {size} bytes are not there'
            self._tell(f'has a damaged chunk, read as far as it goes: {lost}')
        return BytesIO(found)


class _Fields:
    """Reads what follows each other in a record."""

    def __init__(self, content: bytes, place: int = 0) -> None:
        self._content, self._place = content, place

    def number(self, form: str) -> int:
        value: int = struct.unpack_from(form, self._content, self._place)[0]
        self._place += struct.calcsize(form)
        return value

    def text(self) -> str:
        length = self.number('<I')
        if self._place + length > len(self._content):
            raise struct.error(f'a text of {length} bytes is cut off')
        return self.rest(length).decode()

    def rest(self, length: int) -> bytes:
        found = self._content[self._place : self._place + length]
        self._place += length
        return found


def _records(stream: BinaryIO) -> Iterator[Record]:
    """Yield kind, content and whether all of it is there; the last may be cut off."""
    while len(head := stream.read(_HEAD.size)) == _HEAD.size:
        kind, size = _HEAD.unpack(head)
        content = _read(stream, size)
        yield kind, content, len(content) == size
        if len(content) < size:
            return


def _read(stream: BinaryIO, size: int) -> bytes:
    pieces = []
    while size and (piece := stream.read(min(size, PIECE))):
        pieces.append(piece)
        size -= len(piece)
    return pieces[0] if len(pieces) == 1 else b''.join(pieces)


def _decompressed(compression: str, data: bytes) -> tuple[bytes, str]:
    """Return what can be decompressed, and why not more; empty if all could."""
    if not compression:
        return data, ''
    makers = {'zstd': zstd.ZstdDecompressor, 'lz4': LZ4FrameDecompressor}
    if compression not in makers:
        return b'', f'it is compressed as {compression!r}, expected {" or ".join(makers)}'
    decompressor, found = makers[compression](), []
    try:
        # In pieces: what comes before the damage is kept.
        for begin in range(0, len(data), 1 << 16):
            if decompressor.eof:
                break
            found.append(decompressor.decompress(data[begin : begin + (1 << 16)]))
    except (zstd.ZstdError, RuntimeError) as error:
        return b''.join(found), str(error)
    return b''.join(found), ''
