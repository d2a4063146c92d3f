"""Opens whatever the command line names as a data set."""

from __future__ import annotations

from pathlib import Path
import re
from typing import TYPE_CHECKING

from mmvae_controller.datasets.errors import DatasetError
from mmvae_controller.datasets.store import Dataset

if TYPE_CHECKING:
    from mmvae_controller.datasets.icub import IcubWindows

ICUB = 'icub'
PREFIXES = (ICUB,)
# A kind before the path; `./a:b` and `/a:b` are paths.
SPEC = re.compile(r'(?P<prefix>[^/:]+):(?P<path>.*)')


def open_windows(spec: str) -> Dataset | IcubWindows:
    """Open a data set.

    Args:
        spec: `icub:FILE` is a file of the published iCub data; all else the folder of a data set.

    Raises:
        DatasetError: The prefix is unknown, or what it names cannot be read.

    """
    found = SPEC.fullmatch(spec)
    if found is None:
        return Dataset(Path(spec))
    prefix, path = found['prefix'], found['path']
    if prefix not in PREFIXES:
        known = ', '.join(f'{p}:PATH' for p in PREFIXES)
        raise DatasetError(
            f'data set {spec!r}: unknown prefix {prefix!r}, expected {known} or a folder; '
            f'a folder of that name is ./{spec}'
        )
    if not path:
        raise DatasetError(f'data set {spec!r}: names no file, expected {prefix}:PATH')
    # Only here: it needs SciPy, which a folder does not.
    from mmvae_controller.datasets.icub import read_icub

    return read_icub(Path(path).expanduser())
