"""Launch the simulation of the task imitate: it shows the goals, a tracker finds the hand."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

PACKAGE = 'mmvae_controller'


def generate_launch_description() -> LaunchDescription:
    """Give the arguments of the other launch file their values for this task, add the tracker."""
    share = FindPackageShare(PACKAGE)
    robot = PathJoinSubstitution([share, 'config', 'robots', 'iiwa_imitate.yaml'])
    given = {
        'task': 'imitate',
        'goal_modality': 'hand',
        'robot_file': robot,
        'model': PathJoinSubstitution([share, 'models', 'imitate']),
        'namespace': '',
        'use_sim_time': 'true',
        'clock': 'clock',
    }
    simulation = PathJoinSubstitution([share, 'launch', 'simulation.launch.py'])
    return LaunchDescription(
        [
            *[DeclareLaunchArgument(n, default_value=default) for n, default in given.items()],
            IncludeLaunchDescription(PythonLaunchDescriptionSource(simulation)),
            Node(
                package=PACKAGE,
                executable='tracker',
                name='tracker',
                namespace=LaunchConfiguration('namespace'),
                remappings=[('/clock', LaunchConfiguration('clock'))],
                output='screen',
                parameters=[
                    {
                        'use_sim_time': ParameterValue(
                            LaunchConfiguration('use_sim_time'), value_type=bool
                        )
                    }
                ],
            ),
        ]
    )
