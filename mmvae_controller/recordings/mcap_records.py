"""An MCAP file as records: each of a kind, a length and a content (https://mcap.dev/spec)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
import struct
from typing import BinaryIO

MAGIC = b'\x89MCAP0\r\n'
FOOTER, SCHEMA, CHANNEL, MESSAGE, CHUNK = 0x02, 0x03, 0x04, 0x05, 0x06
CHUNK_INDEX, STATISTICS = 0x08, 0x0B
READ = frozenset({FOOTER, SCHEMA, CHANNEL, MESSAGE, CHUNK, CHUNK_INDEX, STATISTICS})
# None is defined between the last of the format and those that anybody may define.
LAST_DEFINED, FIRST_PRIVATE = 0x0F, 0x80
HEAD = struct.Struct('<BQ')
# A longer one is damaged: what follows it in the file must not fill the memory.
LARGEST = 1 << 29
PIECE = 1 << 24


@dataclass(frozen=True, slots=True)
class Record:
    """A record, or as much of it as there is.

    Args:
        kind: What it is.
        content: Empty if it is of no use here.
        place: Of its first byte.
        whole: Whether all of it is there, and what follows is where it should be.

    """

    kind: int
    content: bytes
    place: int
    whole: bool


def records(stream: BinaryIO) -> Iterator[Record]:
    """Yield the records from here on, up to and including the first that is not whole."""
    place = stream.tell()
    while len(head := stream.read(HEAD.size)) == HEAD.size:
        kind, size = HEAD.unpack(head)
        if not kind or LAST_DEFINED < kind < FIRST_PRIVATE:
            yield Record(kind, b'', place, False)
            return
        content, length = _read(stream, min(size, LARGEST), kind in READ)
        yield Record(kind, content, place, length == size)
        if length < size:
            return
        place += HEAD.size + size


def _read(stream: BinaryIO, size: int, kept: bool) -> tuple[bytes, int]:
    """Return what is there, if it is kept, and how much."""
    pieces, length = [], 0
    # A damaged length must not take all memory at once.
    while length < size and (piece := stream.read(min(size - length, PIECE))):
        length += len(piece)
        if kept:
            pieces.append(piece)
    return (pieces[0] if len(pieces) == 1 else b''.join(pieces)), length


class Fields:
    """Reads what follows each other in a record; raises struct.error where it is cut off."""

    def __init__(self, content: bytes, place: int = 0) -> None:
        """Begin at a place."""
        self._content, self._place = content, place

    def number(self, form: str) -> int:
        """Return a number, by its letter of `struct`."""
        value: int = struct.unpack_from(form, self._content, self._place)[0]
        self._place += struct.calcsize(form)
        return value

    def text(self) -> str:
        """Return a text, which has its length before it."""
        length = self.number('<I')
        if self._place + length > len(self._content):
            raise struct.error(f'a text of {length} bytes is cut off')
        return self.rest(length).decode()

    def rest(self, length: int) -> bytes:
        """Return so many bytes, or as many as there are."""
        found = self._content[self._place : self._place + length]
        self._place += length
        return found
