"""Where the simulation speaks, and the robots to whom it could not."""

from pathlib import Path
from typing import Any

from mmvae_controller.modality.robot import InputMessage
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.nodes.simulated_topics import topics_of
from mmvae_controller.simulation.errors import SimulationError
import pytest

ROBOTS = Path(__file__).resolve().parents[2] / 'config' / 'robots'
SIMULATED = sorted(p for p in ROBOTS.glob('*.yaml') if load_robot(p).arm)


@pytest.mark.parametrize('path', SIMULATED, ids=lambda path: path.stem)
def test_each_robot_that_ships_for_the_simulation_hears_it(path: Path):
    robot = load_robot(path)
    topics = topics_of(robot)
    assert list(topics) == ['sensor_msgs/Image', 'sensor_msgs/JointState',
                            'geometry_msgs/WrenchStamped']  # fmt: skip
    for source in robot.sources.values():
        assert topics.get(source.message, source.topic) == source.topic


def test_it_speaks_where_the_robot_listens_and_else_where_one_would(load: Any, robot_data: Any):
    robot_data['modalities']['joints']['topic'] = 'arm/joint_states'
    del robot_data['modalities']['touch']
    assert topics_of(load(robot_data)) == {
        InputMessage.IMAGE: 'camera/image_raw',
        InputMessage.JOINT_STATE: 'arm/joint_states',
        InputMessage.WRENCH_STAMPED: 'touch',
    }


@pytest.mark.parametrize('sense', ['camera', 'joints', 'touch'])
def test_two_senses_on_two_topics_of_one_type_are_refused(load: Any, robot_data: Any, sense: str):
    senses = robot_data['modalities']
    senses['second'] = {**senses[sense], 'topic': 'second'}
    words = f'{sense} and second are .* on two topics, {senses[sense]["topic"]} and second'
    with pytest.raises(SimulationError, match=words):
        topics_of(load(robot_data))


def test_two_parts_of_one_message_are_two_senses(load: Any, robot_data: Any):
    senses = robot_data['modalities']
    senses['speeds'] = {**senses['joints'], 'part': 'velocity', 'unit': 'rad/s'}
    assert topics_of(load(robot_data))[InputMessage.JOINT_STATE] == 'joint_states'


@pytest.mark.parametrize(
    ('sense', 'message', 'changes', 'made'),
    [
        ('camera', 'sensor_msgs/CompressedImage', {}, 'sensor_msgs/Image'),
        ('touch', 'geometry_msgs/Wrench', {}, 'geometry_msgs/WrenchStamped'),
        (
            'touch',
            'ros_gz_interfaces/Contacts',
            {'channels': ['touching']},
            'geometry_msgs/WrenchStamped',
        ),
    ],
)
def test_a_sense_that_would_stay_silent_is_refused(
    load: Any, robot_data: Any, sense: str, message: str, changes: Any, made: str
):
    robot_data['modalities'][sense] |= {'message': message, **changes}
    with pytest.raises(SimulationError, match=f'{sense} comes as {message}.*makes {made}$'):
        topics_of(load(robot_data))


def test_plain_numbers_come_from_other_nodes(load: Any, robot_data: Any):
    robot_data['modalities']['touch'] |= {'message': 'std_msgs/Bool', 'channels': ['pressed']}
    assert topics_of(load(robot_data))[InputMessage.WRENCH_STAMPED] == 'touch'
