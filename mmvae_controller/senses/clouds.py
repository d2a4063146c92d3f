"""Points seen from above: a picture of the highest point in each cell."""

from __future__ import annotations

from typing import Any

from mmvae_controller.modality.pictures import HIGHEST, LOWEST, NO_RETURN
from mmvae_controller.modality.robot import Source
from mmvae_controller.modality.spec import Modality
from mmvae_controller.senses.errors import MessageError
import numpy as np
from numpy.typing import NDArray

# FLOAT32 and FLOAT64 of sensor_msgs/PointField.
_KIND_OF: dict[int, np.dtype[Any]] = {7: np.dtype(np.float32), 8: np.dtype(np.float64)}


def read_cloud(message: Any, modality: Modality, source: Source) -> NDArray[np.uint8]:
    """Return the height map `(H, W, 1)` of a sensor_msgs/PointCloud2.

    Points that are not finite are none.

    Raises:
        MessageError: It has no x, y, z, or bytes that do not fit to its fields and sizes.

    """
    wanted = source.heights
    assert wanted is not None, 'a Source of point clouds has a height map'
    rows, columns = modality.shape[:2]
    x, y, z = (_numbers(message, axis) for axis in 'xyz')
    x_min, x_max, y_min, y_max = wanted.area_m
    inside = (x >= x_min) & (x <= x_max) & (y >= y_min) & (y <= y_max) & np.isfinite(z)
    row = _cells((x_max - x[inside]) / (x_max - x_min), rows)
    column = _cells((y_max - y[inside]) / (y_max - y_min), columns)
    low, high = wanted.height_m
    share = (np.clip(z[inside], low, high) - low) / (high - low)
    levels = (LOWEST + np.rint(share * (HIGHEST - LOWEST))).astype(np.uint8)
    heights = np.full(rows * columns, NO_RETURN, dtype=np.uint8)
    np.maximum.at(heights, row * columns + column, levels)
    return heights.reshape(modality.shape)


def _numbers(message: Any, axis: str) -> NDArray[Any]:
    """Return one coordinate of all points `(height, width)`, not copied."""
    offset, kind = _place(message, axis)
    height, width, step = message.height, message.width, message.row_step
    if step < width * message.point_step:
        raise MessageError(
            f'row_step is {step} bytes, expected at least {width * message.point_step}'
        )
    if len(message.data) != step * height:
        raise MessageError(
            f'data has {len(message.data)} bytes, expected row_step x height = {step * height}'
        )
    if not height * width:
        return np.empty((0, 0))
    # Rows may be padded: row_step counts what lies in memory.
    strides = step, message.point_step
    return np.ndarray((height, width), kind, message.data, offset, strides)


def _place(message: Any, axis: str) -> tuple[int, np.dtype[Any]]:
    """Return where in a point a coordinate lies, and what it is."""
    found = [field for field in message.fields if field.name == axis]
    if len(found) != 1:
        names = [field.name for field in message.fields]
        raise MessageError(f'fields are {names}, expected one {axis} among them')
    field = found[0]
    kind = _KIND_OF.get(field.datatype)
    if kind is None or field.count != 1:
        raise MessageError(
            f'field {axis} has {field.count} numbers of datatype {field.datatype}, expected one '
            f'of {list(_KIND_OF)}: FLOAT32, FLOAT64'
        )
    end = field.offset + kind.itemsize
    if end > message.point_step:
        raise MessageError(
            f'field {axis} ends at byte {end}, expected at most point_step = {message.point_step}'
        )
    return field.offset, kind.newbyteorder('>' if message.is_bigendian else '<')


def _cells(share: NDArray[Any], count: int) -> NDArray[np.intp]:
    """Return which of `count` cells lies at a share of the way; the last one has its end too."""
    return np.asarray(np.minimum(share * count, count - 1), dtype=np.intp)
