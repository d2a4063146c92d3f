"""The messages of an MCAP file in the order they were written, as far as it goes.

The reader of rosbags wants a file with its end, and sorts by stamp, which hides a clock that was
set back. Read from front to back, the summary at the end is needed only where something before it
is damaged: it repeats what the channels are, and says where the chunks begin.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO, SEEK_END
import struct
from typing import BinaryIO

from mmvae_controller.recordings.errors import RecordingError
from mmvae_controller.recordings.mcap_chunk import unpacked
from mmvae_controller.recordings.mcap_records import (
    CHANNEL,
    CHUNK,
    CHUNK_INDEX,
    Fields,
    FOOTER,
    HEAD,
    MAGIC,
    MESSAGE,
    records,
    SCHEMA,
    STATISTICS,
)
from mmvae_controller.recordings.stored import CDR, Channel, kind_of, language_of, Stored, Tell

_MESSAGE = struct.Struct('<HIQQ')
_INDEX = struct.Struct('<QQQQ')
_FOOTER = struct.Struct('<QQI')
# Of the end of a file, from the footer on.
END = HEAD.size + _FOOTER.size + len(MAGIC)
# Stamps are 64 bits without a sign, and no clock goes as far as half of that.
LATEST_NS = 2**63 - 1


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
    return _McapFile(stream, tell).messages()


@dataclass(slots=True)
class _Summary:
    """What the end of a file repeats."""

    channels: list[bytes] = field(default_factory=list)
    schemas: list[bytes] = field(default_factory=list)
    chunks: list[int] = field(default_factory=list)


class _McapFile:
    def __init__(self, stream: BinaryIO, tell: Tell) -> None:
        self._stream, self._tell = stream, tell
        self._schemas: dict[int, tuple[str, str, str]] = {}
        self._channels: dict[int, Channel | None] = {}
        self._summary: _Summary | None = None
        self._learnt = False
        self._count = self._unknown = self._counted = 0

    def messages(self) -> Iterator[Stored]:
        ended, place = False, 0
        while True:
            for record in records(self._stream):
                ended, place = record.kind == FOOTER and record.whole, record.place
                if record.kind == CHUNK:
                    yield from self._in_chunk(record.content)
                elif record.whole:
                    yield from self._take(record.kind, record.content)
            next_chunk = None if ended else self._chunk_after(place)
            if next_chunk is None:
                break
            self._tell(f'is damaged between its bytes {place} and {next_chunk}')
            place = self._stream.seek(next_chunk)
        if not ended:
            self._tell('has no end: the recording was interrupted, what is there is read')
        if self._unknown:
            self._tell(f'has {self._unknown} messages of topics that it does not name: left out')
        if self._count < self._counted:
            self._tell(f'counts {self._counted} messages, {self._count} of them were found')

    def _in_chunk(self, content: bytes) -> Iterator[Stored]:
        for part in records(BytesIO(unpacked(content, self._tell))):
            if part.whole:
                yield from self._take(part.kind, part.content)

    def _take(self, kind: int, content: bytes) -> Iterator[Stored]:
        try:
            if kind == SCHEMA:
                fields = Fields(content)
                number = fields.number('<H')
                self._schemas[number] = (fields.text(), fields.text(), fields.text())
            elif kind == CHANNEL:
                self._add_channel(Fields(content))
            elif kind == STATISTICS:
                self._counted = Fields(content).number('<Q')
            elif kind == MESSAGE:
                yield from self._message(content)
        except (struct.error, UnicodeDecodeError) as error:
            self._tell(f'has a damaged record of kind {kind}, left out: {error}')

    def _message(self, content: bytes) -> Iterator[Stored]:
        number, _, stamp_ns, _ = _MESSAGE.unpack_from(content)
        self._count += 1
        if number not in self._channels:
            self._learn()
        if number not in self._channels:
            self._unknown += 1
            return
        if stamp_ns > LATEST_NS:
            raise struct.error(f'its stamp is {stamp_ns} ns, expected at most {LATEST_NS}')
        channel = self._channels[number]
        if channel is not None:
            yield Stored(channel, stamp_ns, content[_MESSAGE.size :])

    def _add_channel(self, fields: Fields) -> None:
        number, schema = fields.number('<H'), fields.number('<H')
        topic, encoding = fields.text(), fields.text()
        if encoding != CDR:
            if number not in self._channels:
                self._tell(f'{topic} is encoded as {encoding!r}, expected {CDR!r}: left out')
            self._channels.setdefault(number, None)
        elif schema in self._schemas:
            name, language, definition = self._schemas[schema]
            self._channels[number] = Channel(
                topic, kind_of(name), definition, language_of(language)
            )

    def _learn(self) -> None:
        """Take in the channels that the end repeats, once: what defined them was damaged."""
        if self._learnt:
            return
        self._learnt = True
        summary = self._read_summary()
        for kind, contents in ((SCHEMA, summary.schemas), (CHANNEL, summary.channels)):
            for content in contents:
                list(self._take(kind, content))

    def _chunk_after(self, place: int) -> int | None:
        """Return where the next chunk begins, if the end of the file is there and says so."""
        return min((c for c in self._read_summary().chunks if c > place), default=None)

    def _read_summary(self) -> _Summary:
        """Return what the end repeats, if there is one; the stream stays where it is."""
        if self._summary is not None:
            return self._summary
        self._summary = found = _Summary()
        here = self._stream.tell()
        size = self._stream.seek(0, SEEK_END)
        self._stream.seek(max(0, size - END))
        end = self._stream.read(END)
        if len(end) == END and end.endswith(MAGIC) and HEAD.unpack_from(end)[0] == FOOTER:
            self._stream.seek(_FOOTER.unpack_from(end, HEAD.size)[0] or size)
            for record in records(self._stream):
                if record.kind == SCHEMA:
                    found.schemas.append(record.content)
                elif record.kind == CHANNEL:
                    found.channels.append(record.content)
                elif record.kind == CHUNK_INDEX and len(record.content) >= _INDEX.size:
                    found.chunks.append(_INDEX.unpack_from(record.content)[2])
        self._stream.seek(here)
        return found
