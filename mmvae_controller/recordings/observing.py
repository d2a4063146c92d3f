"""What a robot would have observed at some moments of a recording."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmvae_controller.control.window import ObservationWindow
from mmvae_controller.modality.observation import Observation
from mmvae_controller.modality.robot import Robot
from mmvae_controller.recordings.bag import read_bag
from mmvae_controller.recordings.decoding import Decoder
from mmvae_controller.recordings.ear import Ear, measuring_window, tallies_of
from mmvae_controller.recordings.receipt import ClockChoice
from mmvae_controller.recordings.replay import Replay
from mmvae_controller.recordings.survey import survey
from mmvae_controller.recordings.topics import Names, topics_of
import numpy as np
from numpy.typing import NDArray

NEVER_NS = 2**62


def observations(
    bag: Path,
    robot: Robot,
    stamps_ns: Sequence[int],
    names: Names | None = None,
    clock: ClockChoice = ClockChoice.AUTO,
    window: ObservationWindow | None = None,
) -> Iterator[Observation]:
    """Yield the two-step observation at each of some moments.

    Args:
        bag: Its folder or file.
        robot: Whose senses.
        stamps_ns: In order, on the clock that the robot ran on.
        names: How the topics are called.
        clock: Whose time the robot ran on.
        window: Into which it is played; else one that predicts nothing.

    Raises:
        RecordingError: There is no such bag, or no such clock in it.

    """
    window = measuring_window(robot) if window is None else window
    topics = topics_of(robot, names or Names())
    decoder, moments = Decoder(), _Moments(window, stamps_ns)
    found = survey(lambda: read_bag(bag, _ignored), robot, topics, decoder, clock)
    ear = Ear(robot, topics, window, moments, tallies_of(robot, topics), NEVER_NS)
    replay = Replay(ear, found, decoder)
    for message in found.order.put(read_bag(bag, _ignored)):
        replay.play(message)
        yield from moments.taken()
    moments.advance(NEVER_NS, True)
    yield from moments.taken()


class _Moments:
    """Reads the window at some moments."""

    def __init__(self, window: ObservationWindow, stamps_ns: Sequence[int]) -> None:
        self._window, self._due = window, deque(stamps_ns)
        self._seen: list[Observation] = []

    def taken(self) -> list[Observation]:
        seen, self._seen = self._seen, []
        return seen

    def advance(self, now_ns: int, included: bool) -> None:
        while self._due and (self._due[0] < now_ns or (included and self._due[0] == now_ns)):
            seen = self._window.read(self._due.popleft())
            values = {name: value.copy() for name, value in seen.values.items()}
            self._seen.append(Observation(seen.stamp_ns, values, seen.known, seen.age_s))

    def sensed(self, name: str, stamp_ns: int) -> None:
        """Nothing follows from it."""

    def commanded(self, value: NDArray[np.float64], stamp_ns: int) -> None:
        """Nothing follows from it."""

    def labelled(self, value: NDArray[np.float64] | None, stamp_ns: int) -> None:
        """Nothing follows from it."""

    def cut(self, why: str, begins: str = '', apart: bool = True) -> None:
        """Nothing follows from it: the window of a robot goes on."""


def _ignored(text: str) -> None:
    """Nobody is told what is lost."""
