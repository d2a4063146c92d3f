"""Subscriptions to one robot's topics, and the robots there are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from mmvae_controller.nodes.wire.qos import REPORT
from mmvae_controller.nodes.wire.topic_names import MATRIX, MATRIX_OF, PICTURE_OF, TOLD
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Float64MultiArray

IMAGE_TYPE = 'sensor_msgs/msg/Image'
Put = Callable[[Any, Any], None]


def namespaces(node: Node) -> list[str]:
    """Return the namespaces in which a matrix is published, `/` or `/robot1`."""
    found = [name for name, _ in _topics(node) if name.endswith(f'/{MATRIX}')]
    return sorted(
        name.removesuffix(MATRIX).rstrip('/') or '/'
        for name in found
        if node.count_publishers(name)
    )


class RobotTopics:
    """What is listened to in one namespace; messages go to `put` under a key."""

    def __init__(self, node: Node, namespace: str, put: Put) -> None:
        """Subscribe to the matrices and /diagnostics; `look` adds the cameras."""
        self._node, self._put = node, put
        self._root = f'{namespace.rstrip("/")}/'
        self._subscriptions: dict[Any, Any] = {}
        for kind, topic in MATRIX_OF.items():
            self._listen((MATRIX, kind), Float64MultiArray, f'{self._root}{topic}')
        self._subscriptions[TOLD] = node.create_subscription(
            DiagnosticArray, '/diagnostics', self._hear, REPORT
        )

    def look(self) -> None:
        """Subscribe to the cameras there are by now."""
        for topic, types in _topics(self._node):
            for kind, prefix in PICTURE_OF.items():
                modality = topic.removeprefix(f'{self._root}{prefix}')
                if modality != topic and '/' not in modality and IMAGE_TYPE in types:
                    self._listen((kind, modality), Image, topic)

    def close(self) -> None:
        """Unsubscribe."""
        for subscription in self._subscriptions.values():
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()

    def _hear(self, message: DiagnosticArray) -> None:
        # Every node tells of itself alone: each one's newest message has to wait.
        self._put((TOLD, message.status[0].name if message.status else ''), message)

    def _listen(self, key: Any, kind: type, topic: str) -> None:
        if key not in self._subscriptions:
            self._subscriptions[key] = self._node.create_subscription(
                kind, topic, partial(self._put, key), REPORT
            )


def _topics(node: Node) -> list[tuple[str, list[str]]]:
    # Ctrl+C ends the context before rqt closes its window.
    found: list[tuple[str, list[str]]] = []
    return node.get_topic_names_and_types() if node.context.ok() else found
