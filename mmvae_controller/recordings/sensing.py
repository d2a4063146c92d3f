"""Samples out of the raw messages of a recording."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmvae_controller.control.window import ObservationWindow
from mmvae_controller.modality.robot import Robot
from mmvae_controller.modality.spec import Modality
from mmvae_controller.recordings.decoding import Decoder, usual_fields
from mmvae_controller.recordings.stored import Stored
from mmvae_controller.recordings.tally import Tally
from mmvae_controller.recordings.topics import Topics
from mmvae_controller.senses.errors import MessageError
from mmvae_controller.senses.reading import read_sense
import numpy as np
from numpy.typing import NDArray


class Senses:
    """Messages become samples in a window, as in the controller node; the rest is counted."""

    def __init__(
        self,
        robot: Robot,
        topics: Topics,
        decoder: Decoder,
        window: ObservationWindow,
        tallies: Mapping[str, Tally],
    ) -> None:
        """Listen to the topics of a robot's senses."""
        self._robot, self._topics, self._decoder = robot, topics, decoder
        self._window, self._tallies = window, tallies
        self._modalities: dict[str, Modality] = {m.name: m for m in robot.modalities}

    def take(self, message: Stored, stamp_ns: int, now_s: float) -> list[str]:
        """Push the samples that a message carries; return their modalities.

        Args:
            message: On any topic.
            stamp_ns: When the robot would have received it.
            now_s: The same, on the time of the report.

        """
        taken = []
        for name in self._topics.senses.get(message.channel.topic, ()):
            tally = self._tallies[name]
            try:
                if message.channel.kind != tally.kind:
                    raise MessageError(f'is a {message.channel.kind}, expected a {tally.kind}')
                content = self._decoder.read(message.channel, message.data)
                value = self._read(content, name)
            except MessageError as error:
                tally.reject(str(error))
                continue
            tally.take(self._window.push(name, value, stamp_ns), now_s)
            taken.append(name)
        return taken

    def _read(self, content: Any, name: str) -> NDArray[np.generic]:
        with usual_fields():
            return read_sense(content, self._modalities[name], self._robot.sources[name])
