"""When a message of a recording was received, on the clock that the robot ran on."""

from __future__ import annotations

from enum import StrEnum

from mmvae_controller.control.window import NS
from mmvae_controller.recordings.decoding import Decoder, usual_fields
from mmvae_controller.recordings.stored import Stored
from mmvae_controller.recordings.topics import CLOCK_KIND
from mmvae_controller.senses.errors import MessageError


class ClockChoice(StrEnum):
    """Whose time the robot ran on: that of `/clock` if it is recorded, unless one is named."""

    AUTO = 'auto'
    SIM = 'sim'
    BAG = 'bag'


class SimulatedTime:
    """The newest time told on a topic: what a node with `use_sim_time` would take for receipt."""

    def __init__(self, decoder: Decoder, topic: str) -> None:
        """Start before the first on a topic."""
        self._decoder, self.topic = decoder, topic
        self.now_ns: int | None = None

    def hears(self, message: Stored) -> bool:
        """Tell whether this message is the time, and take it."""
        if message.channel.topic != self.topic or message.channel.kind != CLOCK_KIND:
            return False
        try:
            time = self._decoder.read(message.channel, message.data)
            with usual_fields():
                self.now_ns = int(time.clock.sec) * NS + int(time.clock.nanosec)
        except MessageError:
            pass  # It is still what was told before.
        return True


class Unbroken:
    """Puts the moments of a clock on a time that goes on where the clock was set back.

    So moments before and after that are told apart.
    """

    def __init__(self) -> None:
        """Start before the first."""
        self.back_ns = 0
        self._last_ns: int | None = None

    def at(self, now_ns: int) -> int:
        """Return where the next moment is."""
        if self._last_ns is not None:
            self.back_ns += max(0, self._last_ns - now_ns)
        self._last_ns = now_ns
        return now_ns + self.back_ns
