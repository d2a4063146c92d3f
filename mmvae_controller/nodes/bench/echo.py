"""The floor of the control benchmark: joint state in, the same positions out, nothing else.

    python -m mmvae_controller.nodes.bench.echo [--camera]

What rclpy itself costs on the topics of a controller, with its quality of service.
"""

from __future__ import annotations

import argparse
from contextlib import suppress

from geometry_msgs.msg import WrenchStamped
from mmvae_controller.nodes.bench import NAMESPACE
from mmvae_controller.nodes.wire.qos import COMMAND, SENSOR
import rclpy
from rclpy.executors import ExternalShutdownException
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Float64MultiArray


def main() -> None:
    """Echo until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--camera', action='store_true', help='receive pictures, and forget them')
    arguments = parser.parse_args()
    rclpy.init()
    node = rclpy.create_node('echo', namespace=NAMESPACE)
    command = node.create_publisher(Float64MultiArray, 'joint_command', COMMAND)

    def echo(state: JointState) -> None:
        command.publish(Float64MultiArray(data=state.position))

    node.create_subscription(JointState, 'joint_states', echo, SENSOR)
    node.create_subscription(WrenchStamped, 'touch', lambda _: None, SENSOR)
    if arguments.camera:
        node.create_subscription(Image, 'camera/image_raw', lambda _: None, SENSOR)
    with suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(node)


if __name__ == '__main__':
    main()
