"""Launch what a robot needs beside its controller to follow a stroke with its marked hand."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

PACKAGE = 'mmvae_controller'
PARAMETERS = {
    'tracker': ('hue_from', 'hue_to'),
    'goals': ('stroke_file', 'duration_s', 'repeat'),
}
ARGUMENTS = {
    'stroke_file': ('', str, 'Where the hand should be: px in both pictures, a row a moment'),
    'duration_s': ('6.0', float, 's, of the whole stroke'),
    'repeat': ('false', bool, 'Begin again at the end'),
    'hue_from': ('45', int, 'Of the marker, 0 to 179, half the angle'),
    'hue_to': ('75', int, 'Of the marker, 0 to 179, half the angle'),
    'use_sim_time': ('false', bool, 'Follow /clock'),
}


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and the two nodes."""
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'namespace', default_value='', description='Of the robot: nodes and topics'
            ),
            DeclareLaunchArgument(
                'clock',
                default_value='/clock',
                description='Topic of simulated time; of a simulation in a namespace: clock',
            ),
            *[
                DeclareLaunchArgument(name, default_value=default, description=meaning)
                for name, (default, _, meaning) in ARGUMENTS.items()
            ],
            *[
                Node(
                    package=PACKAGE,
                    executable=node,
                    name=node,
                    namespace=LaunchConfiguration('namespace'),
                    remappings=[('/clock', LaunchConfiguration('clock'))],
                    output='screen',
                    parameters=[
                        {
                            name: ParameterValue(
                                LaunchConfiguration(name), value_type=ARGUMENTS[name][1]
                            )
                            for name in (*names, 'use_sim_time')
                        }
                    ],
                )
                for node, names in PARAMETERS.items()
            ],
        ]
    )
