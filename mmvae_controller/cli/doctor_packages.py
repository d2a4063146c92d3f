"""Which Python packages are there, and what needs those that are not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module, metadata
from importlib.util import find_spec
import sys

from mmvae_controller.cli.findings import Finding, Level

# As in setup.py.
OLDEST_PYTHON = (3, 11)
EVERYTHING = 'every command'
TRAINING, SIMULATION = 'training', 'simulation'
SETUP, SETUP_DEV = 'make setup', 'make setup-dev'


@dataclass(frozen=True, slots=True)
class Package:
    """A package that something needs.

    Args:
        module: What is imported.
        project: What is installed.
        needed_by: What does not work without.
        required: Whether a robot needs it; others are only looked for, which is quick.

    """

    module: str
    project: str
    needed_by: str
    required: bool = True

    @property
    def mended_by(self) -> str:
        """The commands that install it."""
        make = SETUP_DEV if self.needed_by == TRAINING else SETUP
        return f'{sys.executable} -m pip install {self.project}, or in a checkout `{make}`'


PACKAGES = (
    Package('numpy', 'numpy', EVERYTHING),
    Package('yaml', 'PyYAML', EVERYTHING),
    Package('typer', 'typer', 'the mmvae command'),
    Package('rich', 'rich', 'tables in a terminal'),
    Package('onnxruntime', 'onnxruntime', 'running a model'),
    Package('cv2', 'opencv-python-headless', 'reading pictures'),
    Package('PIL', 'pillow', 'pictures in reports'),
    Package('matplotlib', 'matplotlib', 'figures'),
    Package('pybullet', 'pybullet', SIMULATION, required=False),
    Package('torch', 'torch', TRAINING, required=False),
    Package('onnx', 'onnx', TRAINING, required=False),
    Package('onnxscript', 'onnxscript', TRAINING, required=False),
    Package('safetensors', 'safetensors', TRAINING, required=False),
    Package('scipy', 'scipy', TRAINING, required=False),
    Package('tensorboard', 'tensorboard', TRAINING, required=False),
    Package('rosbags', 'rosbags', TRAINING, required=False),
)


def judge_packages() -> Iterator[Finding]:
    """Say of Python and of each package whether it is there, and works where it must."""
    yield judge_python(sys.version_info[:2])
    for package in PACKAGES:
        yield _judge(package)


def judge_python(version: tuple[int, int]) -> Finding:
    """Say whether a version of Python, major and minor, is new enough."""
    text = '.'.join(map(str, version))
    if version >= OLDEST_PYTHON:
        return Finding('Python', 'version', Level.OK, text)
    oldest = '.'.join(map(str, OLDEST_PYTHON))
    return Finding(
        'Python',
        'version',
        Level.MISSING,
        f'{text}, expected {oldest} or newer',
        f'`make setup PYTHON=python{oldest}`, or an environment of that',
    )


def trouble(module: str) -> str:
    """Return why a module cannot be imported; empty if it can."""
    try:
        import_module(module)
    # A package that was built for another library can raise anything, such as OSError.
    except (Exception, SystemExit) as error:
        return f'{type(error).__name__}: {error}'
    return ''


def is_there(module: str) -> bool:
    """Tell whether a module is installed, without importing it."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def version_of(project: str) -> str:
    """Return the version of an installed project; empty if nobody says it."""
    try:
        return metadata.version(project)
    except metadata.PackageNotFoundError:
        return ''


def _judge(package: Package) -> Finding:
    if not is_there(package.module):
        return Finding(
            package.module,
            'package',
            Level.MISSING if package.required else Level.NOTE,
            f'is not installed; needed by {package.needed_by}',
            package.mended_by,
        )
    broken = trouble(package.module) if package.required else ''
    if broken:
        return Finding(
            package.module,
            'package',
            Level.MISSING,
            f'is installed and cannot be imported: {broken}',
            f'install it anew: {package.mended_by}',
        )
    found = version_of(package.project) or 'there'
    return Finding(package.module, 'package', Level.OK, f'{found}, for {package.needed_by}')
