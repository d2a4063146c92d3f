"""A node that only listens, in a context of its own: for commands that look at a robot."""

from __future__ import annotations

from mmvae_controller.nodes.starting import StartError, starting
import rclpy
from rclpy.exceptions import InvalidNamespaceException
from rclpy.executors import Executor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions


class NamespaceError(ValueError):
    """Not the name of a namespace."""


def listener(name: str, namespace: str) -> Node:
    """Return a node that publishes no log and has no services for its parameters.

    Its context is whoever's to shut down who asked for it; signals are left to the program.

    Raises:
        NamespaceError: It cannot be one.
        StartError: ROS 2 does not start here.

    """
    context = rclpy.Context()
    try:
        with starting():
            rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
            return Node(
                name,
                namespace=f'/{namespace.strip("/")}',
                context=context,
                enable_rosout=False,
                start_parameter_services=False,
            )
    except StartError:
        context.try_shutdown()
        raise
    except InvalidNamespaceException as error:
        context.try_shutdown()
        raise NamespaceError(
            f'namespace {namespace!r} is not valid: {str(error).splitlines()[0]}'
        ) from error


def leave_graph(node: Node, executor: Executor) -> None:
    """End a node of this kind, what spins it, and its context."""
    executor.shutdown()
    node.destroy_node()
    node.context.try_shutdown()
