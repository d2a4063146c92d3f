"""Launch the simulation with the controller and its diagnostics."""

from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    IncludeLaunchDescription,
    SetEnvironmentVariable,
)
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import (
    EnvironmentVariable,
    LaunchConfiguration,
    PathJoinSubstitution,
)
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare
from mmvae_controller.nodes.processes import DISCOVERY_RANGE, LOCALHOST

PACKAGE = 'mmvae_controller'
PARAMETERS = {
    'task': ('touch_target', str, 'What is to be done'),
    'seed': ('0', int, 'Of the first episode'),
    'episodes': ('0', int, 'How many; 0 goes on for ever'),
    'real_time_factor': ('1.0', float, 'Simulated seconds per second'),
    'gui': ('false', bool, 'Show a window'),
}


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments, include the controller, add the simulation."""
    controller = PathJoinSubstitution(
        [FindPackageShare(PACKAGE), 'launch', 'controller.launch.py']
    )
    return LaunchDescription(
        [
            *[
                DeclareLaunchArgument(name, default_value=default, description=meaning)
                for name, (default, _, meaning) in PARAMETERS.items()
            ],
            DeclareLaunchArgument(
                'use_sim_time', default_value='true', description='Follow /clock'
            ),
            # Relative: two simulations on one /clock would let time jump to and fro.
            DeclareLaunchArgument(
                'clock', default_value='clock', description='Topic of simulated time'
            ),
            # A simulated robot has the topics of a real one: on a laboratory's network it would
            # be obeyed.
            SetEnvironmentVariable(
                DISCOVERY_RANGE, EnvironmentVariable(DISCOVERY_RANGE, default_value=LOCALHOST)
            ),
            # robot_file, model and namespace are declared there, and given here all the same.
            IncludeLaunchDescription(PythonLaunchDescriptionSource(controller)),
            Node(
                package=PACKAGE,
                executable='simulation',
                name='simulation',
                namespace=LaunchConfiguration('namespace'),
                remappings=[('/clock', LaunchConfiguration('clock'))],
                output='screen',
                parameters=[
                    {
                        # Whose arm it simulates.
                        'robot_file': ParameterValue(
                            LaunchConfiguration('robot_file'), value_type=str
                        ),
                        **{
                            name: ParameterValue(LaunchConfiguration(name), value_type=kind)
                            for name, (_, kind, _) in PARAMETERS.items()
                        },
                    }
                ],
            ),
        ]
    )
