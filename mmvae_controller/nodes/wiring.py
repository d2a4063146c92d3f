"""What a configured controller has: a robot, a model that fits, their topics and their health."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mmvae_controller.control.comparison import read_comparison
from mmvae_controller.control.errors import ControlError
from mmvae_controller.control.goal import GoalPolicy
from mmvae_controller.control.network import Network
from mmvae_controller.control.policy import NetworkPolicy, Policy
from mmvae_controller.guidance.help import explained_by, Help
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.limits import limits_from_urdf
from mmvae_controller.modality.robot import Robot
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.modality.shared_files import find_model, find_robot
from mmvae_controller.nodes.goal_input import GoalInput
from mmvae_controller.nodes.inputs import Inputs, Push
from mmvae_controller.nodes.parameters import given
from mmvae_controller.nodes.reporting.health import GateHealth
from mmvae_controller.nodes.wire.clock import ControlClock
from mmvae_controller.nodes.wire.messages import message_type
from mmvae_controller.nodes.wire.qos import COMMAND, REPORT
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.subscription import Subscription
from rclpy.timer import Timer
from sensor_msgs.msg import PointCloud2


class Wiring:
    """Lives from `configure` to `cleanup`."""

    def __init__(self, node: Node, push: Push, patient: set[Subscription | Timer]) -> None:
        """Load what the parameters `robot_file` and `model` name, and listen.

        With a `goal_modality` it is asked for the command that leads to the goal on `~/goal`.

        Args:
            node: Whose parameters and topics.
            push: Gets every sample, with the time of its receipt on `clock`.
            patient: Gets the subscriptions that may wait for a spare moment.

        Raises:
            ModalityError: A file or a parameter is wrong, or the model does not fit the robot.
            ControlError: The network does not agree with its contract, or has no such goal.

        """
        self.observation_hz = float(node.get_parameter('observation_hz').value)
        if not self.observation_hz > 0:
            raise ModalityError(
                f'parameter observation_hz is {self.observation_hz}, expected above 0'
            )
        self.robot = load_robot(find_robot(given(node, 'robot_file')))
        self.network = network = Network(find_model(given(node, 'model')))
        if network.differs:
            node.get_logger().warning(explained_by(Help.MODEL_IS_DAMAGED, network.differs))
        self.comparison = read_comparison(network)
        self.contract = network.contract
        self.contract.check_fits(self.robot)
        places = f'robot {self.robot.path.resolve()}, model {network.folder.resolve()}'
        node.get_logger().info(places)
        if self.comparison is not None and (foreign := self.comparison.foreign(self.robot)):
            node.get_logger().warning(explained_by(Help.SENSE_IS_DISTRUSTED, foreign))
        self.policy: Policy = NetworkPolicy(network)
        goal = str(node.get_parameter('goal_modality').value) or self.robot.goal
        if goal:
            max_age_s = float(node.get_parameter('goal_max_age_s').value)
            self.policy = GoalPolicy(network, goal, max_age_s)
        self.clock = ControlClock(node)
        self.gate = GateHealth()
        self._node = node
        self._publishers: list[Publisher] = []
        self.goal: GoalInput | None = None
        self.inputs = Inputs(node, self.robot, self.clock, push, patient)
        try:
            if isinstance(self.policy, GoalPolicy):
                source = self.robot.sources[self.policy.modality.name]
                self.goal = GoalInput(node, self.policy, source, self.clock, self.inputs.receipts)
            output = self.robot.output
            self.command = self._publisher(message_type(output.message), output.topic, COMMAND)
            self.observation = self._publisher(PointCloud2, '~/observation', REPORT)
        except Exception:
            self.close()
            raise

    def close(self) -> None:
        """Leave every topic."""
        self.inputs.close()
        if self.goal is not None:
            self.goal.close()
        for publisher in self._publishers:
            self._node.destroy_publisher(publisher)
        self._publishers.clear()

    def _publisher(self, kind: type, topic: str, qos: Any) -> Publisher:
        publisher = self._node.create_publisher(kind, topic, qos)
        self._publishers.append(publisher)
        return publisher


def with_limits(robot: Robot, urdf: str, acceleration_rad_s2: float) -> Robot:
    """Return the robot with limits from its description, unless its YAML has them.

    Args:
        robot: As configured.
        urdf: XML; empty leaves the robot without.
        acceleration_rad_s2: Of every joint, above 0; a URDF has none.

    Raises:
        ControlError: There is a description, and no acceleration.
        ModalityError: The description lacks a joint or a limit.

    """
    if robot.output.limits is not None or not urdf:
        return robot
    if not acceleration_rad_s2 > 0:
        raise ControlError(
            f'parameter acceleration_rad_s2 is {acceleration_rad_s2}, expected above 0: '
            'robot_description has no limits of acceleration'
        )
    limits = limits_from_urdf(urdf, robot.output.joints, acceleration_rad_s2)
    return replace(robot, output=replace(robot.output, limits=limits))
