"""Who listens to a recording that is played: a window, and somebody who is told what happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from mmvae_controller.control.window import ObservationWindow
from mmvae_controller.datasets.store import LABEL
from mmvae_controller.modality.robot import Robot
from mmvae_controller.recordings.tally import Tally
from mmvae_controller.recordings.topics import Topics
import numpy as np
from numpy.typing import NDArray


def measuring_window(robot: Robot) -> ObservationWindow:
    """Return the window of a robot that masks what is not measured, and predicts nothing."""
    return ObservationWindow(robot.modalities, robot.step_s, robot.min_contrast)


class Witness(Protocol):
    """Who is told what happens in a recording, and may look into the window."""

    def advance(self, now_ns: int, included: bool) -> None:
        """Let time pass: up to a moment, or to it, if that is included."""

    def sensed(self, name: str, stamp_ns: int) -> None:
        """Note that there was a sample of a sense."""

    def commanded(self, value: NDArray[np.float64], stamp_ns: int) -> None:
        """Note what was sent, in the quantity of the command."""

    def labelled(self, value: NDArray[np.float64] | None, stamp_ns: int) -> None:
        """Note what was right; None if only that it was told."""

    def cut(self, why: str, begins: str = '', apart: bool = True) -> None:
        """Note that what comes now follows nothing, and why it begins, if not for that reason.

        If it is not apart, it is more of the same all the same.
        """


@dataclass(frozen=True, slots=True)
class Ear:
    """Who listens to a recording.

    Args:
        robot: Whose senses.
        topics: How they are called.
        window: Gets the samples.
        witness: Is told what happens.
        tallies: By modality, what is counted.
        gap_ns: Nothing at all for longer is a cut.

    """

    robot: Robot
    topics: Topics
    window: ObservationWindow
    witness: Witness
    tallies: Mapping[str, Tally]
    gap_ns: int


def tallies_of(robot: Robot, topics: Topics) -> dict[str, Tally]:
    """Return a tally for each modality, and one for the labels if they have a topic."""
    topic_of = {name: topic for topic, names in topics.senses.items() for name in names}
    topic_of[robot.command.name] = topics.command
    found = {
        m.name: Tally(m.name, topic_of[m.name], topics.kinds[topic_of[m.name]][0], m.max_age_s)
        for m in robot.modalities
    }
    if topics.label:
        kinds = ' or '.join(topics.kinds[topics.label])
        found[LABEL] = Tally(LABEL, topics.label, kinds, robot.command.max_age_s)
    return found
