"""Run as a program: does ROS 2 start here, and with which middleware?"""

import rclpy
from rclpy.utilities import get_rmw_implementation_identifier


def main() -> None:
    """Start ROS 2 as a node does, make no node, and print the name of the middleware."""
    rclpy.init()
    rclpy.shutdown()
    print(get_rmw_implementation_identifier())


if __name__ == '__main__':
    main()
