"""A fixed RGB camera, drawn by PyBullet's TinyRenderer so that it needs no screen; it can fail."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mmvae_controller.simulation.physics import pybullet
import numpy as np
from numpy.typing import NDArray

NEAR_M = 0.1
FAR_M = 5.0
# Behind a lens cap, in grey levels: dark current, and the noise of the sensor around it. Chosen,
# after no sensor in particular; at high gain a real one is noisier.
DARK_LEVEL = 4.0
DARK_NOISE = 1.5
UINT8_MAX = 255
# Without shadows, which would take as long again; and TinyRenderer needs no screen.
DRAWING = {
    'renderer': pybullet.ER_TINY_RENDERER,
    'shadow': 0,
    'flags': pybullet.ER_NO_SEGMENTATION_MASK,
}


@dataclass(frozen=True, slots=True)
class CameraPose:
    """Where a camera stands and what it looks at, in m, and its vertical field of view."""

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    field_of_view_deg: float


# The robot's own camera.
CAMERA_POSE = CameraPose(eye=(1.6, 0.0, 1.35), target=(0.4, 0.0, 0.12), field_of_view_deg=46.0)


class CameraState(StrEnum):
    """What the camera delivers: pictures, darkness, or nothing."""

    WORKS = 'works'
    COVERED = 'covered'
    SILENT = 'silent'


class Camera:
    """Takes pictures `(height, width, 3)` uint8."""

    def __init__(self, client: int, pose: CameraPose, height: int, width: int) -> None:
        """Stand still at a pose."""
        self.state = CameraState.WORKS
        self._random = np.random.default_rng(0)
        self._client = client
        self._height, self._width = height, width
        self._view = pybullet.computeViewMatrix(pose.eye, pose.target, (0, 0, 1))
        self._projection = pybullet.computeProjectionMatrixFOV(
            pose.field_of_view_deg, width / height, NEAR_M, FAR_M
        )

    def read(self) -> NDArray[np.uint8] | None:
        """Return what it delivers now; None when it is silent."""
        if self.state is CameraState.SILENT:
            return None
        if self.state is CameraState.WORKS:
            return self.picture()
        return darkness((self._height, self._width, 3), self._random)

    def picture(self) -> NDArray[np.uint8]:
        """Return what stands before it, whatever its state."""
        _, _, pixels, _, _ = pybullet.getCameraImage(
            self._width,
            self._height,
            self._view,
            self._projection,
            physicsClientId=self._client,
            **DRAWING,
        )
        drawn = np.asarray(pixels, dtype=np.uint8).reshape(self._height, self._width, 4)
        picture = np.empty((self._height, self._width, 3), dtype=np.uint8)
        # NumPy copies a channel three times faster than three bytes of each pixel.
        for channel in range(3):
            picture[:, :, channel] = drawn[:, :, channel]
        return picture


def darkness(shape: tuple[int, ...], random: np.random.Generator) -> NDArray[np.uint8]:
    """Return what the sensor delivers behind a lens cap: dark current and its noise."""
    noise = random.normal(DARK_LEVEL, DARK_NOISE, shape)
    return np.clip(np.rint(noise), 0, UINT8_MAX).astype(np.uint8)
