"""Writes result files whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from errno import EISDIR
import json
from pathlib import Path
import shutil
from typing import Any

from mmvae_controller.cli.errors import CliError
from mmvae_controller.modality.whole_files import aside_of, write_whole


def require_place(path: Path) -> None:
    """Check, before work of minutes, that its result can be written; leave nothing behind.

    Raises:
        CliError: The place cannot be written.

    """
    aside = aside_of(path)
    try:
        if path.is_dir():
            raise IsADirectoryError(EISDIR, 'is a folder')
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.touch()
        aside.unlink()
    except OSError as error:
        raise CliError(f'{path}: cannot be written: {error.strerror}') from error


def require_new(folder: Path) -> None:
    """Check, before work of minutes, that a new folder can be made; leave nothing behind.

    Raises:
        CliError: It is there already, or its place cannot be written.

    """
    if folder.exists():
        raise CliError(f'{folder}: is there already; name a new folder')
    require_place(folder)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to fill, which is put in place once it is full; else nothing is left of it.

    Raises:
        CliError: The disk is full or the place cannot be written.

    """
    aside = aside_of(folder)
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        yield aside
        aside.replace(folder)
    except OSError as error:
        raise CliError(f'{folder}: cannot be written: {error.strerror}') from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file aside and put it in place.

    Raises:
        CliError: The disk is full or the place cannot be written.

    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError as error:
        raise CliError(f'{path}: cannot be written: {error.strerror}') from error


def write_text(path: Path, text: str) -> None:
    """Write a text file; see `write_bytes`."""
    write_bytes(path, text.encode())


def write_json(path: Path, data: Any) -> None:
    """Write plain data as JSON; see `write_text`."""
    write_text(path, json.dumps(data, indent=2, allow_nan=False) + '\n')


def require_own(out: Path, finished: str, state: str, what: str) -> None:
    """Refuse to write over what was shipped, copied or made elsewhere.

    Args:
        out: The folder to be written.
        finished: The file that a finished one has.
        state: The file from which a run of ours would go on.
        what: It is, for people.

    Raises:
        CliError: It is finished, and there is no state.

    """
    if (out / finished).exists() and not (out / state).exists():
        raise CliError(
            f'{out}: holds a finished {what} that this run did not make; name another folder '
            'with --out'
        )
