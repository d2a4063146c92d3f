"""The robot YAML: what is read, and what is refused with which words."""

from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.robot import Certainty
from mmvae_controller.modality.robot_file import load_robot, origin_of, robot_checksum
from mmvae_controller.modality.spec import Encoder, Quantity, Role
import pytest

JOINTS, TOUCH, CAMERA, MOTOR = (
    ('modalities', name) for name in ('joints', 'touch', 'camera', 'motor')
)
OUTPUT = (*MOTOR, 'output')
LIMITS = (*OUTPUT, 'limits')
CONTROL = ('control',)
GONE = object()


def spoil(data, path, value):
    """Set or delete the value at a path of keys."""
    for key in path[:-1]:
        data = data[key]
    if value is GONE:
        del data[path[-1]]
    else:
        data[path[-1]] = value


REFUSED = [
    (('robot',), GONE, ['robot is missing']),
    (('robot',), 5, ['robot is 5', 'a string']),
    (('modalities',), GONE, ['modalities is missing']),
    (('modalities',), ['camera'], ['modalities', 'expected a mapping', 'list']),
    (('modalities',), {}, ['role command', 'found none']),
    (JOINTS, 3, ['modalities.joints', 'expected a mapping', 'int 3']),
    (MOTOR, GONE, ['role command', 'found none']),
    ((*JOINTS, 'role'), 'sensor', ["role is 'sensor'", "['sense', 'command']"]),
    ((*JOINTS, 'role'), GONE, ['modalities.joints', 'role is missing']),
    ((*JOINTS, 'encoder'), 'lidar', ["encoder is 'lidar'", 'vector', 'image']),
    ((*JOINTS, 'unit'), GONE, ['unit is missing']),
    ((*JOINTS, 'unit'), 1, ['unit is 1', 'a string']),
    ((*JOINTS, 'topic'), GONE, ['topic is missing']),
    ((*JOINTS, 'message'), 'sensor_msgs/Joint', ["message is 'sensor_msgs/Joint'", 'JointState']),
    ((*JOINTS, 'message'), 'sensor_msgs/Image', ['encoder vector', 'does not fit', 'Image']),
    ((*CAMERA, 'message'), 'sensor_msgs/JointState', ['encoder image', 'does not fit']),
    ((*CAMERA, 'camera_size'), [4, 4], ['camera_size is [4, 4]', 'at least [8, 8]']),
    ((*CAMERA, 'camera_size'), [480], ['camera_size is [480]', '[height, width]']),
    ((*JOINTS, 'camera_size'), [480, 640], ['unknown key camera_size']),
    (('control', 'trigger'), 'motor', ["'motor' is no sense"]),
    ((*JOINTS, 'part'), 'torque', ["part is 'torque'", 'position, velocity or effort']),
    ((*JOINTS, 'joints'), [], ['modalities.joints', 'expected shape, joints or channels']),
    ((*JOINTS, 'joints'), 'left', ["joints is 'left'", 'a list of strings']),
    ((*JOINTS, 'joints'), [1, 2], ['joints is [1, 2]', 'a list of strings']),
    ((*JOINTS, 'joints'), ['left', 'left'], ['joints', 'named twice']),
    ((*JOINTS, 'shape'), [2], ['2 numbers but 3 channel names']),
    ((*JOINTS, 'max_age_s'), 0, ['max_age_s is 0', 'above 0']),
    ((*JOINTS, 'max_age_s'), 61, ['max_age_s is 61', 'from 0 to 60']),
    ((*JOINTS, 'max_age_s'), float('nan'), ['max_age_s is nan', 'a number']),
    ((*JOINTS, 'max_age_s'), True, ['max_age_s is True', 'a number']),
    ((*JOINTS, 'max_age_s'), 10**400, ['max_age_s', 'a number from 0 to 60']),
    ((*JOINTS, 'max_age_s'), GONE, ['max_age_s is missing']),
    ((*JOINTS, 'max_age'), 1, ['modalities.joints', 'unknown key max_age', 'max_age_s']),
    ((*TOUCH, 'part'), 'position', ['modalities.touch', 'unknown key part']),
    ((*TOUCH, 'quantity'), 'velocity', ['modalities.touch', 'unknown key quantity']),
    ((*TOUCH, 'channels'), ['force.w'], ["channels ['force.w']", 'force.x']),
    ((*CAMERA, 'shape'), [8, 8], ['needs a shape of 3 sizes', '(8, 8)']),
    ((*CAMERA, 'shape'), [8, 0, 3], ['shape is [8, 0, 3]', 'at least 1']),
    ((*CAMERA, 'min_contrast'), GONE, ['camera: min_contrast is missing', 'or off: then every']),
    ((*CAMERA, 'min_contrast'), None, ['min_contrast is missing', 'grey levels of contrast']),
    ((*CAMERA, 'min_contrast'), 0, ['min_contrast is 0', 'from 0.5 to 85', 'or off']),
    ((*CAMERA, 'min_contrast'), 86, ['min_contrast is 86', 'from 0.5 to 85']),
    ((*CAMERA, 'min_contrast'), True, ['min_contrast is True', 'or off']),
    ((*CAMERA, 'min_contrast'), 'none', ["min_contrast is 'none'", 'or off']),
    ((*TOUCH, 'min_contrast'), 6, ['modalities.touch', 'unknown key min_contrast']),
    ((*CAMERA, 'shape'), 8, ['shape is 8', 'a list of sizes']),
    ((*CAMERA, 'shape'), GONE, ['shape is missing']),
    ((*CAMERA, 'encoding'), 'yuv', ["encoding 'yuv'", 'rgb8']),
    ((*CAMERA, 'encoding'), 'mono8', ["encoding 'mono8' with 3 channels", "'mono8': 1"]),
    ((*MOTOR, 'encoder'), 'image', ['shape is missing']),
    ((*MOTOR, 'quantity'), GONE, ['modalities.motor', 'quantity is missing']),
    ((*MOTOR, 'quantity'), 'effort', ["quantity is 'effort'", 'position', 'velocity']),
    ((*MOTOR, 'joints'), ['left', 'up'], ['anchor joints', "['up']"]),
    ((*MOTOR, 'output'), GONE, ['output is missing']),
    ((*OUTPUT, 'topic'), GONE, ['output', 'topic is missing']),
    ((*OUTPUT, 'message'), 'std_msgs/String', ["message is 'std_msgs/String'"]),
    ((*OUTPUT, 'quantity'), 'effort', ["quantity is 'effort'"]),
    ((*OUTPUT, 'max_std'), -1, ['max_std is -1', 'from 0']),
    ((*OUTPUT, 'max_std'), GONE, ['output', 'max_std is missing']),
    ((*OUTPUT, 'max_std'), False, ['output: slow_std is 0.25 and max_std off', 'needs a max_std']),
    ((*OUTPUT, 'slow_std'), GONE, ['output', 'slow_std is missing']),
    ((*OUTPUT, 'slow_std'), -1, ['slow_std is -1', 'from 0']),
    ((*OUTPUT, 'slow_std'), 0.5, ['slow_std is 0.5, expected below max_std, 0.5']),
    ((*OUTPUT, 'quantity'), 'velocity', ['output', 'quantity velocity is not supported yet']),
    ((*OUTPUT, 'max_speed'), 1, ['output', 'unknown key max_speed']),
    ((*LIMITS, 'lower_rad'), GONE, ['limits', 'lower_rad is missing']),
    ((*LIMITS, 'upper_rad'), [1], ['upper_rad has 1 numbers for 2 joints']),
    ((*LIMITS, 'upper_rad'), [1, float('inf')], ['upper_rad is [1, inf]', 'finite']),
    ((*LIMITS, 'lower_rad'), [1, 0], ['limits of left', 'lower 1.0 rad', 'upper 1.0 rad']),
    ((*LIMITS, 'velocity_rad_s'), [1, 0], ['limits of right', 'must be > 0']),
    ((*LIMITS, 'acceleration_rad_s2'), [-1, 1], ['limits of left', 'must be > 0']),
    ((*LIMITS, 'jerk'), [1, 1], ['limits', 'unknown key jerk']),
    (CONTROL, GONE, ['control is missing']),
    ((*CONTROL, 'rate_hz'), 0, ['control', 'rate_hz is 0', 'from 1 to 1000']),
    ((*CONTROL, 'rate_hz'), '40', ["rate_hz is '40'", 'a number']),
    ((*CONTROL, 'step_s'), 0, ['step_s is 0', 'from 0.001 to 10']),
    ((*CONTROL, 'watchdog_s'), 0.02, ['watchdog_s is 0.02', 'more than one period', '50 Hz']),
    ((*CONTROL, 'anchor'), 'motor', ["'motor' is no sense", 'joints']),
    ((*CONTROL, 'anchor'), 'touch', ['anchor touch', 'expected the position']),
    ((*CONTROL, 'anchor'), GONE, ['anchor is missing']),
    ((*CONTROL, 'required'), ['ears'], ["'ears' is no sense", 'camera']),
    ((*CONTROL, 'required'), 'joints', ["required is 'joints'", 'a list of strings']),
    ((*CONTROL, 'required'), ['camera'], ["required is ['camera']", 'expected joints among']),
    ((*CONTROL, 'max_following_error_rad'), GONE, ['max_following_error_rad is missing']),
    ((*CONTROL, 'deadline'), 1, ['control', 'unknown key deadline']),
    (('extra',), 1, ['unknown key extra', 'known are']),
]


@pytest.mark.parametrize(
    ('path', 'value', 'words'), REFUSED, ids=lambda v: '.'.join(v) if isinstance(v, tuple) else ''
)
def test_a_wrong_field_is_refused_with_its_file_its_value_and_what_was_expected(
    load, robot_data, path, value, words
):
    spoil(robot_data, path, value)
    with pytest.raises(ModalityError) as refused:
        load(robot_data)
    message = str(refused.value)
    assert 'robot.yaml' in message
    for word in words:
        assert word in message


def test_a_velocity_is_no_anchor(load, robot_data):
    robot_data['modalities']['joints']['part'] = 'velocity'
    with pytest.raises(
        ModalityError, match=r'anchor joints is .* velocity, expected the position'
    ):
        load(robot_data)


def test_two_commands_are_refused_by_name(load, robot_data):
    robot_data['modalities']['gripper'] = robot_data['modalities']['motor']
    with pytest.raises(ModalityError, match=r'exactly one .* found motor, gripper'):
        load(robot_data)


@pytest.mark.parametrize('name', ['arm/left', '1st', 'left arm', '', 'ärmel'])
def test_a_name_that_cannot_be_part_of_a_topic_is_refused(load, robot_data, name):
    robot_data['modalities'][name] = robot_data['modalities'].pop('touch')
    with pytest.raises(ModalityError, match='modality name'):
        load(robot_data)


def test_the_small_robot_is_read_as_written(robot):
    camera, joints, touch, motor = robot.modalities
    assert (camera.encoder, camera.shape, camera.channels) == (
        Encoder.IMAGE,
        (8, 8, 3),
        ('red', 'green', 'blue'),
    )
    assert (joints.encoder, joints.shape) == (Encoder.VECTOR, (3,))
    assert joints.channels == ('right', 'spare', 'left')
    assert touch.channels == ('force.x', 'torque.z')
    assert (motor.role, motor.quantity) == (Role.COMMAND, Quantity.VELOCITY)
    assert robot.command is motor
    assert robot.output.quantity is Quantity.POSITION
    assert robot.output.limits is not None
    assert robot.output.limits.velocity_rad_s.tolist() == [1, 2]
    assert robot.required == ('joints', 'camera')


def test_without_limits_a_robot_loads_and_says_so(load, robot_data):
    del robot_data['modalities']['motor']['output']['limits']
    assert load(robot_data).output.limits is None


def test_a_vector_may_give_its_shape_alone(load, robot_data):
    touch = robot_data['modalities']['touch']
    del touch['channels']
    touch |= {'shape': [3], 'message': 'std_msgs/Float32MultiArray'}
    assert load(robot_data).modalities[2].channels == ('touch0', 'touch1', 'touch2')


def test_the_robot_that_ships_loads(iiwa_file):
    robot = load_robot(iiwa_file)
    assert [m.name for m in robot.modalities] == ['camera', 'joints', 'touch', 'motor']
    assert len(robot.output.joints) == 7
    assert robot.output.limits is not None


def test_contrast_is_asked_of_pictures_unless_it_is_switched_off(load, robot_data):
    # YAML reads `off` as false.
    assert robot_data['modalities']['camera']['min_contrast'] is False
    assert load(robot_data).min_contrast == {}
    robot_data['modalities']['camera']['min_contrast'] = 6
    robot = load(robot_data)
    assert robot.min_contrast == {'camera': 6.0}
    assert robot.taking_every_picture().min_contrast == {}
    assert robot.taking_every_picture().modalities == robot.modalities


def test_certainty_is_not_asked_for_where_it_is_switched_off(load, robot_data):
    # YAML reads `off` as false.
    robot_data['modalities']['motor']['output'] |= {'slow_std': False, 'max_std': False}
    certainty = load(robot_data).output.certainty
    assert certainty == Certainty(None, None)
    assert certainty.speed_share(1e30) == 1
    robot_data['modalities']['motor']['output'] |= {'slow_std': 'off', 'max_std': 'off'}
    assert load(robot_data).output.certainty == certainty


@pytest.mark.parametrize(
    ('said', 'expected'), [(None, {}), ('off', {}), (False, {}), (1.5, {'camera': 1.5})]
)
def test_a_sense_is_predicted_for_as_long_as_the_file_says(load, robot_data, said, expected):
    if said is not None:
        robot_data['modalities']['camera']['max_prediction_s'] = said
    assert load(robot_data).max_prediction_s == expected


@pytest.mark.parametrize('said', [0, 0.01, -1, 61, 'long'])
def test_a_prediction_that_ends_before_the_sample_is_old_is_refused(load, robot_data, said):
    robot_data['modalities']['camera']['max_prediction_s'] = said
    with pytest.raises(ModalityError, match='max_prediction_s is'):
        load(robot_data)


def test_every_sense_is_compared_unless_the_file_says_no(load, robot_data):
    assert all(s.compared for s in load(robot_data).sources.values())
    robot_data['modalities']['touch']['compared'] = False
    assert [n for n, s in load(robot_data).sources.items() if not s.compared] == ['touch']


@pytest.mark.parametrize(('watchdog_s', 'loads'), [(0.05, False), (0.06, True)])
def test_a_watchdog_must_have_more_patience_than_the_timer_of_a_loop_that_a_sense_drives(
    load, robot_data, watchdog_s, loads
):
    robot_data['control'] |= {'rate_hz': 50, 'watchdog_s': watchdog_s}
    assert load(robot_data).watchdog_s == watchdog_s
    robot_data['control']['trigger'] = 'joints'
    if loads:
        assert load(robot_data).trigger == 'joints'
    else:
        with pytest.raises(ModalityError, match=r'more than 2\.75 periods of 50 Hz'):
            load(robot_data)


@pytest.mark.parametrize('key', ['unit', 'max_age_s'])
def test_a_place_is_named_once(load, robot_data, key):
    spoil(robot_data, (*CAMERA, key), GONE)
    with pytest.raises(ModalityError, match=f'{key} is missing') as told:
        load(robot_data)
    assert str(told.value).count('modalities.camera') == 1


def test_the_checksum_of_a_robot_is_of_what_its_file_says(robot, tmp_path):
    said = robot_checksum(robot.path)
    assert origin_of(robot) == {'robot_file': 'robot.yaml', 'robot_sha256': said}
    text = robot.path.read_text()
    other = tmp_path / 'other.yaml'
    other.write_text('# A comment.\n' + text.replace('robot: small', 'robot:    small'))
    assert robot_checksum(other) == said
    other.write_text(text.replace('robot: small', 'robot: large'))
    assert robot_checksum(other) != said
