"""Launch the controller and its diagnostics for a robot."""

import os

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode, Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare
from mmvae_controller.nodes.processes import unset_profile_variables

PACKAGE = 'mmvae_controller'


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and the two nodes."""
    share = FindPackageShare(PACKAGE)
    profile = PathJoinSubstitution([share, 'config', 'fastdds.xml'])
    namespace = LaunchConfiguration('namespace')
    model = ParameterValue(LaunchConfiguration('model'), value_type=str)
    clock = [('/clock', LaunchConfiguration('clock'))]
    use_sim_time = ParameterValue(LaunchConfiguration('use_sim_time'), value_type=bool)
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                'robot_file',
                default_value=PathJoinSubstitution([share, 'config', 'robots', 'iiwa_sim.yaml']),
                description='Robot YAML, or the name of a shipped one',
            ),
            DeclareLaunchArgument(
                'model',
                default_value=PathJoinSubstitution([share, 'models', 'touch_target']),
                description='Model folder, or the name of a shipped one',
            ),
            DeclareLaunchArgument(
                'namespace',
                default_value='',
                description='Of the robot: nodes and relative topics',
            ),
            DeclareLaunchArgument(
                'use_sim_time', default_value='false', description='Follow /clock'
            ),
            DeclareLaunchArgument(
                'clock', default_value='/clock', description='Topic of simulated time'
            ),
            DeclareLaunchArgument(
                'autostart',
                default_value='true',
                description='Configure and activate: the arm moves once its senses are there',
            ),
            DeclareLaunchArgument(
                'robot_description',
                default_value='',
                description='URDF text: where limits come from if the robot YAML has none',
            ),
            DeclareLaunchArgument(
                'acceleration_rad_s2',
                default_value='0.0',
                description='rad/s^2, for every joint: goes with robot_description',
            ),
            DeclareLaunchArgument(
                'priority',
                default_value='0',
                description='1 to 99: SCHED_FIFO for its threads, where permitted; 0: as started',
            ),
            DeclareLaunchArgument(
                'goal_modality',
                default_value='',
                description='Sense whose wanted value comes on controller/goal; empty: no goal',
            ),
            DeclareLaunchArgument(
                'goal_max_age_s',
                default_value='0.3',
                description='s: without a goal that is newer the arm holds',
            ),
            *[SetEnvironmentVariable(v, profile) for v in unset_profile_variables(os.environ)],
            LifecycleNode(
                package=PACKAGE,
                executable='controller',
                name='controller',
                namespace=namespace,
                remappings=clock,
                output='screen',
                parameters=[
                    {
                        'robot_file': ParameterValue(
                            LaunchConfiguration('robot_file'), value_type=str
                        ),
                        'model': model,
                        'use_sim_time': use_sim_time,
                        'autostart': ParameterValue(
                            LaunchConfiguration('autostart'), value_type=bool
                        ),
                        'robot_description': ParameterValue(
                            LaunchConfiguration('robot_description'), value_type=str
                        ),
                        'acceleration_rad_s2': ParameterValue(
                            LaunchConfiguration('acceleration_rad_s2'), value_type=float
                        ),
                        'priority': ParameterValue(
                            LaunchConfiguration('priority'), value_type=int
                        ),
                        'goal_modality': ParameterValue(
                            LaunchConfiguration('goal_modality'), value_type=str
                        ),
                        'goal_max_age_s': ParameterValue(
                            LaunchConfiguration('goal_max_age_s'), value_type=float
                        ),
                    }
                ],
            ),
            Node(
                package=PACKAGE,
                executable='diagnostics',
                name='diagnostics',
                namespace=namespace,
                remappings=clock,
                output='screen',
                parameters=[{'model': model, 'use_sim_time': use_sim_time}],
            ),
        ]
    )
