"""Listens to whatever robot runs in a namespace, without its YAML or its model."""

from __future__ import annotations

from functools import partial
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from mmvae_controller.nodes.watch.listener import leave_graph, listener
from mmvae_controller.nodes.watch.watched import Command, Curve, told_by, Watched
from mmvae_controller.nodes.wire.qos import REPORT
from mmvae_controller.nodes.wire.topic_names import MATRIX
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import NodeNameNonExistentError
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64, Float64MultiArray
from trajectory_msgs.msg import JointTrajectory

STEERING = 'importance/precision_loss_command/'
CONTROLLER = 'controller'
LOOK_PERIOD_S = 1.0
COMMAND_TYPES: dict[str, type] = {
    'std_msgs/msg/Float64MultiArray': Float64MultiArray,
    'sensor_msgs/msg/JointState': JointState,
    'trajectory_msgs/msg/JointTrajectory': JointTrajectory,
}
# Best effort: a watcher on a bad link must not have the controller send anything twice. Deep
# enough to count what comes while the screen is drawn.
COMMANDS = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=200, reliability=ReliabilityPolicy.BEST_EFFORT
)


class Watcher:
    """A node that only listens; spun by hand, so that its owner stays in charge."""

    def __init__(self, namespace: str) -> None:
        """Start listening to `controller` and `diagnostics` of a namespace; finds their topics.

        Its signals stay with the caller: rclpy's own handlers would end the context at once.

        Raises:
            NamespaceError: It cannot be one.

        """
        self.watched = Watched(time.monotonic())
        self._namespace = f'/{namespace.strip("/")}'
        self._node = listener('top', namespace)
        self._executor = SingleThreadedExecutor(context=self._node.context)
        self._executor.add_node(self._node)
        self._curves: dict[str, Subscription] = {}
        self._command: Subscription | None = None
        self._looked_s = -LOOK_PERIOD_S
        self._node.create_subscription(
            DiagnosticArray, '/diagnostics', self._on_diagnostics, REPORT
        )

    def spin(self, duration_s: float) -> None:
        """Handle what comes for a while, and look for new topics once a second."""
        until_s = time.monotonic() + duration_s
        if time.monotonic() - self._looked_s >= LOOK_PERIOD_S:
            self._looked_s = time.monotonic()
            self._look()
        while (left_s := until_s - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left_s)

    def close(self) -> None:
        """Stop listening."""
        leave_graph(self._node, self._executor)

    def _look(self) -> None:
        topics = [topic for topic, _ in self._node.get_topic_names_and_types()]
        self.watched.namespaces = tuple(
            sorted(t.removesuffix(MATRIX).rstrip('/') or '/' for t in topics if is_matrix(t))
        )
        for topic in topics:
            modality = topic.removeprefix(f'{self._namespace.rstrip("/")}/{STEERING}')
            if topic != modality and modality not in self._curves:
                self._curves[modality] = self._node.create_subscription(
                    Float64, topic, partial(self._on_curve, modality), REPORT
                )
        self._look_for_command()

    def _look_for_command(self) -> None:
        """Listen to what the controller publishes that may move joints; its YAML named it."""
        node = self._node
        try:
            topics = node.get_publisher_names_and_types_by_node(CONTROLLER, self._namespace)
        except NodeNameNonExistentError:
            return
        found = sorted((t, k) for t, kinds in topics for k in kinds if k in COMMAND_TYPES)
        if not found or (self._command is not None and self._command.topic_name == found[0][0]):
            return
        if self._command is not None:
            self._node.destroy_subscription(self._command)
        topic, kind = found[0]
        self._command = self._node.create_subscription(
            COMMAND_TYPES[kind], topic, partial(self._on_command, topic), COMMANDS
        )

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        now_s = time.monotonic()
        for status in message.status:
            self.watched.statuses[status.name] = told_by(status, now_s)

    def _on_curve(self, modality: str, message: Float64) -> None:
        self.watched.steering[modality] = Curve(message.data, time.monotonic())

    def _on_command(self, topic: str, message: Any) -> None:
        unit, names, values = read_command(message)
        self.watched.obey(Command(topic, unit, names, values, time.monotonic()))


def is_matrix(topic: str) -> bool:
    """Tell whether a topic is the importance matrix of some namespace."""
    return topic.endswith(f'/{MATRIX}')


def read_command(message: Any) -> tuple[str, tuple[str, ...], tuple[float, ...]]:
    """Return unit, joint names and values of a joint command of any of `COMMAND_TYPES`.

    Where the message does not tell, they are positions: our controller commands no others.
    """
    if isinstance(message, Float64MultiArray):
        values = message.data
        return 'rad', tuple(str(i + 1) for i in range(len(values))), tuple(values)
    if isinstance(message, JointTrajectory):
        names = message.joint_names
        point = message.points[0] if message.points else None
        positions, velocities = (point.positions, point.velocities) if point else ([], [])
    else:
        names, positions, velocities = message.name, message.position, message.velocity
    unit, values = ('rad', positions) if len(positions) else ('rad/s', velocities)
    pairs = tuple(zip(names, values, strict=False))
    return unit, tuple(n for n, _ in pairs), tuple(v for _, v in pairs)
