"""Hands messages from rclpy's threads to Qt's; only the newest of each topic waits."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
import time
from typing import Any

from mmvae_controller.rqt.qt import Qt, QtCore, Signal


class Mailbox(QtCore.QObject):
    """Never blocks, never grows, and never raises on rclpy's thread, which would end it."""

    _filled = Signal()

    def __init__(self, deliver: Callable[[float, Any, Any], None]) -> None:
        """Call `deliver(steady seconds of receipt, key, message)` on the thread that made this."""
        super().__init__()
        self._deliver = deliver
        self._waiting: dict[Any, tuple[float, Any]] = {}
        self._lock = Lock()
        self._closed = False
        self._filled.connect(self._empty, Qt.ConnectionType.QueuedConnection)

    def put(self, key: Any, message: Any) -> None:
        """Take a message, on any thread."""
        with self._lock:
            if self._closed:
                return
            first = not self._waiting
            self._waiting[key] = (time.monotonic(), message)
            # Inside the lock: after `close` Qt may already have deleted this object.
            if first:
                self._filled.emit()

    def close(self) -> None:
        """Let whatever still comes go."""
        with self._lock:
            self._closed = True
            self._waiting.clear()

    def _empty(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for key, (received_s, message) in waiting.items():
            self._deliver(received_s, key, message)
