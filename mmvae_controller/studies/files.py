"""Writes the files of a study whole or not at all."""

from __future__ import annotations

from contextlib import suppress
import io
import json
import os
from pathlib import Path
from typing import Any, TYPE_CHECKING

from mmvae_controller.studies.errors import StudyError

if TYPE_CHECKING:
    # Workers write as well, and draw nothing.
    from matplotlib.figure import Figure

PROBE = '.probe'


def require_folder(path: Path) -> None:
    """Make a folder if it is not there, and check that it can be written.

    Raises:
        StudyError: It cannot, or a file is in its place.

    """
    # Of its own for each process: several begin in one folder at once.
    probe = path / f'{PROBE}.{os.getpid()}'
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise StudyError(
            f'{path}: cannot be written: {error.strerror}; name a folder that can be, with --out'
        ) from error


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file aside and put it in place; leave nothing half-written.

    Raises:
        StudyError: The disk is full or the place cannot be written.

    """
    aside = path.with_name(f'.{path.name}.part')
    try:
        aside.write_bytes(content)
        aside.replace(path)
    except OSError as error:
        with suppress(OSError):
            aside.unlink()
        raise StudyError(
            f'{path}: cannot be written: {error.strerror}; make room or make it writable and '
            'call again: the study goes on where it was'
        ) from error


def write_text(path: Path, text: str) -> None:
    """Write a text file; see `write_bytes`."""
    write_bytes(path, text.encode())


def write_json(path: Path, data: Any) -> None:
    """Write plain data as JSON; see `write_bytes`."""
    write_text(path, json.dumps(data, indent=1, allow_nan=False) + '\n')


def write_figure(path: Path, figure: Figure, dpi: int) -> None:
    """Write a figure as PNG; see `write_bytes`."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format='png', dpi=dpi)
    write_bytes(path, drawn.getvalue())
