"""Which middleware ROS 2 uses here."""

from rclpy.utilities import get_rmw_implementation_identifier


def used() -> str:
    """Return its name, such as `rmw_fastrtps_cpp`."""
    return str(get_rmw_implementation_identifier())
