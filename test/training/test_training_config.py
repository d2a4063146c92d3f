"""The training YAML."""

from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.training.config import load_training_config
from mmvae_controller.training.errors import TrainingError
from mmvae_controller.vae.errors import VaeError
import pytest
import yaml


@pytest.fixture
def read(robot, training_data, tmp_path):
    def read_with(**changes):
        path = tmp_path / 'train.yaml'
        path.write_text(yaml.safe_dump(training_data | changes), encoding='utf-8')
        return load_training_config(path, robot.modalities)

    return read_with


def test_a_training_is_read_as_written(read):
    config = read()
    assert (config.epochs, config.batch_size, config.seed) == (3, 16, 1)
    assert sum(config.muting.shares.values()) == pytest.approx(1.0)


REFUSED = [
    ({'epochs': 0}, ModalityError, 'epochs is 0'),
    ({'batch_size': 2.5}, ModalityError, r'batch_size is 2\.5'),
    ({'learning_rate': 0}, ModalityError, 'learning_rate is 0'),
    ({'held_out': 1.0}, ModalityError, r'held_out is 1\.0'),
    ({'picture_share': 0}, ModalityError, 'picture_share is 0'),
    ({'seed': -1}, ModalityError, 'seed is -1'),
    ({'momentum': 1}, ModalityError, 'unknown key momentum'),
    ({'muting': {'loud': 1}}, TrainingError, "unknown pattern .*loud.*'policy'"),
    ({'muting': {'policy': -1}}, ModalityError, 'policy is -1'),
    ({'muting': {}}, TrainingError, 'expected some above 0'),
    ({'kl': {'start': 0, 'plateau': 1, 'epochs': 1}}, VaeError, 'start 0'),
    ({'kl': {'start': 1, 'plateau': 1}}, ModalityError, 'kl: epochs is missing'),
    ({'kl': {'start': 1, 'plateau': 1, 'epochs': 1, 'x': 1}}, ModalityError, 'unknown key x'),
    ({'network': 1}, ModalityError, 'network: expected a mapping'),
]


@pytest.mark.parametrize(('changes', 'error', 'words'), REFUSED)
def test_a_wrong_key_is_refused_with_what_was_found(read, changes, error, words):
    with pytest.raises(error, match=words):
        read(**changes)


def test_the_training_that_ships_fits_the_robot_that_ships(iiwa_file):
    robot = load_robot(iiwa_file)
    path = iiwa_file.parents[1] / 'train' / 'touch_target.yaml'
    assert load_training_config(path, robot.modalities).name == 'touch_target'
