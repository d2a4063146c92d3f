"""What came off the wire at once: put in the order of receipt, late or lost as it may be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mmvae_controller.control.window import NS

# So many messages, and bytes, are held at most. What is left then comes a little late.
MOST, MOST_BYTES = 1000, 1 << 26
SEQUENCE = 'publication_sequence_number'


@dataclass(frozen=True, slots=True)
class Received:
    """A message, and when the middleware received it."""

    stamp_ns: int
    topic: str
    kind: str
    data: bytes


class Batch:
    """Collects messages, and notes how late they are taken and which were missed."""

    def __init__(self, publishers: Callable[[str], int]) -> None:
        """Start with none.

        Args:
            publishers: Returns how many there are of a topic: each numbers its own messages.

        """
        self.latest_s = 0.0
        self.lost: Counter[str] = Counter()
        self._publishers = publishers
        self._messages: list[Received] = []
        self._bytes = 0
        self._numbers: dict[str, int] = {}

    @property
    def is_full(self) -> bool:
        """Whether it is to be taken before more is added."""
        return len(self._messages) >= MOST or self._bytes >= MOST_BYTES

    def add(
        self, topic: str, kind: str, data: bytes, info: Mapping[str, Any], now_ns: int
    ) -> None:
        """Take a message.

        Args:
            topic: Its absolute name.
            kind: Its type.
            data: As it came off the wire.
            info: What the middleware says of it.
            now_ns: By the clock of the machine.

        """
        # Not now: others may have been read before it, and came after it.
        stamp_ns = int(info.get('received_timestamp') or 0) or now_ns
        self.latest_s = max(self.latest_s, (now_ns - stamp_ns) / NS)
        self._messages.append(Received(stamp_ns, topic, kind, data))
        self._bytes += len(data)
        self._count(topic, info.get(SEQUENCE))

    def taken(self) -> list[Received]:
        """Return what there is in the order in which it was received, and start anew."""
        messages, self._messages, self._bytes = self._messages, [], 0
        return sorted(messages, key=lambda message: message.stamp_ns)

    def _count(self, topic: str, number: int | None) -> None:
        """Note what was missed, where the middleware numbers messages and one node sends them."""
        if not number:
            return
        missed = number - self._numbers.get(topic, number) - 1
        self._numbers[topic] = number
        if missed > 0 and self._publishers(topic) == 1:
            self.lost[topic] += missed
