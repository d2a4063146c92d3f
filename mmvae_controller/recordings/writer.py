"""Writes a bag: MCAP, and readable as far as it goes whatever ends it."""

from __future__ import annotations

from binascii import crc32
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
import shutil
from types import TracebackType
from typing import cast, Literal

from mmvae_controller.recordings.decoding import full_name, USUAL
from mmvae_controller.recordings.errors import RecordingError
from rosbags.interfaces import Connection
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer, WriterError
from rosbags.rosbag2.storage_mcap import McapWriter
from rosbags.typesys import get_types_from_msg, get_typestore, TypesysError

# Read by ROS 2 from Humble on.
VERSION: Literal[8] = 8
# In a record of a chunk: behind its kind and length, two stamps and a size.
CHECKSUM_AT = 9 + 3 * 8
# Returns the text of the definition of a type that is not a standard one; empty if nobody has it.
Define = Callable[[str], str]


class _Checked(McapWriter):
    """Writes the checksum of each chunk, which rosbags leaves out: by it damage is noticed."""

    def close_chunk(self) -> None:
        place, checksum = self.bio.tell(), crc32(self.chunk.bio.getbuffer())
        super().close_chunk()
        end = self.bio.tell()
        self.bio.seek(place + CHECKSUM_AT)
        self.bio.write(checksum.to_bytes(4, 'little'))
        self.bio.seek(end)


class _Writer(Writer):
    STORAGE_PLUGINS = {StoragePlugin.MCAP: _Checked}  # noqa: RUF012


class BagWriter:
    """Writes raw messages; what was flushed stays readable if the process is killed.

    A chunk is written when it has a megabyte, and at each `flush`. No more than that is in memory.
    """

    def __init__(self, path: Path, compressed: bool = False, define: Define | None = None) -> None:
        """Begin a bag.

        Args:
            path: Of its folder, which must not exist.
            compressed: Whether its chunks are compressed, with zstd.
            define: Asked about types that are no standard ones.

        Raises:
            RecordingError: It exists, or cannot be written.

        """
        self.path = path
        self.messages = 0
        self._define = define
        self._store = get_typestore(USUAL)
        self._connections: dict[tuple[str, str], Connection] = {}
        try:
            self._writer = _Writer(path, version=VERSION, storage_plugin=StoragePlugin.MCAP)
            if compressed:
                self._writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
            self._writer.open()
        except WriterError as error:
            raise RecordingError(f'{path}: is there already; name another with --out') from error
        except OSError as error:
            raise RecordingError(f'{path}: cannot be written: {error.strerror}') from error
        self._file = cast(_Checked, self._writer.storage)

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Complete the bag; after an error of its own leave it as it is."""
        if isinstance(error, RecordingError):
            self.abandon()
        else:
            self.close()

    def require(self, topic: str, kind: str) -> None:
        """Find out how a type is defined, before its first message is there to be lost.

        Raises:
            RecordingError: Nobody defines it, or a type of one of its fields.

        """
        name = full_name(kind)
        if name not in self._store.fielddefs:
            self._learn(kind)
        try:
            # What was learnt before may lack the type of a field.
            self._store.generate_msgdef(name, ros_version=2)
        except (KeyError, TypesysError) as error:
            raise RecordingError(f'{topic}: nobody defines {kind}: {error}') from error

    def write(self, topic: str, kind: str, stamp_ns: int, data: bytes | memoryview) -> None:
        """Write a message.

        Args:
            topic: Its absolute name.
            kind: Its type, such as `sensor_msgs/Image`.
            stamp_ns: When it was received.
            data: As it came off the wire (CDR).

        Raises:
            RecordingError: The disk is full, or nobody defines the type.

        """
        connection = self._connections.get((topic, kind))
        if connection is None:
            connection = self._connect(topic, kind)
        try:
            self._writer.write(connection, stamp_ns, data)
        except OSError as error:
            raise self._unwritten(error) from error
        self.messages += 1

    def flush(self) -> None:
        """Write what is held back.

        Raises:
            RecordingError: The disk is full.

        """
        try:
            if self._file.chunk.msgs:
                self._file.close_chunk()
            self._file.bio.flush()
        except OSError as error:
            raise self._unwritten(error) from error

    def close(self) -> None:
        """Complete the bag, once.

        Raises:
            RecordingError: The disk is full.

        """
        if self._writer.storage is None:
            return
        try:
            self._writer.close()
        except OSError as error:
            self.abandon()
            raise self._unwritten(error) from error

    def abandon(self) -> None:
        """Leave the bag as it is, without an end: it is read as far as it goes."""
        with suppress(Exception):
            self._writer.abort()

    def discard(self) -> None:
        """Remove the bag."""
        self.abandon()
        shutil.rmtree(self.path, ignore_errors=True)

    def _connect(self, topic: str, kind: str) -> Connection:
        self.require(topic, kind)
        connection = self._writer.add_connection(topic, full_name(kind), typestore=self._store)
        self._connections[topic, kind] = connection
        return connection

    def _learn(self, kind: str) -> None:
        """Take in the definition of a type, and of those in it."""
        text = self._define(kind) if self._define is not None else ''
        if not text:
            raise RecordingError(f'nobody defines {kind}: is its package installed?')
        try:
            found = get_types_from_msg(text, full_name(kind))
            self._store.register(
                {k: v for k, v in found.items() if k not in self._store.fielddefs}
            )
        except TypesysError as error:
            raise RecordingError(f'the definition of {kind} cannot be read: {error}') from error
        for _, fields in found.values():
            for name in {inner for _, form in fields for inner in _types_in(form)}:
                if name not in self._store.fielddefs:
                    self._learn(name.replace('/msg/', '/'))

    def _unwritten(self, error: OSError) -> RecordingError:
        return RecordingError(
            f'{self.path}: cannot be written: {error.strerror or error}; what was written before '
            'can be imported'
        )


def _types_in(form: object) -> list[str]:
    """Return the names of the messages in the type of a field, as rosbags describes it."""
    nature, inner = cast('tuple[object, object]', form)
    if getattr(nature, 'name', '') == 'NAME':
        return [str(inner)]
    if getattr(nature, 'name', '') in ('ARRAY', 'SEQUENCE'):
        return _types_in(cast('tuple[object, object]', inner)[0])
    return []
