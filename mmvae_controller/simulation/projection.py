"""From places in the world to pixels of two cameras, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
import math

from mmvae_controller.simulation.camera import CameraPose
import numpy as np
from numpy.typing import NDArray

UP = np.array([0.0, 0.0, 1.0])
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class View:
    """A camera that stands still: where, and the size of its picture in px."""

    pose: CameraPose
    height: int
    width: int

    def project(self, places_m: Vector) -> Vector:
        """Return the pixels `(..., 2)`, (u, v), of places `(..., 3)` before the camera.

        0 is the centre of the first pixel.
        """
        seen = (places_m - np.array(self.pose.eye)) @ _camera_matrix(self).T
        return np.asarray(seen[..., :2] / seen[..., 2:])

    def ray(self, pixel: Vector) -> Vector:
        """Return the unit vector `(3,)` along which a pixel `(2,)` looks."""
        direction = np.linalg.solve(_camera_matrix(self), np.append(pixel, 1.0))
        return np.asarray(direction / np.linalg.norm(direction))


@cache
def _camera_matrix(view: View) -> Vector:
    """Return the matrix `(3, 3)` from places beside the eye to pixels times their distance."""
    forward = np.array(view.pose.target) - np.array(view.pose.eye)
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, UP)
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(forward, right), forward])
    focal_px = view.height / 2 / math.tan(math.radians(view.pose.field_of_view_deg) / 2)
    # TinyRenderer looks through a corner of each pixel, the lower left one.
    middle = (view.width / 2, view.height / 2 - 1)
    lens = np.array([[focal_px, 0, middle[0]], [0, focal_px, middle[1]], [0, 0, 1]])
    return np.asarray(lens @ axes)


def project(views: Mapping[str, View], places_m: Vector) -> Vector:
    """Return the pixels `(..., 2V)` of places `(..., 3)` in V views, one after the other."""
    return np.concatenate([view.project(places_m) for view in views.values()], axis=-1)


def triangulate(views: Mapping[str, View], pixels: Vector) -> Vector:
    """Return the place `(3,)` m that is nearest to the rays through pixels `(2V,)`."""
    square, side = np.zeros((3, 3)), np.zeros(3)
    for view, pixel in zip(views.values(), pixels.reshape(-1, 2), strict=True):
        ray = view.ray(pixel)
        across = np.eye(3) - np.outer(ray, ray)
        square += across
        side += across @ np.array(view.pose.eye)
    return np.asarray(np.linalg.solve(square, side))
