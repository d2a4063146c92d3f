"""A bag of a robot that no node records: what its topics would have carried, in their order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmvae_controller.recordings.making import Maker
from mmvae_controller.recordings.topics import CLOCK
from mmvae_controller.recordings.writer import BagWriter
import numpy as np
from numpy.typing import NDArray

# What a demonstrator wanted, and which of it is an episode.
WANTED_TOPIC, MARK_TOPIC = 'joint_command_wanted', 'episode'
CAMERA_FRAME, WORLD_FRAME = 'camera', 'world'
# Messages of one moment come one after the other.
APART_NS = 1000


class Film:
    """Writes messages at moments of simulated time, which is the recorder's time as well."""

    def __init__(self, writer: BagWriter) -> None:
        """Begin with an empty bag."""
        self._writer, self._maker = writer, Maker()
        self._now_ns = self._count = 0

    def clock(self, now_ns: int) -> None:
        """Say what time it is; what follows happens then."""
        if now_ns != self._now_ns:
            self._now_ns, self._count = now_ns, 0
        self._put(CLOCK, self._maker.clock(now_ns))

    def camera(self, topic: str, picture: NDArray[np.uint8], stamp_ns: int) -> None:
        """Write a picture `(H, W, 3)` rgb."""
        self._put(topic, self._maker.image(picture, 'rgb8', stamp_ns, CAMERA_FRAME))

    def joints(
        self,
        topic: str,
        names: Sequence[str],
        position: NDArray[np.float64],
        velocity: NDArray[np.float64],
        stamp_ns: int,
    ) -> None:
        """Write where the joints are, rad, and how fast, rad/s."""
        self._put(topic, self._maker.joints(names, position, velocity, stamp_ns, WORLD_FRAME))

    def touch(self, topic: str, force: NDArray[np.float64], stamp_ns: int) -> None:
        """Write a force `(3,)` N."""
        self._put(topic, self._maker.force(force, stamp_ns, WORLD_FRAME))

    def command(self, topic: str, values: NDArray[np.float64]) -> None:
        """Write a set-point `(D,)`."""
        self._put(topic, self._maker.numbers(values))

    def mark(self, begins: bool) -> None:
        """Say that an episode begins or ends."""
        self._put(MARK_TOPIC, self._maker.flag(begins))

    def _put(self, topic: str, made: tuple[str, Any]) -> None:
        kind, data = made
        stamp_ns = self._now_ns + self._count * APART_NS
        self._count += 1
        self._writer.write(f'/{topic.lstrip("/")}', kind, stamp_ns, data)
