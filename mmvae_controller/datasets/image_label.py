"""Image-label data in MNIST's idx format, plain or gzipped: MNIST, Fashion-MNIST.

    {train,t10k}-images-idx3-ubyte[.gz]  >IIII 2051, N, 28, 28; then N * 784 bytes
    {train,t10k}-labels-idx1-ubyte[.gz]  >II   2049, N; then N bytes, 0 to 9

A sample has one time step and no command, so it is no window of a robot.
"""

from __future__ import annotations

from dataclasses import dataclass
import gzip
import math
from pathlib import Path
import struct
import zlib

from mmvae_controller.datasets.errors import DatasetError
from mmvae_controller.modality.spec import Encoder, Modality, Role
import numpy as np
from numpy.typing import NDArray

# Where the Debian package lays them.
FASHION_MNIST = Path('/usr/share/datasets/fashion-mnist')
PACKAGE = 'dataset-fashion-mnist'
IMAGES_FILE, LABELS_FILE = '{part}-images-idx3-ubyte', '{part}-labels-idx1-ubyte'
TRAIN, TEST = 'train', 't10k'
# Two zero bytes, the type (8: unsigned bytes), the number of dimensions.
IMAGES_MAGIC, LABELS_MAGIC = 0x0803, 0x0801
SIDE = 28
CLASSES = 10
BRIGHTEST = 255.0
GZIPPED = b'\x1f\x8b'
# Nothing here grows old.
MAX_AGE_S = 1.0

IMAGE, LABEL = 'image', 'label'
PIXELS = tuple(f'pixel.{row}.{column}' for row in range(SIDE) for column in range(SIDE))
NAMES = tuple(f'class.{number}' for number in range(CLASSES))
MODALITIES = (
    Modality(IMAGE, Role.SENSE, Encoder.VECTOR, (SIDE * SIDE,), 'intensity', PIXELS, MAX_AGE_S),
    Modality(LABEL, Role.SENSE, Encoder.VECTOR, (CLASSES,), 'one-hot', NAMES, MAX_AGE_S),
)

Bytes = NDArray[np.uint8]
Values = NDArray[np.float32]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Training or test images with their labels.

    Args:
        pixels: `(N, 784)` brightness, 0 to 255, row by row.
        classes: `(N,)` 0 to 9.

    """

    pixels: Bytes
    classes: Bytes

    def __len__(self) -> int:
        """How many there are."""
        return len(self.classes)

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """Image and label, in the order of the mask rows."""
        return MODALITIES

    def batch(self, rows: Rows) -> dict[str, Values]:
        """Return images `(B, 1, 784)` in 0..1 and one-hot labels `(B, 1, 10)`."""
        images = self.pixels[rows].astype(np.float32) / np.float32(BRIGHTEST)
        labels = np.eye(CLASSES, dtype=np.float32)[self.classes[rows]]
        return {IMAGE: images[:, None], LABEL: labels[:, None]}


@dataclass(frozen=True, slots=True, eq=False)
class ImageLabel:
    """Both parts of a data set, as its publishers divided it."""

    train: Part
    test: Part

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """Image and label, in the order of the mask rows."""
        return MODALITIES


def read_image_label(folder: Path = FASHION_MNIST) -> ImageLabel:
    """Read the four files of a folder.

    Raises:
        DatasetError: One is missing, damaged, or does not fit the others.

    """
    wanted = [name.format(part=p) for p in (TRAIN, TEST) for name in (IMAGES_FILE, LABELS_FILE)]
    missing = [name for name in wanted if _find(folder, name) is None]
    if missing:
        advice = f'; to install it: apt install {PACKAGE}' if folder == FASHION_MNIST else ''
        raise DatasetError(f'{folder}: lacks {", ".join(missing)} (plain or .gz){advice}')
    return ImageLabel(_read_part(folder, TRAIN), _read_part(folder, TEST))


def _find(folder: Path, name: str) -> Path | None:
    places = (folder / name, folder / f'{name}.gz')
    return next((p for p in places if p.is_file()), None)


def _read_part(folder: Path, part: str) -> Part:
    images_path = _find(folder, IMAGES_FILE.format(part=part))
    labels_path = _find(folder, LABELS_FILE.format(part=part))
    if images_path is None or labels_path is None:
        raise DatasetError(f'{folder}: a file of the part {part!r} was removed while it was read')
    pixels = read_idx(images_path, IMAGES_MAGIC, (SIDE, SIDE))
    classes = read_idx(labels_path, LABELS_MAGIC, ())
    if len(pixels) != len(classes):
        raise DatasetError(
            f'{labels_path}: {len(classes)} labels for {len(pixels)} images of {images_path.name}'
        )
    if classes.max() >= CLASSES:
        row = int(np.argmax(classes >= CLASSES))
        raise DatasetError(
            f'{labels_path}: label {classes[row]} in row {row}, expected 0 to {CLASSES - 1}'
        )
    return Part(pixels.reshape(len(pixels), -1), classes)


def read_idx(path: Path, magic: int, shape: tuple[int, ...]) -> Bytes:
    """Return the unsigned bytes `(N, *shape)` of an idx file with N above 0.

    Raises:
        DatasetError: It cannot be read, is of another kind or shape, or of another length.

    """
    content = _content(path)
    header = struct.Struct(f'>{2 + len(shape)}I')
    if len(content) < header.size:
        raise DatasetError(f'{path}: {len(content)} bytes, its header alone has {header.size}')
    found, count, *sizes = header.unpack_from(content)
    if found != magic:
        raise DatasetError(f'{path}: magic number {found}, expected {magic}')
    if tuple(sizes) != shape:
        raise DatasetError(f'{path}: samples of shape {tuple(sizes)}, expected {shape}')
    if count == 0:
        raise DatasetError(f'{path}: holds no sample')
    expected = header.size + count * math.prod(shape)
    if len(content) != expected:
        raise DatasetError(
            f'{path}: {len(content)} bytes, expected {expected} for its {count} samples'
        )
    return np.frombuffer(content, np.uint8, offset=header.size).reshape(count, *shape)


def _content(path: Path) -> bytes:
    """Return the bytes of a file, unpacked if it is gzipped, whatever its name says."""
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content.startswith(GZIPPED) else content
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(f'{path}: cannot be read: {error}') from error
