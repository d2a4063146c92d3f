"""The watchdog: notices on a steady clock that the loop stands still."""

from __future__ import annotations


class Watchdog:
    """Expires when it was not fed for a while.

    It is told the time of a steady clock, so a frozen or jumping ROS clock cannot fool it.
    """

    def __init__(self, timeout_ns: int, now_ns: int) -> None:
        """Start as just fed."""
        self._timeout_ns = timeout_ns
        self._fed_ns = now_ns

    def feed(self, now_ns: int) -> None:
        """Note that the loop is alive."""
        self._fed_ns = now_ns

    def expired(self, now_ns: int) -> bool:
        """Tell whether the loop has stood still for longer than the timeout."""
        return now_ns - self._fed_ns > self._timeout_ns
