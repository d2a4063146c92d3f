"""What the metadata of a bag says of its files: of use where it is there, and needed nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmvae_controller.recordings.stored import Tell
import yaml

METADATA = 'metadata.yaml'


def listed(bag: Path, tell: Tell) -> list[str]:
    """Return the names of the files of a bag as its metadata tells them."""
    paths = _information(bag / METADATA, tell).get('relative_file_paths')
    return [Path(str(p)).name for p in paths] if isinstance(paths, list) else []


def counted(bag: Path) -> int:
    """Return how many messages there should be; 0 if nobody says so."""
    count = _information(bag / METADATA, _ignored).get('message_count')
    return count if isinstance(count, int) else 0


def _information(metadata: Path, tell: Tell) -> Mapping[str, Any]:
    """Return what the metadata of a bag says; nothing if it says nothing."""
    if not metadata.is_file():
        tell(f'has no {METADATA}: the recording was interrupted, or it was lost; it is not needed')
        return {}
    try:
        content: Any = yaml.safe_load(metadata.read_text(encoding='utf-8'))
        return dict(content['rosbag2_bagfile_information'])
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError) as error:
        tell(f'{METADATA} cannot be read, and is not needed: {error!r}')
        return {}


def _ignored(text: str) -> None:
    """Nobody is told twice."""
