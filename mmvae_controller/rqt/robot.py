"""Subscriptions to one robot's topics, and the robots there are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from mmvae_controller.nodes.qos import REPORT
from mmvae_controller.rqt.board import Board, IMAGINED, SEEN
from mmvae_controller.rqt.contents import read_status, Told
from mmvae_controller.rqt.words import ALONE, WITHOUT
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Float64MultiArray

MATRIX = 'importance/matrix'
MATRIX_OF = {WITHOUT: MATRIX, ALONE: 'importance/matrix_alone'}
PICTURE_OF = {SEEN: 'diagnostics/seen/', IMAGINED: 'diagnostics/prediction/'}
TOLD = 'told'
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


def pin(board: Board, received_s: float, key: Any, message: Any) -> None:
    """Put a message on the board."""
    kind, name = key
    if kind == TOLD:
        board.told(received_s, (_told(status) for status in message.status))
    elif kind == MATRIX:
        dims = message.layout.dim
        board.matrix_came(
            name,
            received_s,
            [d.label for d in dims],
            [d.size for d in dims],
            message.data,
            message.layout.data_offset,
        )
    else:
        size = (message.height, message.width, message.step)
        board.picture_came(kind, name, received_s, message.encoding, *size, message.data)


def _topics(node: Node) -> list[tuple[str, list[str]]]:
    # Ctrl+C ends the context before rqt closes its window.
    found: list[tuple[str, list[str]]] = []
    return node.get_topic_names_and_types() if node.context.ok() else found


def _told(status: Any) -> Told:
    return read_status(
        status.name, status.level, status.message, ((v.key, v.value) for v in status.values)
    )
