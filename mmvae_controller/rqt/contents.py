"""What messages carry, as plain values; what does not fit is refused in one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mmvae_controller.nodes.reporting.status import Level, read_level, read_number
from mmvae_controller.rqt.errors import ContentError
import numpy as np
from numpy.typing import NDArray

# More rows could not be read, and one broken message must not keep the window busy.
MOST_MODALITIES = 32
CHANNELS_OF = {'rgb8': 3, 'bgr8': 3, 'mono8': 1}
# Of 255: the noise of a covered camera stays below.
BLACK = 16


@dataclass(frozen=True, slots=True)
class Matrix:
    """Numbers between modalities.

    Args:
        rows: Names, in the order of the network.
        columns: Names.
        nats: By row, then by column; NaN where nothing could be measured.

    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    nats: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture `(H, W, 3)`, red first, uint8."""

    rgb: NDArray[np.uint8]

    @property
    def black(self) -> bool:
        """Tell whether there is nothing to be seen in it."""
        return bool(self.rgb.max() < BLACK)


@dataclass(frozen=True, slots=True)
class Told:
    """One status of /diagnostics."""

    name: str
    level: Level
    message: str
    values: Mapping[str, str] = field(default_factory=dict)

    def number(self, key: str) -> float | None:
        """Return a value, or None if it is absent or no finite number."""
        return read_number(self.values.get(key, ''))


def read_matrix(
    labels: Sequence[str], sizes: Sequence[int], data: Sequence[float], offset: int = 0
) -> Matrix:
    """Return what a labelled multi-array carries.

    Args:
        labels: Of both dimensions: `without: camera, joints` and `loses: camera, joints`.
        sizes: Of both dimensions.
        data: Row by row.
        offset: Where in `data` it begins.

    Raises:
        ContentError: Labels, sizes and data do not fit together.

    """
    if len(labels) != 2:
        raise ContentError(f'the matrix has {len(labels)} dimensions, expected 2')
    names = [_names(label) for label in labels]
    for found, size in zip(names, sizes, strict=True):
        if not 0 < size <= MOST_MODALITIES:
            raise ContentError(f'the matrix has a size of {size}, expected 1 to {MOST_MODALITIES}')
        if len(found) != size:
            raise ContentError(f'the matrix has {len(found)} labels {found} for a size of {size}')
    values = list(data[offset:])
    rows, columns = names
    if len(values) != len(rows) * len(columns):
        raise ContentError(
            f'the matrix has {len(values)} numbers, expected {len(rows)} x {len(columns)}'
        )
    width = len(columns)
    nats = tuple(tuple(values[i * width : (i + 1) * width]) for i in range(len(rows)))
    return Matrix(rows, columns, nats)


def _names(label: str) -> tuple[str, ...]:
    _, found, names = label.partition(':')
    if not found:
        raise ContentError(f"the matrix has the label {label!r}, expected 'without: a, b'")
    return tuple(name.strip() for name in names.split(',') if name.strip())


def read_picture(encoding: str, height: int, width: int, step: int, data: object) -> Picture:
    """Return a picture from the fields of a sensor_msgs/Image; padded rows are fine.

    Raises:
        ContentError: An encoding that is not known, or sizes that do not fit together.

    """
    channels = CHANNELS_OF.get(encoding)
    if channels is None:
        raise ContentError(
            f'the picture has the encoding {encoding!r}, expected {", ".join(CHANNELS_OF)}'
        )
    row = width * channels
    flat = np.frombuffer(data, dtype=np.uint8)  # type: ignore[call-overload]
    if not (height and width) or step < row or flat.size != step * height:
        raise ContentError(
            f'the picture has {flat.size} bytes, step {step}, {width} x {height} pixels: '
            'they do not fit together'
        )
    pixels = flat.reshape(height, step)[:, :row].reshape(height, width, channels)
    if encoding == 'mono8':
        pixels = np.repeat(pixels, 3, axis=2)
    elif encoding == 'bgr8':
        pixels = pixels[:, :, ::-1]
    return Picture(np.ascontiguousarray(pixels))


def read_status(name: str, level: bytes, message: str, values: Iterable[tuple[str, str]]) -> Told:
    """Return a status; see `read_level`."""
    return Told(name, read_level(level), message, dict(values))
