"""Publishes a node's statuses on /diagnostics: at a steady rate, and soon when a level changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from mmvae_controller.nodes.parameters import declare
from mmvae_controller.nodes.reporting.hysteresis import Hysteresis
from mmvae_controller.nodes.reporting.peers import last_word, Peers
from mmvae_controller.nodes.reporting.status import HELD, Level, NOW, show, Status
from mmvae_controller.nodes.wire.qos import LAST_WORDS, STATE
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

PUBLISH_PERIOD_NS = 500_000_000
# Levels are looked at more often than they are published.
CHECK_PERIOD_S = 0.05
# Trouble that comes and goes would never last: whatever is seen is shown, and falls late.
RAISE_AFTER_S = 0.0
CLEAR_AFTER_S = 1.0


class Updater:
    """One per node; runs on a steady clock, so it still speaks when /clock stands still."""

    def __init__(self, node: Node, read: Callable[[], Iterable[Status]]) -> None:
        """Start publishing what `read` returns, and who of the other nodes speaks.

        Args:
            node: Gets the parameters of the hysteresis.
            read: Returns the statuses as they are.

        Raises:
            ModalityError: A parameter makes no sense.

        """
        self.hardware_id = ''
        self._node = node
        self._read = read
        self._name = node.get_fully_qualified_name().lstrip('/')
        self._hysteresis = Hysteresis(
            declare(
                node,
                'raise_after_s',
                RAISE_AFTER_S,
                's, so long a worse level must last before /diagnostics shows it; 0 hides nothing',
            ),
            declare(
                node,
                'clear_after_s',
                CLEAR_AFTER_S,
                's, so long a better level must last before /diagnostics shows it',
            ),
        )
        self._peers = Peers(node)
        self._told: dict[str, tuple[Level, Level | None]] = {}
        self._published_ns = 0
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', STATE)
        self.timer = node.create_timer(
            CHECK_PERIOD_S, self.check, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    def publish(self) -> None:
        """Publish every status now."""
        self._send(self._shown())

    def check(self) -> None:
        """Publish every status if a level has changed or it is time to."""
        statuses = self._shown()
        due = time.monotonic_ns() - self._published_ns >= PUBLISH_PERIOD_NS
        if due or _levels(statuses) != self._told:
            self._send(statuses)

    def close(self) -> None:
        """Tell the other nodes that this one leaves."""
        self._send([last_word()])
        self._publisher.wait_for_all_acked(LAST_WORDS)

    def _shown(self) -> list[Status]:
        now_s = time.monotonic()
        statuses = (*self._read(), self._peers.status())
        return [self._hysteresis.show(status, now_s) for status in statuses]

    def _send(self, statuses: list[Status]) -> None:
        self._told = _levels(statuses)
        self._published_ns = time.monotonic_ns()
        message = DiagnosticArray(status=[self.message(s) for s in statuses])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)

    def message(self, status: Status) -> DiagnosticStatus:
        """Return a status as a message, under this node's name."""
        values = dict(status.values)
        if status.held is not None:
            values |= {HELD: True, NOW: status.held.name}
        return DiagnosticStatus(
            level=bytes([status.level]),
            name=f'{self._name}: {status.name}',
            message=status.line(),
            hardware_id=self.hardware_id,
            values=[KeyValue(key=k, value=show(v)) for k, v in values.items()],
        )


def _levels(statuses: list[Status]) -> dict[str, tuple[Level, Level | None]]:
    # New trouble is news also while the level is still held up by the last.
    return {s.name: (s.level, s.held) for s in statuses}
