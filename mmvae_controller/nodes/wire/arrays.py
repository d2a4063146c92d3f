"""Arrays with labelled dimensions as std_msgs multi-arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from std_msgs.msg import Float32MultiArray, Float64MultiArray, MultiArrayDimension

Labels = Sequence[tuple[str, Sequence[str]]]
M = TypeVar('M', Float32MultiArray, Float64MultiArray)


def labelled_array(kind: type[M], values: NDArray[Any], labels: Labels) -> M:
    """Return an array as a message, the meaning of each dimension and index in its label.

    Args:
        kind: Float32MultiArray or Float64MultiArray.
        values: Of any shape.
        labels: For each dimension its name and those of its indices, e.g.
            `('time', ('t-dt', 't'))`, which becomes the label `time: t-dt, t`.

    """
    message = kind()
    stride = values.size
    for size, (name, indices) in zip(values.shape, labels, strict=True):
        message.layout.dim.append(
            MultiArrayDimension(label=f'{name}: {", ".join(indices)}', size=size, stride=stride)
        )
        stride //= size
    message.data = np.asarray(values, dtype=np.float64).ravel().tolist()
    return message
