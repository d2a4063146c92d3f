"""Finds the robots and models that come with the package, installed or in its sources."""

from __future__ import annotations

from pathlib import Path
import sys

from mmvae_controller.modality.errors import ModalityError

PACKAGE = 'mmvae_controller'


def shared_folders() -> list[Path]:
    """Return where config/ and models/ may lie: the source tree, colcon's share, pip's share."""
    folders = [Path(__file__).resolve().parents[2], Path(sys.prefix) / 'share' / PACKAGE]
    try:
        from ament_index_python.packages import get_package_share_directory

        folders.insert(0, Path(get_package_share_directory(PACKAGE)))
    except (ImportError, LookupError, OSError):
        pass  # Not a ROS installation, or the package is not in it: the other places remain.
    return folders


def find_robot(name: str) -> Path:
    """Return the robot YAML of a path, or of a name such as `iiwa_sim`.

    Raises:
        ModalityError: There is none.

    """
    return _find(name, 'robot', Path('config') / 'robots' / f'{name}.yaml')


def find_model(name: str) -> Path:
    """Return the model folder of a path, or of a name such as `touch_target`.

    Raises:
        ModalityError: There is none.

    """
    return _find(name, 'model', Path('models') / name)


def find_config(name: str) -> Path:
    """Return a file below config/.

    Raises:
        ModalityError: There is none.

    """
    return _find(name, 'file', Path('config') / name)


def _find(name: str, what: str, relative: Path) -> Path:
    if Path(name).exists():
        return Path(name)
    places = [folder / relative for folder in shared_folders()]
    for place in places:
        if place.exists():
            return place
    tried = ', '.join(str(p) for p in [Path(name), *places])
    raise ModalityError(f'no {what} {name!r}; looked at {tried}')
