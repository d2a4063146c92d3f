"""Copies of files that cannot be read where they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path
from tempfile import gettempdir, TemporaryDirectory

from mmvae_controller.recordings.errors import NoRoomError

FULL = (ENOSPC, EDQUOT, EFBIG)


@contextmanager
def temporary(path: Path) -> Iterator[Path]:
    """Yield where a copy of a file may be written; it is gone afterwards.

    Raises:
        NoRoomError: There is no room for it.

    """
    try:
        with TemporaryDirectory() as folder:
            yield Path(folder, path.name)
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise NoRoomError(
            f'{path}: no room for a copy of it in {gettempdir()}: {error.strerror}; name a folder '
            'on another disk in the environment variable TMPDIR'
        ) from error
