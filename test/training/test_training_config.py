"""The training YAML."""

from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.training.config import load_training_config, OFF
from mmvae_controller.training.errors import TrainingError
from mmvae_controller.training.muting import Pattern
from mmvae_controller.training.optimising import OptimiserConfig, OptimiserName, RateSchedule
from mmvae_controller.training.order import Order
from mmvae_controller.vae.errors import VaeError
from mmvae_controller.vae.objective_settings import ObjectiveConfig
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


def test_what_is_optional_is_as_it_was_before_there_was_a_choice(read):
    config = read()
    assert config.optimiser == OptimiserConfig(OptimiserName.ADAMW, 0.01)
    assert config.rate_schedule is RateSchedule.COSINE
    assert (config.passes, config.scramble, config.noise) == (1, 0.0, 0.0)
    assert config.gradient_norm == 10.0
    assert config.objective == ObjectiveConfig(picture_share=0.5)


def test_every_choice_is_read(read):
    config = read(
        optimiser={'name': 'adam', 'weight_decay': 0.5}, rate_schedule='constant', passes=4,
        scramble=0.25, noise=0.1, gradient_norm=False, muting={'named': 1, 'mixed': 2},
        objective={'variance_power': 0.5},
    )  # fmt: skip
    assert config.optimiser == OptimiserConfig(OptimiserName.ADAM, 0.5)
    assert config.rate_schedule is RateSchedule.CONSTANT
    assert (config.passes, config.scramble, config.noise) == (4, 0.25, 0.1)
    assert config.gradient_norm == OFF
    assert config.muting.shares == {Pattern.NAMED: 1.0, Pattern.MIXED: 2.0}
    assert config.objective == ObjectiveConfig(variance_power=0.5, picture_share=0.5)


@pytest.mark.parametrize(('name', 'decay'), [('adam', 0.0), ('adamw', 0.01)])
def test_without_a_weight_decay_an_optimiser_takes_its_own(read, name, decay):
    assert read(optimiser={'name': name}).optimiser.weight_decay == decay


def test_samples_of_one_time_step_are_refused_for_they_are_no_windows(read, network_data):
    with pytest.raises(TrainingError, match='steps is 1, windows of a robot have 2'):
        read(network=network_data | {'steps': 1})


REFUSED = [
    ({'optimiser': {'name': 'sgd'}}, ModalityError, "name is 'sgd', expected one of .*adamw"),
    ({'optimiser': {'weight_decay': 0}}, ModalityError, 'optimiser: name is missing'),
    ({'optimiser': {'name': 'adam', 'weight_decay': -1}}, ModalityError, 'weight_decay is -1'),
    ({'optimiser': {'name': 'adam', 'x': 1}}, ModalityError, 'optimiser: unknown key x'),
    ({'rate_schedule': 'linear'}, ModalityError, "rate_schedule is 'linear'"),
    ({'gradient_norm': True}, ModalityError, 'gradient_norm is True'),
    ({'gradient_norm': 0}, ModalityError, 'gradient_norm is 0'),
    ({'passes': 0}, ModalityError, 'passes is 0'),
    ({'scramble': 1.5}, ModalityError, r'scramble is 1\.5'),
    ({'noise': -0.1}, ModalityError, r'noise is -0\.1'),
    ({'objective': {'kind': 'loud'}}, ModalityError, "objective: kind is 'loud'"),
    ({'epochs': 0}, ModalityError, 'epochs is 0'),
    (
        {'kl': {'start': 0.05, 'plateau': 0.5, 'epochs': 1}},
        VaeError,
        r'train\.yaml: kl: start is 0\.05 and plateau 0\.5, expected 0 <= plateau <= start',
    ),
    (
        {'muting': {'named': 0, 'mixed': 0}},
        TrainingError,
        r'train\.yaml: muting: shares are \{mixed: 0, named: 0\}, expected some above 0',
    ),
    ({'muting': {'odd': 1}}, TrainingError, r"muting: unknown pattern \['odd'\]; known are comp"),
    ({'objective': {'picture_share': 0.3}}, TrainingError, 'picture_share is there twice'),
    ({'batch_size': 2.5}, ModalityError, r'batch_size is 2\.5'),
    ({'learning_rate': 0}, ModalityError, 'learning_rate is 0'),
    ({'held_out': 1.0}, ModalityError, r'held_out is 1\.0'),
    ({'picture_share': 0}, ModalityError, 'picture_share is 0'),
    ({'seed': -1}, ModalityError, 'seed is -1'),
    ({'momentum': 1}, ModalityError, 'unknown key momentum'),
    ({'muting': {'loud': 1}}, TrainingError, 'unknown pattern .*loud.* policy,'),
    ({'muting': {'policy': -1}}, ModalityError, 'policy is -1'),
    ({'muting': {}}, TrainingError, 'expected some above 0'),
    ({'kl': {'start': 0, 'plateau': 1, 'epochs': 1}}, VaeError, 'start is 0'),
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


def test_the_order_of_the_rows_is_any_unless_it_says_otherwise(read):
    assert read().order is Order.ROWS
    assert read(order='blocks').order is Order.BLOCKS
    with pytest.raises(ModalityError, match=r"order is 'shards'"):
        read(order='shards')
