"""Opens whatever the command line names as a data set."""

from __future__ import annotations

from pathlib import Path
import re
from typing import TYPE_CHECKING

from mmvae_controller.datasets.errors import DatasetError
from mmvae_controller.datasets.linear_world import LinearWindows, ROBOT
from mmvae_controller.datasets.store import Dataset

if TYPE_CHECKING:
    from mmvae_controller.datasets.icub import IcubWindows

ICUB = 'icub'
LINEAR = 'linear'
FORMS = {ICUB: 'icub:FILE', LINEAR: 'linear:ROWS[:SEED]'}
COUNTS = re.compile(r'(?P<rows>\d+)(:(?P<seed>\d+))?')
# A kind before the path; `./a:b` and `/a:b` are paths.
SPEC = re.compile(r'(?P<prefix>[^/:]+):(?P<path>.*)')


def open_windows(spec: str) -> Dataset | IcubWindows | LinearWindows:
    """Open a data set.

    Args:
        spec: `icub:FILE` is a file of the published iCub data, `linear:ROWS[:SEED]` draws from a
            world in which everything is known exactly; all else is the folder of a data set.

    Raises:
        DatasetError: The prefix is unknown, or what it names cannot be read.

    """
    found = SPEC.fullmatch(spec)
    if found is None:
        return Dataset(Path(spec))
    prefix, path = found['prefix'], found['path']
    if prefix not in FORMS:
        raise DatasetError(
            f'data set {spec!r}: unknown prefix {prefix!r}, expected {", ".join(FORMS.values())} '
            f'or a folder; a folder of that name is ./{spec}'
        )
    if prefix == LINEAR:
        return _linear(spec, path)
    if not path:
        raise DatasetError(f'data set {spec!r}: names no file, expected {FORMS[prefix]}')
    # Only here: it needs SciPy, which a folder does not.
    from mmvae_controller.datasets.icub import read_icub

    return read_icub(Path(path).expanduser())


def _linear(spec: str, numbers: str) -> LinearWindows:
    found = COUNTS.fullmatch(numbers)
    if found is None or int(found['rows']) < 1:
        raise DatasetError(f'data set {spec!r}: expected {FORMS[LINEAR]}, such as linear:20000')
    return ROBOT.draw(int(found['rows']), int(found['seed'] or 0))
