"""Which mmvae_controller runs, and whether the models that come with it answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
import os
from pathlib import Path
import sys

import mmvae_controller
from mmvae_controller.cli.doctor_packages import version_of
from mmvae_controller.cli.findings import Finding, Level

PACKAGE = mmvae_controller.__name__


def judge_package() -> Iterator[Finding]:
    """Say where it is imported from, and which others there are."""
    used = Path(mmvae_controller.__file__).resolve().parent
    prefixes = [Path(p) for p in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if p]
    yield Finding(PACKAGE, 'place', Level.OK, f'{kind_of_place(used, prefixes)}: {used}')
    hidden = [p for p in copies(sys.path) if p != used]
    if hidden:
        yield Finding(
            PACKAGE,
            'place',
            Level.NOTE,
            f'also in {", ".join(map(str, hidden))}, which is not used',
            f'remove what you do not mean: {sys.executable} -m pip uninstall {PACKAGE}, or the '
            'overlay of colcon that is sourced',
        )
    installed, own = version_of(PACKAGE), mmvae_controller.__version__
    if installed and installed != own:
        yield Finding(
            PACKAGE,
            'version',
            Level.NOTE,
            f'{own}, and pip knows {installed}',
            f'install it anew: {sys.executable} -m pip install --no-deps -e {used.parent}',
        )
    else:
        yield Finding(PACKAGE, 'version', Level.OK, own)


def kind_of_place(folder: Path, prefixes: Iterable[Path]) -> str:
    """Return what a folder of the package is: sources, an overlay of colcon, or installed.

    Args:
        folder: Of the package.
        prefixes: Of AMENT_PREFIX_PATH.

    """
    if (folder.parent / 'setup.py').is_file():
        return 'sources (a checkout, or an editable install)'
    inside = any(prefix.resolve() in folder.parents for prefix in prefixes)
    if inside and Path(sys.prefix).resolve() not in folder.parents:
        return 'an overlay of colcon'
    return 'installed'


def copies(path: Sequence[str], package: str = PACKAGE) -> list[Path]:
    """Return the folders of a package that `path` leads to, first the one that counts."""
    places = [Path(entry or os.curdir) / package for entry in path]
    found = [place.resolve() for place in places if (place / '__init__.py').is_file()]
    return list(dict.fromkeys(found))


def judge_models() -> Iterator[Finding]:
    """Say of each shipped model whether it loads and answers what it was asked when trained."""
    try:
        from mmvae_controller.control.network import Network
        from mmvae_controller.modality.shared_files import shipped_models
    # What is missing is named among the packages.
    except Exception as error:
        yield Finding('models', 'answers', Level.NOTE, f'not asked: {error}')
        return
    folders = shipped_models()
    if not folders:
        yield Finding(
            'models',
            'answers',
            Level.MISSING,
            'none is found beside the package',
            'install the package with its data: `pip install .` or `colcon build`',
        )
    for folder in folders:
        try:
            differs = Network(folder).differs
        # A damaged model or a broken onnxruntime: either is told.
        except Exception as error:
            yield Finding(
                folder.name,
                'answers',
                Level.MISSING,
                str(error),
                'is the file a pointer of git-lfs, or changed? check it out anew',
            )
            continue
        if differs:
            yield Finding(folder.name, 'answers', Level.NOTE, differs)
        else:
            yield Finding(folder.name, 'answers', Level.OK, 'as where it was trained')
