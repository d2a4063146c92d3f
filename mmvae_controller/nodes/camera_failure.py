"""Covers the camera in the middle of the last episodes, and tells of each when it failed."""

from __future__ import annotations

import math

from mmvae_controller.nodes.camera_switch import CameraSwitch
from mmvae_controller.nodes.parameters import declare
from mmvae_controller.simulation.camera import CameraState
from mmvae_controller.simulation.errors import SimulationError
from rclpy.node import Node

COVER_AFTER_S = 0.4


class CameraFailure:
    """Fails on time, episode by episode; what is set while it runs counts as well."""

    def __init__(self, node: Node, switch: CameraSwitch, episodes: int) -> None:
        """Declare the parameters.

        Raises:
            SimulationError: More are to be covered than there are, or no time is.

        """
        self._switch = switch
        last = declare(
            node,
            'cover_last',
            0,
            'In so many of the last episodes the camera is covered midway; needs their number',
        )
        self._after_s = declare(
            node, 'cover_after_s', COVER_AFTER_S, 's of an episode, after which it is covered'
        )
        if not 0 <= last <= episodes:
            raise SimulationError(f'cover_last is {last}, expected 0 to {episodes}, the episodes')
        if not 0 <= self._after_s < math.inf:
            raise SimulationError(f'cover_after_s is {self._after_s}, expected 0 or more')
        self._covered = range(episodes - last, episodes)
        self.begin(0)

    def begin(self, episode: int) -> None:
        """Begin to watch over an episode."""
        self._due = episode in self._covered
        self._failure: tuple[CameraState, float] | None = None
        self._note(0.0)

    def watch(self, elapsed_s: float) -> None:
        """Cover the camera once its time has come: who then sets it otherwise has his way."""
        if self._due and elapsed_s >= self._after_s:
            self._due = False
            self._switch.cover()
        self._note(elapsed_s)

    def end(self) -> dict[str, object]:
        """Uncover the camera; return its first state but `works`, and since when, by name."""
        self._switch.restore()
        if self._failure is None:
            return {'camera': CameraState.WORKS}
        state, after_s = self._failure
        return {'camera': state, 'camera_failed_after_s': after_s}

    def _note(self, elapsed_s: float) -> None:
        if self._failure is None and self._switch.state is not CameraState.WORKS:
            self._failure = self._switch.state, elapsed_s
