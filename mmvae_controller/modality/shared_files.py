"""Finds the robots and models that come with the package, installed or in its sources."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
import shlex
import sys

from mmvae_controller.modality.errors import ModalityError

PACKAGE = 'mmvae_controller'
# What is simulated where no robot is named.
DEFAULT_ROBOT = 'iiwa_sim'
ROBOTS, MODELS = Path('config') / 'robots', Path('models')
# What makes a folder a model.
CONTRACT_FILE = 'model.yaml'


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
    return _find(name, 'robot', ROBOTS / f'{name}.yaml', shipped_robots, Path.is_file)


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
        for path in folder.glob(f'models/*/{CONTRACT_FILE}')
    }
    return [found[name] for name in sorted(found)]


def shipped_robots() -> list[str]:
    """Return the names of the robots that come with the package."""
    folders = shared_folders()
    return sorted({p.stem for folder in folders for p in folder.glob('config/robots/*.yaml')})


def typed(path: Path) -> str:
    """Return how a robot YAML or a model folder is named on a command line, wherever one is.

    What comes with the package has a name there; of all else it is the path.
    """
    for folder in shared_folders():
        for place, name in ((folder / ROBOTS, path.stem), (folder / MODELS, path.name)):
            if path.is_absolute() and path.parent.resolve() == place.resolve():
                return shlex.quote(name)
    return shlex.quote(str(path))


def find_model(name: str) -> Path:
    """Return the model folder of a path, or of a name such as `touch_target`.

    Raises:
        ModalityError: There is none.

    """
    return _find(
        name,
        'model',
        MODELS / name,
        lambda: [m.name for m in shipped_models()],
        lambda path: (path / CONTRACT_FILE).is_file(),
    )


def find_config(name: str) -> Path:
    """Return a file below config/.

    Raises:
        ModalityError: There is none.

    """
    return _find(name, 'file', Path('config') / name, _settings, Path.is_file)


def _settings() -> list[str]:
    """Return the YAML files below config/ that are named by their way there."""
    folders = [folder / 'config' for folder in shared_folders()]
    kinds = ('train', 'study')
    found = {p.relative_to(f) for f in folders for k in kinds for p in f.glob(f'{k}/*.yaml')}
    return sorted(str(path) for path in found)


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


def _find(
    name: str,
    what: str,
    relative: Path,
    shipped: Callable[[], list[str]],
    fits: Callable[[Path], bool],
) -> Path:
    """Return what a path names; else what comes with the package; else whatever is there.

    A folder that happens to have the name of a shipped robot or model is not taken for one. What
    is neither is left to its reader, who says what is wrong with it.
    """
    path = Path(name)
    # A way out of the folder that it is looked for in leads to no file of that kind.
    places = [folder / relative for folder in shared_folders() if '..' not in path.parts]
    try:
        if fits(path):
            return path
        for place in places:
            if place.exists():
                return place
        if path.exists():
            return path
    except OSError as error:
        raise ModalityError(f'{what} {name!r}: {error.strerror or error}') from error
    is_name = path.name == name and not path.suffix
    tried = ', '.join(str(p) for p in ([path, *places] if is_name else [path.absolute()]))
    raise ModalityError(f'no {what} {name!r}{_instead(path, shipped())}; looked at {tried}')


def _instead(path: Path, shipped: list[str]) -> str:
    """Return what may be meant, beside it or in the package, as part of an error."""
    try:
        beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    except OSError:
        beside = []
    if near := get_close_matches(path.name, beside, 1):
        return f', is {path.parent / near[0]} meant?'
    by_stem = {Path(name).stem: name for name in shipped}
    if near := get_close_matches(path.stem, by_stem, 1):
        return f', is {by_stem[near[0]]} meant?'
    return f'; with the package come {", ".join(shipped)}' if shipped else ''
