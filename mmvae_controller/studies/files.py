"""The folder of a study, which has one kind; its files, written whole or not at all."""

from __future__ import annotations

from contextlib import suppress
from enum import StrEnum
import io
import json
import os
from pathlib import Path
from typing import Any, TYPE_CHECKING

from mmvae_controller.modality.whole_files import write_whole
from mmvae_controller.studies.errors import StudyError

if TYPE_CHECKING:
    # Workers write as well, and draw nothing.
    from matplotlib.figure import Figure

PROBE = '.probe'
KIND_FILE, KIND = 'study.json', 'kind'


class Kind(StrEnum):
    """The studies."""

    KL_SCHEDULES = 'kl_schedules'
    BIDIRECTIONAL = 'bidirectional'


# By what a folder is known that was begun before its kind was recorded.
TRACES = {
    Kind.KL_SCHEDULES: ('groups/*.json', 'states/*.safetensors'),
    Kind.BIDIRECTIONAL: ('*-seed*/curve.json', '*-seed*/training.safetensors'),
}


def prepare_folder(path: Path, kind: Kind) -> None:
    """Make the folder of a study if it is not there, and record its kind.

    Raises:
        StudyError: It cannot be written, or holds a study of another kind.

    """
    check_folder(path, kind)
    require_folder(path)
    if not (path / KIND_FILE).exists():
        write_json(path / KIND_FILE, {KIND: kind})


def check_folder(path: Path, kind: Kind) -> None:
    """Check that a folder can be prepared, and leave nothing behind.

    Raises:
        StudyError: It cannot be written, or holds a study of another kind.

    """
    require_kind(path, kind)
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    require_folder(path)
    with suppress(OSError):  # Somebody else has put something there.
        for folder in made:
            folder.rmdir()


def require_kind(path: Path, kind: Kind) -> None:
    """Refuse the folder of another study: tables and figures have the same names in all.

    Raises:
        StudyError: It holds a study of another kind.

    """
    for found in _kinds_of(path):
        if found != kind:
            raise StudyError(
                f'{path}: holds a study of the kind {found}, this one is {kind}: name another '
                'folder with --out'
            )


def _kinds_of(path: Path) -> list[str]:
    """Return what is recorded, else what the files in a folder are those of."""
    record = path / KIND_FILE
    if not record.is_file():
        return [k for k, traces in TRACES.items() if any(any(path.glob(t)) for t in traces)]
    try:
        return [str(json.loads(record.read_text(encoding='utf-8'))[KIND])]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StudyError(f'{record}: cannot be read: {error}; remove it') from error


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
    try:
        write_whole(path, content)
    except OSError as error:
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
