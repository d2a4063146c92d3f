"""The signals that end a program: by an operator, a closed terminal, or a supervisor."""

from __future__ import annotations

from collections.abc import Callable
import signal
from types import FrameType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Leaving:
    """Turns the signals that end a program into a flag, until it is left."""

    def __init__(self, told: Callable[[], None] | None = None) -> None:
        """Install the handlers.

        Args:
            told: Called as well, in the handler.

        """
        self.asked = False
        self._told = told
        self._before = handle(self._handle)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Put back what the signals did before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        if self._told is not None:
            self._told()


def handle(handler: Callable[[int, FrameType | None], None]) -> dict[signal.Signals, Any]:
    """Have a function called for each of them, and return what was there before.

    A SIGHUP that nohup told us to ignore stays ignored: we were asked to outlive our terminal.
    """
    before: dict[signal.Signals, Any] = {}
    for number in SIGNALS:
        if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            continue
        before[number] = signal.signal(number, handler)
    return before
