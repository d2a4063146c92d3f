"""Parameters that are documented where they are declared, and cannot change while running."""

from __future__ import annotations

from typing import TypeVar

from mmvae_controller.modality.errors import ModalityError
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node

T = TypeVar('T', bool, int, float, str)


def declare(node: Node, name: str, default: T, meaning: str, fixed: bool = True) -> T:
    """Declare a parameter and return its value.

    Args:
        node: Whose.
        name: Of the parameter.
        default: Also decides its type.
        meaning: With unit and consequence; `ros2 param describe` shows it.
        fixed: Whether it is read once and refuses to be set later.

    """
    descriptor = ParameterDescriptor(description=meaning, read_only=fixed)
    value: T = node.declare_parameter(name, default, descriptor).value
    return value


def given(node: Node, name: str) -> str:
    """Return the text that a parameter holds.

    Raises:
        ModalityError: It was not given.

    """
    text: str = node.get_parameter(name).value
    if not text:
        raise ModalityError(f'parameter {name} is not given')
    return text
