"""Writes files whole or not at all."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def aside_of(path: Path) -> Path:
    """Return where a file is written until it is whole."""
    return path.with_name(f'.{path.name}.part')


def write_whole(path: Path, content: bytes) -> None:
    """Write a file aside and put it in place; whatever interrupts that leaves the older one.

    Raises:
        OSError: The disk is full or the place cannot be written.

    """
    aside = aside_of(path)
    try:
        aside.write_bytes(content)
        aside.replace(path)
    except BaseException:
        with suppress(OSError):
            aside.unlink()
        raise
