"""When a message was received: not when a busy node came to read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Receipts:
    """Tells when each sense's newest message came, on the clock that drives the loop.

    While a node is busy, messages wait for it. Taken as new when they are read, they would be
    fresh after any pause. The middleware notes on the system clock when they came.
    """

    def __init__(self, simulated: bool, period_ns: int, standstill_ns: int) -> None:
        """Start with nothing received.

        Args:
            simulated: Whether the loop's clock is simulated time.
            period_ns: Of the control loop.
            standstill_ns: Longer than this without a `beat`, the loop stands still.

        """
        self._tolerated_ns = period_ns if simulated else 0
        self._standstill_ns = standstill_ns
        self._last_ns: dict[str, int] = {}
        self._beat_ns: int | None = None
        self._told: set[str] = set()

    def beat(self, steady_ns: int) -> None:
        """Note that the loop runs, on a steady clock."""
        if self._stands_still(steady_ns):
            self._told.clear()
        self._beat_ns = steady_ns

    def stamp_ns(
        self, name: str, now_ns: int, waited_ns: int | None, steady_ns: int
    ) -> int | None:
        """Return when a message came, on the loop's clock; None if that cannot be told.

        Args:
            name: Of the sense.
            now_ns: On the loop's clock.
            waited_ns: What `waited_ns` says.
            steady_ns: Now, on a steady clock.

        """
        if waited_ns is None:
            # One message a sense can wait: the first after a pause may be as old as the pause.
            first = name not in self._told or self._stands_still(steady_ns)
            self._told.add(name)
            if first:
                return None
            waited_ns = 0
        if waited_ns <= self._tolerated_ns:
            # A wait is in real seconds, and simulated ones may be longer or shorter: what is
            # usual between two ticks is not told by them, only a pause.
            waited_ns = 0
        stamp_ns = now_ns - waited_ns
        last_ns = self._last_ns.get(name)
        if last_ns is not None and last_ns <= now_ns:
            # Two clocks are not read at one instant; an order turned round by that would look
            # like a clock that was set back.
            stamp_ns = max(stamp_ns, last_ns)
        self._last_ns[name] = stamp_ns
        return stamp_ns

    def _stands_still(self, steady_ns: int) -> bool:
        return self._beat_ns is None or steady_ns - self._beat_ns > self._standstill_ns


def waited_ns(info: Mapping[str, Any], system_ns: int) -> int | None:
    """Return how long a message waited to be read; None where the middleware does not tell.

    Args:
        info: What rclpy gives beside a message.
        system_ns: Now, on the system clock.

    """
    received_ns = info.get('received_timestamp')
    if not received_ns or received_ns < 0:
        return None
    # The system clock may have been set back in between.
    return max(0, system_ns - int(received_ns))
