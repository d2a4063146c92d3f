"""Writes result files whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mmvae_controller.cli.errors import CliError


def write_text(path: Path, text: str) -> None:
    """Write a text file aside and put it in place.

    Raises:
        CliError: The disk is full or the place cannot be written.

    """
    aside = path.with_name(f'.{path.name}.part')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(text, encoding='utf-8')
        aside.replace(path)
    except OSError as error:
        raise CliError(f'{path}: cannot be written: {error.strerror}') from error


def write_json(path: Path, data: Any) -> None:
    """Write plain data as JSON; see `write_text`."""
    write_text(path, json.dumps(data, indent=2, allow_nan=False) + '\n')
