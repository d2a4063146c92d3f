"""Whether another node of one's own name lives in one's namespace: two would command one arm."""

from __future__ import annotations

import time

from diagnostic_msgs.msg import DiagnosticArray
from mmvae_controller.nodes.reporting.staleness import TOLD_PERIOD_S
from mmvae_controller.nodes.watch.listener import leave_graph, listener
from mmvae_controller.nodes.wire.qos import REPORT
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

# Of the words of a living node so many in a row are not missed.
HEARD_WITHIN_S = 5 * TOLD_PERIOD_S
# So long it takes a new node to see the others, with the profile of `mmvae up`.
SEEN_WITHIN_S = 1.0
LOOK_S = 0.02


def twins(node: Node, name: str, namespace: str) -> int:
    """Return how many nodes of a name are in a namespace; one that was killed is for 20 s."""
    wanted = (name, namespace)
    return sum(found == wanted for found in node.get_node_names_and_namespaces())


def await_twin(node: Node, born_s: float) -> None:
    """Wait until a new node would have seen another of its name.

    Args:
        node: Of that name.
        born_s: When it joined the graph, on a steady clock.

    """
    while time.monotonic() < born_s + SEEN_WITHIN_S:
        if twins(node, node.get_name(), node.get_namespace()) > 1:
            return
        time.sleep(LOOK_S)


def living_twin(node: Node) -> bool:
    """Tell whether another node of this name lives; where there is one in the graph, wait for it.

    Nothing of the node itself is heard: it is in a callback meanwhile.
    """
    if twins(node, node.get_name(), node.get_namespace()) < 2:
        return False
    prefix = f'{node.get_fully_qualified_name().lstrip("/")}: '
    heard: list[str] = []

    def hear(message: DiagnosticArray) -> None:
        heard.extend(s.name for s in message.status if s.name.startswith(prefix))

    ear = listener(f'{node.get_name()}_ear', node.get_namespace())
    executor = SingleThreadedExecutor(context=ear.context)
    try:
        ear.create_subscription(DiagnosticArray, '/diagnostics', hear, REPORT)
        executor.add_node(ear)
        until_s = time.monotonic() + HEARD_WITHIN_S
        while not heard and time.monotonic() < until_s:
            executor.spin_once(timeout_sec=0.05)
    finally:
        leave_graph(ear, executor)
    return bool(heard)
