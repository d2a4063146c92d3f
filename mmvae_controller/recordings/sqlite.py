"""The messages of a SQLite file in the order they were written, as far as it goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
import os
from pathlib import Path
import shutil
import sqlite3

from mmvae_controller.recordings.copying import temporary
from mmvae_controller.recordings.errors import RecordingError
from mmvae_controller.recordings.stored import CDR, Channel, kind_of, language_of, Stored, Tell

# What is in a journal is read along; where that would have to write, only the file itself is.
MODES = ('mode=ro', 'immutable=1')
_TOPICS = 'SELECT id, name, type, serialization_format FROM topics'
_DEFINITIONS = 'SELECT topic_type, encoded_message_definition, encoding FROM message_definitions'
_MESSAGES = 'SELECT id, topic_id, timestamp, data FROM messages ORDER BY id'
_ONE = 'SELECT id, topic_id, timestamp, data FROM messages WHERE id = ?'
# The size of a page stands before this byte (https://sqlite.org/fileformat.html).
PAGE_SIZE_END = 18
# So many damaged messages one after the other, and nothing more is looked for.
GIVE_UP_AFTER = 10000
# Number, topic, stamp and data: of a damaged one they can be anything.
Row = tuple[int, int, object, object]


def read_sqlite(path: Path, tell: Tell) -> Iterator[Stored]:
    """Yield what is stored; what cannot be read is told, and what comes after it is read.

    Args:
        path: Of the file; it is not written to.
        tell: Is told what was lost.

    Raises:
        RecordingError: It is no SQLite file with topics.
        NoRoomError: It has to be copied, for which there is no room.

    """
    left_over = _size(path) % _page_size(path)
    if not left_over:
        yield from _read(path, tell)
        return
    tell('ends in the middle of a page: it was cut off')
    with temporary(path) as whole:
        # SQLite would fill the rest of the page with zeros, and a set-point of zeros is no blank.
        shutil.copyfile(path, whole)
        os.truncate(whole, _size(whole) - left_over)
        yield from _read(whole, tell)


def _size(path: Path) -> int:
    return path.stat().st_size


def _page_size(path: Path) -> int:
    with path.open('rb') as stream:
        size = int.from_bytes(stream.read(PAGE_SIZE_END)[-2:], 'big')
    # As the format has it: 1 stands for what two bytes cannot hold.
    return max(1, 65536 if size == 1 else size)


def _read(path: Path, tell: Tell) -> Iterator[Stored]:
    connection, topics = _open(path, tell)
    yield from _messages(connection, topics, tell)


def _open(path: Path, tell: Tell) -> tuple[sqlite3.Connection, dict[int, Channel | None]]:
    trouble = ''
    for mode in MODES:
        connection = sqlite3.connect(f'{path.resolve().as_uri()}?{mode}', uri=True)
        try:
            # Else a file that is shorter than its first page says is not read at all.
            connection.execute('PRAGMA writable_schema=ON')
            topics = _topics(connection, tell)
            if trouble:
                tell(f'was left in the middle of a transaction ({trouble}): that is lost')
            return connection, topics
        except sqlite3.Error as error:
            connection.close()
            trouble = trouble or str(error)
    raise RecordingError(f'cannot be read as a SQLite bag: {trouble}')


def _topics(connection: sqlite3.Connection, tell: Tell) -> dict[int, Channel | None]:
    """Return the topics by number, None for those that are left out."""
    try:
        definitions = {row[0]: (row[1], row[2]) for row in connection.execute(_DEFINITIONS)}
    except sqlite3.OperationalError:
        definitions = {}  # Bags of Humble have no such table.
    found: dict[int, Channel | None] = {}
    for number, topic, kind, encoding in connection.execute(_TOPICS):
        if not (isinstance(topic, str) and isinstance(kind, str)):
            tell(f'names no topic {number}, or none of its type: left out')
            continue
        if encoding != CDR:
            tell(f'{topic} is encoded as {encoding!r}, expected {CDR!r}: left out')
            found[number] = None
            continue
        text, language = definitions.get(kind, ('', ''))
        found[number] = Channel(topic, kind_of(kind), text, language_of(language))
    return found


def _messages(
    connection: sqlite3.Connection, topics: Mapping[int, Channel | None], tell: Tell
) -> Iterator[Stored]:
    first = last = count = damaged = 0
    with closing(connection):
        for number, topic, stamp_ns, data in _rows(connection, tell):
            first, last, count = first or number, number, count + 1
            if topic in topics and isinstance(stamp_ns, int) and isinstance(data, bytes):
                if (channel := topics[topic]) is not None:
                    yield Stored(channel, stamp_ns, data)
            else:
                damaged += 1
    missing = last - first + 1 - count
    if missing or damaged:
        tell(f'lacks {missing} of the messages up to {last}, and {damaged} are damaged: left out')


def _rows(connection: sqlite3.Connection, tell: Tell) -> Iterator[Row]:
    """Yield the rows of messages in their order, and after damage those that are found."""
    last = 0
    try:
        for row in connection.execute(_MESSAGES):
            if isinstance(row[0], int):
                yield row
                last = row[0]
        return
    except sqlite3.Error as error:
        tell(f'is damaged after message {last}, what can be found of the rest is read: {error}')
    yield from _single(connection, last)


def _single(connection: sqlite3.Connection, last: int) -> Iterator[Row]:
    """Yield what is still there after some message, asked for one by one."""
    missed = 0
    while missed < GIVE_UP_AFTER:
        last += 1
        try:
            row = connection.execute(_ONE, (last,)).fetchone()
        except sqlite3.Error:
            row = None
        missed = 0 if row else missed + 1
        if row:
            yield row
