"""A place into which one process writes at a time."""

from __future__ import annotations

from contextlib import suppress
import errno
import fcntl
from io import FileIO
import os
from pathlib import Path

from mmvae_controller.datasets.errors import DatasetError

# What file systems say that know no locks.
NO_LOCKS = frozenset((errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS))

# Of the number of a process.
LONGEST = 32


class Alone:
    """Holds a lock beside a place; the system lets it go when the process ends, however it does.

    The file remains of one that was killed, and says nothing: only whether it is locked counts.
    """

    def __init__(self, place: Path) -> None:
        """Take the lock.

        Args:
            place: Into which nobody else is to write.

        Raises:
            DatasetError: Another process, or another thread of this one, holds it.
            OSError: It cannot be written.

        """
        self._path = place.with_name(f'.{place.name or "data"}.lock')
        self._file = self._taken(place)
        try:
            self._file.truncate(0)
            self._file.write(str(os.getpid()).encode())
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """Remove the lock, once."""
        if self._file.closed:
            return
        # Before it is let go: who comes next may have made another one of this name.
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
        self._file.close()

    def _taken(self, place: Path) -> FileIO:
        while True:
            file = FileIO(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644), 'r+')
            try:
                _lock(file, place)
                if self._is(file):
                    return file
            except BaseException:
                file.close()
                raise
            # Who had it has removed it meanwhile.
            file.close()

    def _is(self, file: FileIO) -> bool:
        try:
            return os.path.samestat(os.fstat(file.fileno()), self._path.stat())
        except FileNotFoundError:
            return False


def _lock(file: FileIO, place: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        number = file.read(LONGEST).decode(errors='replace')
        raise DatasetError(
            f'{place}: another run writes there (process {number or "unknown"}); wait for it, '
            'or name another with --out'
        ) from error
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
