"""model.yaml: the same after writing and reading, and refused when anything is wrong."""

from dataclasses import replace
import math

from mmvae_controller.modality.contract import (
    check_file,
    file_checksum,
    ModelContract,
    read_contract,
    write_contract,
)
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.normaliser import Normaliser
from mmvae_controller.modality.observation import Observation
from mmvae_controller.modality.shared_files import CONTRACT_FILE
import numpy as np
import pytest
import yaml

GONE = object()


@pytest.fixture
def contract(robot, normalisers):
    return ModelContract(
        'm', robot.modalities, normalisers, 0.1, 4, {'latent': 4}, {'seed': 1}, {'w': 'abc'}
    )


@pytest.fixture
def folder(tmp_path, contract):
    write_contract(tmp_path, contract)
    return tmp_path


def test_a_contract_is_the_same_after_writing_and_reading(folder, contract):
    assert read_contract(folder) == contract


REFUSED = [
    (('format',), 2, ['format 2', 'reads 1']),
    (('format',), GONE, ['format is missing']),
    (('name',), GONE, ['name is missing']),
    (('step_s',), 0, ['step_s is 0', 'from 0.001']),
    (('step_s',), float('nan'), ['step_s is nan']),
    (('latent_size',), 0, ['latent_size is 0', 'at least 1']),
    (('latent_size',), 4.5, ['latent_size is 4.5', 'whole number']),
    (('network',), GONE, ['network is missing']),
    (('provenance',), 'me', ['provenance', 'expected a mapping']),
    (('checksums',), [], ['checksums', 'expected a mapping']),
    (('modalities',), {}, ['role command, found none']),
    (('modalities', 'motor', 'role'), 'sense', ['motor', 'only a command, says its quantity']),
    (('modalities', 'motor', 'quantity'), GONE, ['motor', 'only a command, says its quantity']),
    (('modalities', 'joints', 'shape'), [2], ['joints', '2 numbers but 3 channel names']),
    (('modalities', 'joints', 'shape'), [-2], ['joints', 'shape is [-2]']),
    (('modalities', 'joints', 'encoder'), 'ear', ["encoder is 'ear'", 'vector']),
    (('modalities', 'joints', 'max_age_s'), -1, ['joints', 'max_age_s is -1', 'above 0']),
    (('modalities', 'joints', 'unit'), GONE, ['unit is missing']),
    (('modalities', 'joints', 'offset'), [0, 0], ['joints', '2 offsets but 3 scales']),
    (('modalities', 'joints', 'offset'), [0, 0, 'a'], ['offset is', 'finite numbers']),
    (('modalities', 'joints', 'scale'), [1, 0, 1], ['joints', 'not invertible']),
    (('modalities', 'joints', 'scale'), GONE, ['joints', 'scale is missing']),
]


@pytest.mark.parametrize(('path', 'value', 'words'), REFUSED)
def test_a_wrong_field_is_refused_with_its_file_and_what_was_expected(folder, path, value, words):
    data = yaml.safe_load((folder / CONTRACT_FILE).read_text())
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    if value is GONE:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    (folder / CONTRACT_FILE).write_text(yaml.safe_dump(data))
    with pytest.raises(ModalityError) as refused:
        read_contract(folder)
    for word in (CONTRACT_FILE, *words):
        assert word in str(refused.value)


@pytest.mark.parametrize(('name', 'count'), [('joints', 1), ('joints', 4), ('camera', 192)])
def test_a_normaliser_has_one_number_per_channel_or_one_per_picture(
    tmp_path, contract, normalisers, name, count
):
    wrong = type(normalisers[name])((0.0,) * count, (1.0,) * count)
    write_contract(tmp_path, replace(contract, normalisers=normalisers | {name: wrong}))
    with pytest.raises(ModalityError, match=f'{name}: normaliser of {count} numbers, expected'):
        read_contract(tmp_path)


@pytest.mark.parametrize('name', ['known', 'latent'])
def test_a_modality_cannot_have_the_name_of_an_input_of_the_network(contract, name):
    touch = replace(contract.modalities[2], name=name)
    with pytest.raises(ModalityError, match=name):
        replace(contract, modalities=(*contract.modalities[:2], touch, contract.modalities[3]))


def test_a_folder_without_contract_is_no_model(tmp_path):
    with pytest.raises(ModalityError, match='is no model folder'):
        read_contract(tmp_path)


def test_a_robot_that_swaps_red_and_blue_is_told(contract, load, robot_data):
    robot_data['modalities']['camera']['encoding'] = 'bgr8'
    assert contract.misfits(load(robot_data)) == [
        "camera: channels of the robot is ['blue', 'green', 'red'], "
        "the model expects ['red', 'green', 'blue']"
    ]


def eyes(robot_data, **keys):
    robot_data['modalities']['eyes'] = {
        'role': 'sense', 'encoder': 'image', 'shape': [8, 8, 1], 'unit': 'm', 'topic': 'eyes',
        'max_age_s': 0.2, 'min_contrast': 'off', **keys,
    }  # fmt: skip
    return robot_data


def misfits_after(load, robot_data, folder, keys, trained, found):
    robot = load(eyes(robot_data, **keys, **trained))
    normalisers = {name: Normaliser((0.0,), (255.0,)) for name in ('camera', 'eyes')}
    for modality in robot.modalities:
        zeros, ones = (0.0,) * modality.size, (1.0,) * modality.size
        normalisers.setdefault(modality.name, Normaliser(zeros, ones))
    write_contract(folder, ModelContract('m', robot.modalities, normalisers, 0.1, 4, {}, {}, {}))
    contract = read_contract(folder)
    assert contract.misfits(robot) == []
    return contract.misfits(load(eyes(robot_data, **keys, **trained | found)))


def test_a_model_knows_which_range_each_level_of_a_depth_picture_was(load, robot_data, tmp_path):
    trained = {'message': 'sensor_msgs/Image', 'encoding': '16UC1'}
    near, far = {'depth_m': [0.3, 2.0]}, {'depth_m': [0.1, 8]}
    assert misfits_after(load, robot_data, tmp_path, trained, near, far) == [
        'eyes: unit of the robot is m, 1 at 0.1 to 255 at 8, the model expects m, 1 at 0.3 to 255 '
        'at 2'
    ]


@pytest.mark.parametrize(
    ('other', 'says'),
    [
        ({'height_m': [0, 0.4]}, 'm, 1 at 0 to 255 at 0.4, over x 0.2 to 1 and y -0.3 to 0.3'),
        (
            {'area_m': [0.2, 1, -0.3, 0.5]},
            'm, 1 at 0 to 255 at 0.5, over x 0.2 to 1 and y -0.3 to 0.5',
        ),
    ],
)
def test_a_model_knows_which_place_and_height_each_cell_of_a_map_was(
    load, robot_data, tmp_path, other, says
):
    trained = {'message': 'sensor_msgs/PointCloud2'}
    usual = {'area_m': [0.2, 1, -0.3, 0.3], 'height_m': [0, 0.5]}
    assert misfits_after(load, robot_data, tmp_path, trained, usual, other) == [
        f'eyes: unit of the robot is {says}, the model expects m, 1 at 0 to 255 at 0.5, over '
        'x 0.2 to 1 and y -0.3 to 0.3'
    ]


def test_a_robot_that_differs_is_told_every_difference(contract, load, robot_data):
    joints = robot_data['modalities']['joints']
    joints['joints'] = ['left', 'spare', 'right']
    joints['unit'] = 'deg'
    robot_data['modalities']['camera']['shape'] = [4, 8, 3]
    robot_data['modalities']['motor']['quantity'] = 'position'
    robot_data['modalities']['ears'] = robot_data['modalities'].pop('touch')
    robot = load(robot_data)
    problems = contract.misfits(robot)
    assert sorted(p.split(':')[0] for p in problems) == [
        'camera', 'ears', 'joints', 'joints', 'motor', 'touch',
    ]  # fmt: skip
    with pytest.raises(ModalityError) as refused:
        contract.check_fits(robot)
    for words in (
        'ears: the robot has it',
        'touch: the model needs it',
        "joints: its channels have to be in this order: ['right', 'spare', 'left']",
        'unit of the robot is deg, the model expects rad',
        'shape of the robot is [4, 8, 3], the model expects [8, 8, 3]',
        'quantity of the robot is position, the model expects velocity',
        'robot.yaml',
    ):
        assert words in str(refused.value)


def test_what_a_robot_has_too_much_is_named_in_the_order_of_its_yaml(contract, robot):
    extra = [replace(robot.modalities[0], name=f'eye_{i}') for i in range(9)]
    problems = contract.misfits(replace(robot, modalities=(*extra, *robot.modalities)))
    assert [p.partition(':')[0] for p in problems] == [m.name for m in extra]


def test_a_robot_that_fits_has_no_misfits(contract, robot):
    assert contract.misfits(robot) == []
    contract.check_fits(robot)


def test_a_file_that_changed_by_one_bit_is_refused(tmp_path, contract):
    (tmp_path / 'w').write_bytes(b'weights')
    contract = replace(contract, checksums={'w': file_checksum(tmp_path / 'w')})
    assert check_file(tmp_path, 'w', contract) == tmp_path / 'w'
    (tmp_path / 'w').write_bytes(b'weighus')
    with pytest.raises(ModalityError, match='w: checksum differs'):
        check_file(tmp_path, 'w', contract)


def test_a_file_that_is_missing_or_has_no_checksum_is_refused(tmp_path, contract):
    with pytest.raises(ModalityError, match='other: is missing'):
        check_file(tmp_path, 'other', contract)
    (tmp_path / 'other').write_bytes(b'')
    with pytest.raises(ModalityError, match='checksum differs'):
        check_file(tmp_path, 'other', contract)


def test_how_old_samples_were_in_training_is_part_of_the_contract(tmp_path, contract):
    aged = replace(contract, longest_age_s={'camera': 3.0})
    write_contract(tmp_path, aged)
    assert read_contract(tmp_path) == aged


def test_a_model_is_told_the_age_of_what_it_learnt_to_read_old_and_else_what_is_known(contract):
    known = np.array([[True, True], [False, True], [True, True], [True, False]])
    age_s = np.array([[0.5, 1.0], [math.inf, 0.25], [3.0, 0.0], [0.0, math.inf]], np.float32)
    seen = Observation(0, {}, known, age_s)
    assert contract.freshness(seen).tolist() == known.astype(float).tolist()
    told = replace(contract, longest_age_s={'camera': 3.0, 'touch': 3.0}).freshness(seen)
    np.testing.assert_allclose(told, [[2 / 3, 0.5], [0, 1], [0.25, 1], [1, 0]], rtol=1e-6)
    assert told.dtype == np.float32
