"""Starting ROS 2 where it may not start: a wrong domain, a log folder that nobody may write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import os

from mmvae_controller.nodes.processes import DOMAIN, LAST_DOMAIN
from rclpy.impl.implementation_singleton import rclpy_implementation


class StartError(RuntimeError):
    """ROS 2 does not start here."""


@contextmanager
def starting() -> Iterator[None]:
    """Say in a line what keeps ROS 2 from starting, and whom to ask.

    Raises:
        StartError: It did not start.

    """
    domain = os.environ.get(DOMAIN, '')
    if domain.isdigit() and int(domain) > LAST_DOMAIN:
        raise StartError(
            f'ROS 2 does not start: {DOMAIN} is {domain}, expected 0 to {LAST_DOMAIN}; '
            f'export {DOMAIN} as the robot has it, or ask `mmvae doctor`'
        )
    try:
        yield
    except rclpy_implementation.RCLError as error:
        # What is behind the last `, at` is a line of ROS 2's own source.
        reason = str(error).splitlines()[0].rpartition(', at ')[0] or str(error)
        raise StartError(f'ROS 2 does not start: {reason}; ask `mmvae doctor`') from error
