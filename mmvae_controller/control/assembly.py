"""Puts a controller together: the one way in which a model runs a robot, live and offline."""

from __future__ import annotations

from collections.abc import Callable
import time

from mmvae_controller.control.controller import Controller
from mmvae_controller.control.errors import ControlError
from mmvae_controller.control.judging import Comparison
from mmvae_controller.control.network import Network
from mmvae_controller.control.policy import NetworkPolicy, Policy
from mmvae_controller.modality.robot import Robot


def controller_of(
    network: Network,
    robot: Robot,
    policy: Policy | None = None,
    comparison: Comparison | None = None,
    clock_ns: Callable[[], int] = time.monotonic_ns,
) -> Controller:
    """Return the controller of a robot.

    Args:
        network: The model.
        robot: With limits; the model fits it.
        policy: Who decides; None asks the network as a policy.
        comparison: How lying senses are found, see `read_comparison`; None believes them all.
        clock_ns: A steady clock.

    Raises:
        ControlError: The robot has no limits, lacks a modality of the model, or is led by goals
            and no policy is given.

    """
    if policy is None and robot.goal:
        raise ControlError(
            f'robot {robot.name!r} is led by goals of {robot.goal}: asked as a policy, its model '
            'would move the arm to nowhere; use mmvae up, rollout or faults'
        )
    contract = network.contract
    return Controller(
        robot,
        contract.modalities,
        contract.step_s,
        NetworkPolicy(network) if policy is None else policy,
        clock_ns,
        comparison,
        contract.longest_age_s,
    )
