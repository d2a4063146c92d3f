"""When a message of a recording was received, on the clock that the robot ran on."""

from __future__ import annotations

from enum import StrEnum

from mmvae_controller.control.window import NS
from mmvae_controller.recordings.decoding import Decoder
from mmvae_controller.recordings.stored import Stored
from mmvae_controller.recordings.topics import CLOCK, CLOCK_KIND
from mmvae_controller.senses.errors import MessageError


class ClockChoice(StrEnum):
    """Whose time the robot ran on: that of `/clock` if it is recorded, unless one is named."""

    AUTO = 'auto'
    SIM = 'sim'
    BAG = 'bag'


class SimulatedTime:
    """The newest `/clock`: what a node with `use_sim_time` would take for the time of receipt."""

    def __init__(self, decoder: Decoder) -> None:
        """Start before the first."""
        self._decoder = decoder
        self.now_ns: int | None = None

    def hears(self, message: Stored) -> bool:
        """Tell whether this message is the time, and take it."""
        if message.channel.topic != CLOCK or message.channel.kind != CLOCK_KIND:
            return False
        try:
            time = self._decoder.read(message.channel, message.data).clock
        except MessageError:
            return True
        self.now_ns = int(time.sec) * NS + int(time.nanosec)
        return True
