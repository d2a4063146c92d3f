"""What the robot YAML says of each type of message, and what is refused with which words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.pictures import HeightMap, PictureFormat
from mmvae_controller.modality.robot import InputMessage, Robot, Source
import pytest

RGB, BGR = ('red', 'green', 'blue'), ('blue', 'green', 'red')
CAMERA = {
    'role': 'sense', 'encoder': 'image', 'shape': [8, 8, 3], 'unit': 'intensity', 'topic': 'eye',
    'message': 'sensor_msgs/Image', 'encoding': 'rgb8', 'max_age_s': 0.2, 'min_contrast': 'off',
}  # fmt: skip
DEPTH = {
    **CAMERA, 'shape': [8, 8, 1], 'unit': 'm', 'encoding': '16UC1', 'depth_m': [0.3, 2],
}  # fmt: skip
COMPRESSED = {**CAMERA, 'message': 'sensor_msgs/CompressedImage'}
CLOUD = {
    **{k: v for k, v in CAMERA.items() if k != 'encoding'},
    'message': 'sensor_msgs/PointCloud2', 'shape': [8, 6, 1], 'unit': 'm',
    'area_m': [0, 1, -0.5, 0.5], 'height_m': [0.1, 0.4],
}  # fmt: skip
FORCE = {
    'role': 'sense', 'unit': 'N', 'topic': 'touch', 'channels': ['force.x'], 'max_age_s': 0.1,
    'message': 'geometry_msgs/Wrench',
}  # fmt: skip
CONTACTS = {**FORCE, 'message': 'gazebo_msgs/ContactsState', 'channels': ['touching']}
TOUCHED = {**FORCE, 'message': 'std_msgs/Bool', 'channels': ['touched']}


@pytest.fixture
def read(
    load: Callable[[Any], Robot], robot_data: dict[str, Any]
) -> Callable[..., tuple[tuple[str, ...], Source]]:
    """Return what reads a sense from its keys: the names of its channels, and its source."""

    def described(keys: dict[str, Any], **changes: Any) -> tuple[tuple[str, ...], Source]:
        robot_data['modalities']['sense'] = {**keys, **changes}
        robot = load(robot_data)
        return robot.modalities[-1].channels, robot.sources['sense']

    return described


@pytest.mark.parametrize(
    ('keys', 'changes', 'channels'),
    [
        (CAMERA, {}, RGB),
        (CAMERA, {'encoding': 'bgr8'}, BGR),
        (CAMERA, {'encoding': 'rgba8'}, RGB),
        (CAMERA, {'encoding': 'bgra8'}, BGR),
        (CAMERA, {'encoding': 'bayer_gbrg8'}, RGB),
        (CAMERA, {'encoding': 'mono8', 'shape': [8, 8, 1]}, ('grey',)),
        (COMPRESSED, {}, RGB),
        (COMPRESSED, {'encoding': 'mono8', 'shape': [8, 8, 1]}, ('grey',)),
        (DEPTH, {}, ('depth',)),
        (CLOUD, {}, ('height',)),
        (FORCE, {'channels': ['torque.z', 'force.x']}, ('torque.z', 'force.x')),
        (CONTACTS, {}, ('touching',)),
        (CONTACTS, {'message': 'ros_gz_interfaces/Contacts'}, ('touching',)),
        (TOUCHED, {}, ('touched',)),
        (TOUCHED, {'message': 'std_msgs/Float32'}, ('touched',)),
        (TOUCHED, {'message': 'std_msgs/Float64'}, ('touched',)),
    ],
)
def test_a_model_is_told_the_channels_and_not_how_they_come(
    read: Any, keys: dict[str, Any], changes: dict[str, Any], channels: tuple[str, ...]
):
    assert read(keys, **changes)[0] == channels


def test_what_belongs_to_the_message_is_read(read: Any):
    assert read(CAMERA)[1].picture == PictureFormat('rgb8')
    assert read(DEPTH, camera_size=[16, 24])[1].picture == PictureFormat(
        '16UC1', (16, 24), (0.3, 2.0)
    )
    _, source = read(CLOUD)
    assert source.heights == HeightMap((0.0, 1.0, -0.5, 0.5), (0.1, 0.4))
    assert source.picture is None
    assert read(CLOUD, min_contrast=6)[1].min_contrast == 6
    assert read(FORCE)[1] == Source('touch', InputMessage.WRENCH)


@pytest.mark.parametrize(
    ('keys', 'changes', 'words'),
    [
        (CAMERA, {'encoding': 'mono16'}, ["encoding 'mono16' with 3 channels", "'mono8': 1"]),
        (CAMERA, {'encoding': '32FC1'}, ["encoding '32FC1' with 3 channels", "'32FC1': 1"]),
        (CAMERA, {'depth_m': [0.3, 2]}, ['depth_m belongs to encodings 16UC1, 32FC1', "'rgb8'"]),
        (CAMERA, {'area_m': [0, 1, 0, 1]}, ['unknown key area_m']),
        (CAMERA, {'encoding': 'bayer_rggb8', 'shape': [8, 7, 3]}, ['7 columns', 'even']),
        (CAMERA, {'encoding': 'bayer_rggb8', 'shape': [2, 8, 3]}, ['2 rows', 'at least 4']),
        (
            CAMERA,
            {'encoding': 'bayer_rggb8', 'camera_size': [9, 8]},
            ["'bayer_rggb8' of 9 rows", 'even numbers of at least 4'],
        ),
        (COMPRESSED, {'encoding': 'rgba8'}, ["encoding 'rgba8'", 'rgb8 or bgr8 or mono8']),
        (
            COMPRESSED,
            {'encoding': '16UC1', 'shape': [8, 8, 1], 'depth_m': [0, 1]},
            ["encoding '16UC1'", 'depth comes as sensor_msgs/Image'],
        ),
        (COMPRESSED, {'min_contrast': None}, ['min_contrast is missing']),
        (
            DEPTH,
            {'unit': 'intensity'},
            ["unit is 'intensity'", 'expected m', "becomes 'm, 1 at 0.3 to 255 at 2'"],
        ),
        (DEPTH, {'unit': 'm, 1 at 0.1 to 255 at 8'}, ["unit is 'm, 1 at 0.1 to 255 at 8'"]),
        (CLOUD, {'unit': 'mm'}, ["unit is 'mm'", 'expected m']),
        (DEPTH, {'depth_m': None}, ['depth_m is missing']),
        (DEPTH, {'depth_m': [2, 0.3]}, ['depth_m is [2.0, 0.3]', '[near, far] with near < far']),
        (DEPTH, {'depth_m': [0.3]}, ['depth_m is [0.3]', '[near, far]']),
        (DEPTH, {'depth_m': []}, ['depth_m is []', '[near, far]']),
        (DEPTH, {'depth_m': [1, 1]}, ['depth_m is [1.0, 1.0]', 'at least 0.001 apart']),
        (
            DEPTH,
            {'depth_m': [300, 20_000]},
            ['depth_m is [300.0, 20000.0]', 'in m', 'up to 10000'],
        ),
        (DEPTH, {'depth_m': [-1, 1]}, ['depth_m begins at -1 m']),
        (DEPTH, {'depth_m': 3}, ['depth_m is 3', 'a list of finite numbers']),
        (CLOUD, {'shape': [8, 8, 3]}, ['shape is [8, 8, 3]', '[rows, columns, 1]']),
        (CLOUD, {'encoding': 'mono8'}, ['unknown key encoding']),
        (CLOUD, {'camera_size': [16, 16]}, ['unknown key camera_size']),
        (CLOUD, {'depth_m': [0, 1]}, ['unknown key depth_m']),
        (CLOUD, {'area_m': None}, ['area_m is missing']),
        (CLOUD, {'height_m': None}, ['height_m is missing']),
        (CLOUD, {'min_contrast': None}, ['min_contrast is missing']),
        (CLOUD, {'area_m': [0, 1]}, ['area_m is [0.0, 1.0]', '[x_min, x_max, y_min, y_max]']),
        (CLOUD, {'area_m': [0, 1, 1, 0]}, ['x_min < x_max and y_min < y_max']),
        (CLOUD, {'height_m': [0.4, 0.1]}, ['height_m is [0.4, 0.1]', 'z_min < z_max']),
        (
            CLOUD,
            {'encoder': 'vector', 'shape': [8]},
            ['encoder vector does not fit', 'PointCloud2'],
        ),
        (FORCE, {'channels': ['force']}, ["channels ['force']", 'force.x']),
        (FORCE, {'channels': ['touching']}, ["channels ['touching']", 'torque.z']),
        (
            CONTACTS,
            {'channels': ['force.x', 'touching', 'torque.z']},
            ["channels ['force.x', 'torque.z']", "'touching' alone", 'its sign would depend'],
        ),
        (
            CONTACTS,
            {'message': 'ros_gz_interfaces/Contacts', 'channels': ['force.y']},
            ["channels ['force.y']", 'WrenchStamped'],
        ),
        (CONTACTS, {'channels': ['pressure']}, ["channels ['pressure']", "'touching'"]),
        (TOUCHED, {'channels': ['a', 'b']}, ["channels ['a', 'b']", 'std_msgs/Bool carries one']),
        (TOUCHED, {'encoder': 'image', 'shape': [8, 8, 3]}, ['encoder image does not fit']),
        (TOUCHED, {'part': 'position'}, ['unknown key part']),
    ],
)
def test_what_does_not_belong_to_the_message_is_refused(
    read: Any, keys: dict[str, Any], changes: dict[str, Any], words: list[str]
):
    with pytest.raises(ModalityError) as refused:
        read(keys, **changes)
    for word in ('modalities.sense', *words):
        assert word in str(refused.value)


@pytest.mark.parametrize(
    ('message', 'given'),
    [
        (InputMessage.IMAGE, {}),
        (InputMessage.JOINT_STATE, {}),
        (InputMessage.POINT_CLOUD, {'picture': PictureFormat('rgb8')}),
        (InputMessage.BOOL, {'picture': PictureFormat('rgb8')}),
        (InputMessage.BOOL, {'part': 'position'}),
    ],
)
def test_a_source_without_what_its_message_needs_cannot_be_built(
    message: InputMessage, given: dict[str, Any]
):
    with pytest.raises(ModalityError, match=f'topic: {message} with'):
        Source('topic', message, **given)
