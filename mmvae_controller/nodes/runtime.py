"""The one place that starts, spins and ends a node, whichever it is."""

from __future__ import annotations

from collections.abc import Callable
import gc
import sys
from typing import Protocol

from mmvae_controller.control.errors import ControlError
from mmvae_controller.guidance.exit_codes import ExitCode
from mmvae_controller.guidance.help import explained_by, Help
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.nodes.errors import RefusedError
from mmvae_controller.nodes.executor import UrgentFirstExecutor
from mmvae_controller.nodes.signals import Leaving
from mmvae_controller.nodes.starting import StartError, starting
from mmvae_controller.simulation.errors import SimulationError
import rclpy
from rclpy.exceptions import NameValidationException, ParameterException
from rclpy.executors import ExternalShutdownException
from rclpy.logging import get_logger
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

# A signal interrupts nothing inside the wait, so this is how late it may be noticed.
WAIT_S = 0.05
# One broken callback must not take the robot's controller away; a broken loop must not spin.
FAILURES_IN_A_ROW = 10
CONFIGURATION_ERRORS = (
    ModalityError,
    ControlError,
    SimulationError,
    ParameterException,
    NameValidationException,
)


class Runnable(Protocol):
    """What a node has besides being one."""

    def start(self) -> None:
        """Do what needs the node; raises `RefusedError` or a configuration error."""

    def close(self) -> None:
        """Say the last words, while the context is still valid."""

    def callback_failed(self, error: Exception) -> None:
        """React to an exception that left a callback."""


def run(make: Callable[[], Node], name: str, args: list[str] | None = None) -> int:
    """Run a node until it is told to leave.

    Args:
        make: Builds it; the result is also a `Runnable`.
        name: For the log, before there is a node.
        args: The command line, with `--ros-args`.

    Returns:
        The exit code: 0 told to leave, 1 failed, 2 refused its configuration.

    """
    leaving = Leaving()
    node = None
    try:
        with starting():
            rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
            node = make()
        if leaving.asked:
            return ExitCode.OK  # What was told to leave must not begin to move.
        node.start()
        # What is loaded by now stays: looking through all of it for garbage would stop a tick.
        gc.collect()
        gc.freeze()
        return _spin(node, leaving)
    except CONFIGURATION_ERRORS as error:
        get_logger(name).fatal(explained_by(Help.NOT_CONFIGURED, str(error)))
        return ExitCode.REFUSED
    except StartError as error:
        # Its log may be just what does not start.
        print(f'{name}: {error}', file=sys.stderr)
        return ExitCode.REFUSED
    except RefusedError:
        return ExitCode.REFUSED
    finally:
        if node is not None:
            _end(node)
        rclpy.try_shutdown()


def main(make: Callable[[], Node], name: str) -> None:
    """Run a node as a program."""
    sys.exit(run(make, name, sys.argv))


def executor_of(node: Node) -> UrgentFirstExecutor:
    """Return what spins a node; its `urgency`, if it has one, says what must not wait."""
    return UrgentFirstExecutor(node, getattr(node, 'urgency', None))


def _spin(node: Node, leaving: Leaving) -> int:
    executor = executor_of(node)
    failures = 0
    try:
        while not leaving.asked and rclpy.ok():
            try:
                executor.spin_once(timeout_sec=WAIT_S)
                failures = 0
            except ExternalShutdownException:
                break
            except Exception as error:
                failures += 1
                node.get_logger().error(f'a callback failed: {type(error).__name__}: {error}')
                node.callback_failed(error)
                if failures == FAILURES_IN_A_ROW:
                    node.get_logger().fatal(f'{failures} failures in a row, giving up')
                    return ExitCode.FAILED
    finally:
        executor.remove_node(node)
        executor.shutdown()
    return ExitCode.OK


def _end(node: Node) -> None:
    try:
        node.close()
    except Exception as error:
        node.get_logger().error(f'closing failed: {type(error).__name__}: {error}')
    node.destroy_node()
