"""The configuration of a network."""

from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.reader import Section
from mmvae_controller.vae.config import network_config
from mmvae_controller.vae.errors import VaeError
import pytest


def read(robot, data):
    return network_config(Section(data, 'train.yaml: network'), robot.modalities)


def test_a_configuration_survives_being_written_and_read(robot, network_data):
    config = read(robot, network_data)
    assert read(robot, config.data()) == config


REFUSED = [
    ('latent', 0, ModalityError, 'latent is 0'),
    ('latent', None, ModalityError, 'latent is missing'),
    ('activation', 'tanh', ModalityError, "activation is 'tanh'.*relu"),
    ('shared_encoder', 'x', ModalityError, "shared_encoder is 'x'"),
    ('shared_decoder', [0], ModalityError, r'shared_decoder is \[0\]'),
    ('depth', 3, ModalityError, 'unknown key depth'),
    ('branches', {}, VaeError, 'branches for .*the modalities are'),
    ('branches', 1, ModalityError, 'expected a mapping'),
]


@pytest.mark.parametrize(('key', 'value', 'error', 'words'), REFUSED)
def test_a_wrong_key_is_refused_by_name(robot, network_data, key, value, error, words):
    network_data[key] = value
    with pytest.raises(error, match=words) as refused:
        read(robot, network_data)
    assert 'network' in str(refused.value)


BRANCHES = [
    ('encoder', [], VaeError, 'camera: its encoder has no layer'),
    ('decoder', 'x', ModalityError, 'camera: decoder'),
    ('weight', -1, ModalityError, 'camera: weight is -1'),
    ('wieght', 1, ModalityError, 'camera: unknown key wieght'),
    ('encoder', [2, 2, 2, 2], VaeError, r'camera: 4 layers in its encoder.*multiple of 16'),
    ('decoder', [2, 2, 2, 2], VaeError, r'camera: 4 layers in its decoder.*multiple of 16'),
]


@pytest.mark.parametrize(('key', 'value', 'error', 'words'), BRANCHES)
def test_a_wrong_branch_is_refused_by_name(robot, network_data, key, value, error, words):
    network_data['branches']['camera'][key] = value
    with pytest.raises(error, match=words.replace('camera: ', 'camera.*', 1)):
        read(robot, network_data)


def test_a_branch_that_is_missing_is_refused(robot, network_data):
    del network_data['branches']['touch']
    with pytest.raises(VaeError, match=r"the modalities are .*'touch'"):
        read(robot, network_data)
