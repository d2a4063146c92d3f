"""The robots that ship: each loads, keeps to its datasheet, and is what README.md says of it."""

from pathlib import Path
import re

from mmvae_controller.datasets.icub import MODALITIES
from mmvae_controller.modality.contract import read_contract
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.pictures import PictureFormat
from mmvae_controller.modality.robot import InputMessage
from mmvae_controller.modality.robot_file import load_robot
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / 'config' / 'robots').glob('*.yaml'))
ROW = re.compile(
    r'^\| \[(?P<name>\w+)\]\(config/robots/(?P=name)\.yaml\) \| [^|]+ \| (?P<joints>\d+) '
    r'\| `(?P<topic>[\w/]+)` \| (?:–|`(?P<arm>\w+)`) \|',
    re.MULTILINE,
)
# rad and rad/s: Franka's datasheet, and what Universal Robots says of the UR5e.
DATASHEETS = {
    'panda_sim': (
        [-2.8973, -1.7628, -2.8973, -3.0718, -2.8973, -0.0175, -2.8973],
        [2.8973, 1.7628, 2.8973, -0.0698, 2.8973, 3.7525, 2.8973],
        [2.175, 2.175, 2.175, 2.175, 2.61, 2.61, 2.61],
        [15, 7.5, 10, 12.5, 15, 20, 20],
    ),
    'ur5e': (
        [-2 * np.pi] * 2 + [-np.pi] + [-2 * np.pi] * 3,
        [2 * np.pi] * 2 + [np.pi] + [2 * np.pi] * 3,
        [np.pi] * 6,
        [5.0] * 6,
    ),
}


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def shipped(request):
    return load_robot(request.param)


def test_it_is_called_as_its_file_and_can_be_activated_as_it_is(shipped):
    assert shipped.name == shipped.path.stem
    assert shipped.output.limits is not None
    assert shipped.output.certainty.max_std is not None
    measured = next(m for m in shipped.modalities if m.name == shipped.anchor)
    assert set(shipped.output.joints) <= set(measured.channels)


def test_the_readme_says_of_each_what_it_is():
    rows = {row['name']: row for row in ROW.finditer((ROOT / 'README.md').read_text())}
    assert set(rows) == {path.stem for path in FILES}
    for path in FILES:
        robot, row = load_robot(path), rows[path.stem]
        assert int(row['joints']) == len(robot.output.joints)
        assert row['topic'] == robot.output.topic
        assert (row['arm'] or '') == robot.arm


@pytest.mark.parametrize('name', DATASHEETS)
def test_its_limits_are_within_its_datasheet(name):
    limits = load_robot(ROOT / 'config' / 'robots' / f'{name}.yaml').output.limits
    lower, upper, velocity, acceleration = (np.array(numbers) for numbers in DATASHEETS[name])
    assert np.all((limits.lower_rad > lower) & (limits.lower_rad < lower + 0.1))
    assert np.all((limits.upper_rad < upper) & (limits.upper_rad > upper - 0.1))
    assert np.all(limits.velocity_rad_s <= velocity)
    assert np.all(limits.acceleration_rad_s2 <= acceleration)


@pytest.mark.parametrize('name', ['ur5e', 'icub'])
def test_what_is_no_simulation_begins_slowly(name):
    limits = load_robot(ROOT / 'config' / 'robots' / f'{name}.yaml').output.limits
    assert np.all(limits.velocity_rad_s <= 0.5)


@pytest.mark.parametrize('name', ['panda_sim', 'ur5e', 'icub'])
def test_it_says_which_controller_of_ros2_control_it_drives_and_which_it_does_not(name):
    text = (ROOT / 'config' / 'robots' / f'{name}.yaml').read_text()
    for controller in (
        'forward_position_controller', 'forward_velocity_controller', 'joint_trajectory_controller'
    ):  # fmt: skip
        assert controller in text


def test_the_ur5e_has_the_topics_of_its_driver_and_shrinks_what_its_camera_sends():
    robot = load_robot(ROOT / 'config' / 'robots' / 'ur5e.yaml')
    assert robot.sources['camera'].picture == PictureFormat('rgb8', (480, 640))
    assert robot.sources['camera'].topic == 'camera/camera/color/image_raw'
    assert robot.sources['touch'].topic == 'force_torque_sensor_broadcaster/wrench'
    assert not robot.max_prediction_s


def test_the_icub_has_the_senses_of_the_published_data_but_not_their_unknown_units():
    robot = load_robot(ROOT / 'config' / 'robots' / 'icub.yaml')
    layout = [(m.name, m.role, m.shape, m.quantity) for m in robot.modalities]
    assert layout == [(m.name, m.role, m.shape, m.quantity) for m in MODALITIES]
    assert robot.sources['joint'].message is InputMessage.JOINT_STATE
    with pytest.raises(ModalityError, match='normalised'):
        read_contract(ROOT / 'models' / 'icub').check_fits(robot)
