"""A fixed RGB camera, drawn by PyBullet's TinyRenderer so that it needs no screen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
import pybullet

NEAR_M = 0.1
FAR_M = 5.0


@dataclass(frozen=True, slots=True)
class CameraPose:
    """Where a camera stands and what it looks at, in m, and its vertical field of view."""

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    field_of_view_deg: float


class Camera:
    """Takes pictures `(height, width, 3)` uint8."""

    def __init__(self, client: int, pose: CameraPose, height: int, width: int) -> None:
        """Stand still at a pose."""
        self._client = client
        self._height, self._width = height, width
        self._view = pybullet.computeViewMatrix(pose.eye, pose.target, (0, 0, 1))
        self._projection = pybullet.computeProjectionMatrixFOV(
            pose.field_of_view_deg, width / height, NEAR_M, FAR_M
        )

    def picture(self) -> NDArray[np.uint8]:
        """Return what it sees now."""
        _, _, pixels, _, _ = pybullet.getCameraImage(
            self._width,
            self._height,
            self._view,
            self._projection,
            renderer=pybullet.ER_TINY_RENDERER,
            shadow=0,
            flags=pybullet.ER_NO_SEGMENTATION_MASK,
            physicsClientId=self._client,
        )
        picture = np.asarray(pixels, dtype=np.uint8).reshape(self._height, self._width, 4)
        return np.ascontiguousarray(picture[:, :, :3])
