"""The signals that end a program: by an operator, a closed terminal, or a supervisor."""

from __future__ import annotations

from collections.abc import Callable
import signal
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


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
