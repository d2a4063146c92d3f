"""The executor of our nodes: waits for what is urgent, and looks now and then for the rest.

rclpy gathers every entity of a node anew for each wait. A lifecycle node has a dozen services for
parameters and transitions and two event handlers for each topic, which cost more than a control
tick. They may wait for a few hundredths of a second; samples, timers and a stop may not.
"""

from __future__ import annotations

from collections.abc import Sequence
import time
from typing import Any

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.service import Service

# How late the rest may be noticed.
REST_EVERY_S = 0.05


class Urgent:
    """A node as the executor sees it while it waits for what is urgent alone."""

    waitables: Sequence[Any] = ()

    def __init__(self, node: Node, services: Sequence[Service]) -> None:
        """Show a node without its services, but for some."""
        self._node = node
        self.services = tuple(services)

    def __getattr__(self, name: str) -> Any:
        """Return everything else as it is."""
        return getattr(self._node, name)


class UrgentFirstExecutor(SingleThreadedExecutor):
    """Serves subscriptions, timers, clients and urgent services at once, the rest in turn."""

    def __init__(self, node: Node, urgent: Sequence[Service] = ()) -> None:
        """Take a node, with those of its services that must not wait."""
        super().__init__(context=node.context)
        self.add_node(node)
        self._urgent = [Urgent(node, urgent)]
        self._rest_s = time.monotonic()

    def get_nodes(self) -> list[Any]:
        """Return what the next wait is for; rclpy asks before each."""
        now_s = time.monotonic()
        if now_s - self._rest_s < REST_EVERY_S:
            return list(self._urgent)
        self._rest_s = now_s
        return list(super().get_nodes())
