"""Publishes a node's statuses on /diagnostics: at a steady rate, and soon when a level changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from mmvae_controller.nodes.qos import REPORT
from mmvae_controller.nodes.status import Level, show, Status
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

PUBLISH_PERIOD_NS = 500_000_000
# Levels are looked at more often than they are published.
CHECK_PERIOD_S = 0.1


class Updater:
    """One per node; runs on a steady clock, so it still speaks when /clock stands still."""

    def __init__(self, node: Node, read: Callable[[], Iterable[Status]]) -> None:
        """Start publishing what `read` returns."""
        self.hardware_id = ''
        self._node = node
        self._read = read
        self._name = node.get_fully_qualified_name().lstrip('/')
        self._levels: dict[str, Level] = {}
        self._published_ns = 0
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', REPORT)
        self._timer = node.create_timer(
            CHECK_PERIOD_S, self._check, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    def publish(self) -> None:
        """Publish every status now."""
        self._send(list(self._read()))

    def _check(self) -> None:
        statuses = list(self._read())
        levels = {s.name: s.level for s in statuses}
        due = time.monotonic_ns() - self._published_ns >= PUBLISH_PERIOD_NS
        if due or levels != self._levels:
            self._send(statuses)

    def _send(self, statuses: list[Status]) -> None:
        self._levels = {s.name: s.level for s in statuses}
        self._published_ns = time.monotonic_ns()
        message = DiagnosticArray(status=[self.message(s) for s in statuses])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)

    def message(self, status: Status) -> DiagnosticStatus:
        """Return a status as a message, under this node's name."""
        return DiagnosticStatus(
            level=bytes([status.level]),
            name=f'{self._name}: {status.name}',
            message=status.message,
            hardware_id=self.hardware_id,
            values=[KeyValue(key=k, value=show(v)) for k, v in status.values.items()],
        )
