"""Finds the robots and models that come with the package, installed or in its sources."""

from __future__ import annotations

from pathlib import Path
import sys

from mmvae_controller.modality.errors import ModalityError

PACKAGE = 'mmvae_controller'
# What is simulated where no robot is named.
DEFAULT_ROBOT = 'iiwa_sim'


def shared_folders() -> list[Path]:
    """Return where config/ and models/ may lie: the source tree, colcon's share, pip's share."""
    folders = [Path(__file__).resolve().parents[2], Path(sys.prefix) / 'share' / PACKAGE]
    installed = share_of(PACKAGE)
    return [installed, *folders] if installed else folders


def share_of(package: str) -> Path | None:
    """Return the share folder of an installed ROS package; None if there is none."""
    try:
        from ament_index_python.packages import get_package_share_directory

        return Path(get_package_share_directory(package))
    except (ImportError, LookupError, OSError, ValueError):
        return None  # Not a ROS installation, or the package is not in it.


def find_robot(name: str) -> Path:
    """Return the robot YAML of a path, or of a name such as `iiwa_sim`.

    Raises:
        ModalityError: There is none.

    """
    return _find(name, 'robot', Path('config') / 'robots' / f'{name}.yaml')


def find_arm(name: str, beside: Path) -> Path:
    """Return the file of a simulated arm: a path from a folder, or a name such as `iiwa`.

    Raises:
        ModalityError: There is none.

    """
    shared = [folder / 'config' / 'arms' for folder in shared_folders()]
    places = [beside / name, *(folder / f'{name}.yaml' for folder in shared)]
    for place in places:
        if place.is_file():
            return place
    names = sorted({path.stem for folder in shared for path in folder.glob('*.yaml')})
    raise ModalityError(
        f'no arm {name!r}; there are {", ".join(names)}; looked at '
        f'{", ".join(str(place) for place in places)}'
    )


def shipped_models() -> list[Path]:
    """Return the folders of the models that come with the package, by name."""
    found = {
        path.parent.name: path.parent
        for folder in reversed(shared_folders())
        for path in folder.glob('models/*/model.yaml')
    }
    return [found[name] for name in sorted(found)]


def shipped_robots() -> list[str]:
    """Return the names of the robots that come with the package."""
    folders = shared_folders()
    return sorted({p.stem for folder in folders for p in folder.glob('config/robots/*.yaml')})


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


def find_shared(relative: str) -> Path:
    """Return a file that comes with the package, such as `docs/troubleshooting.md`.

    Raises:
        ModalityError: It is not installed.

    """
    places = [folder / relative for folder in shared_folders()]
    for place in places:
        if place.is_file():
            return place
    tried = ', '.join(str(place) for place in places)
    raise ModalityError(f'{relative} is not installed; looked at {tried}')


def _find(name: str, what: str, relative: Path) -> Path:
    if Path(name).exists():
        return Path(name)
    places = [folder / relative for folder in shared_folders()]
    for place in places:
        if place.exists():
            return place
    tried = ', '.join(str(p) for p in [Path(name), *places])
    raise ModalityError(f'no {what} {name!r}; looked at {tried}')
