"""The configuration of a network."""

from dataclasses import replace

from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.reader import Section
from mmvae_controller.vae.config import Fusion, network_config, Reading
from mmvae_controller.vae.errors import VaeError
import pytest
import yaml


def read(robot, data):
    return network_config(Section(data, 'train.yaml: network'), robot.modalities)


def test_a_configuration_survives_being_written_and_read(robot, network_data):
    config = read(robot, network_data)
    assert read(robot, config.data()) == config


OPTIONS = [
    {'steps': 1},
    {'straight': True},
    {'presence': False, 'fill': -2.0},
    {'initial_log_variance': 0.0},
    {'fill_rounds': 3},
    {'shared_encoder': [], 'shared_decoder': []},
    {'activation': 'relu', 'latent': 9},
    *({'fusion': f.value} for f in Fusion),
    *({'hierarchy': {'latents': [3, 2], 'hidden': [5], 'reading': r.value}} for r in Reading),
]
BRANCH_OPTIONS = [
    {'likelihood': 'bernoulli', 'normalise': False},
    {'likelihood': 'categorical', 'normalise': False},
    {'normalise': False, 'variance_floor': 0.01, 'weight': 0.0},
    {'encoder': [], 'decoder': []},
]


@pytest.mark.parametrize('options', OPTIONS)
def test_every_option_survives_being_written_and_read(robot, network_data, options):
    plain = read(robot, network_data)
    config = read(robot, network_data | options)
    assert config != plain or options == {'fusion': 'joint'}
    assert {k: config.data()[k] for k in options} == options
    written = yaml.safe_load(yaml.safe_dump(config.data()))
    assert read(robot, written) == config


@pytest.mark.parametrize('options', BRANCH_OPTIONS)
def test_every_option_of_a_branch_survives_being_written_and_read(robot, network_data, options):
    plain = read(robot, network_data)
    network_data['branches']['touch'] |= options
    config = read(robot, network_data)
    assert config != plain
    assert {k: config.data()['branches']['touch'][k] for k in options} == options
    assert read(robot, yaml.safe_load(yaml.safe_dump(config.data()))) == config


def test_the_slices_of_a_trunk_survive_being_written_and_read(robot, network_data):
    for name, trunk in {'camera': 1, 'joints': 2, 'touch': 3, 'motor': 4}.items():
        network_data['branches'][name]['trunk'] = trunk
    config = read(robot, network_data)
    assert config.branches['touch'].trunk == 3
    assert read(robot, config.data()) == config


def test_the_branches_are_in_the_order_of_the_modalities(robot, network_data):
    network_data['branches'] = dict(reversed(network_data['branches'].items()))
    assert list(read(robot, network_data).branches) == [m.name for m in robot.modalities]


@pytest.mark.parametrize('trunks', [{'camera': 10}, {'camera': 7, 'joints': 1, 'touch': 1}])
def test_a_slice_of_the_trunk_for_some_alone_is_refused(robot, network_data, trunks):
    for name, trunk in trunks.items():
        network_data['branches'][name]['trunk'] = trunk
    with pytest.raises(VaeError, match=r'trunk, expected none .*adding up to its width 10'):
        read(robot, network_data)


@pytest.mark.parametrize('width', [11, 13])
def test_slices_that_do_not_add_up_are_refused(robot, network_data, width):
    for branch in network_data['branches'].values():
        branch['trunk'] = 3
    read(robot, network_data | {'shared_decoder': [12]})
    with pytest.raises(VaeError, match=f'adding up to its width {width}'):
        read(robot, network_data | {'shared_decoder': [width]})


@pytest.mark.parametrize('likelihood', ['bernoulli', 'categorical'])
def test_only_a_gaussian_may_be_normalised(robot, network_data, likelihood):
    network_data['branches']['touch']['likelihood'] = likelihood
    with pytest.raises(VaeError, match=f'branches.touch: likelihood {likelihood} .*normalise'):
        read(robot, network_data)


def test_a_picture_is_no_choice(robot, network_data):
    network_data['branches']['camera'] |= {'likelihood': 'categorical', 'normalise': False}
    with pytest.raises(VaeError, match='camera: an image is not one of some classes'):
        read(robot, network_data)


REFUSED = [
    ('latent', 0, ModalityError, 'latent is 0'),
    ('latent', None, ModalityError, 'latent is missing'),
    ('activation', 'tanh', ModalityError, "activation is 'tanh'.*relu"),
    ('shared_encoder', 'x', ModalityError, "shared_encoder is 'x'"),
    ('shared_decoder', [0], ModalityError, r'shared_decoder is \[0\]'),
    ('depth', 3, ModalityError, 'unknown key depth'),
    ('steps', 0, ModalityError, 'steps is 0'),
    ('fusion', 'mixture', ModalityError, "fusion is 'mixture'.*experts_and_prior"),
    ('straight', 1, ModalityError, 'straight is 1, expected true or false'),
    ('fill', float('nan'), ModalityError, 'fill is nan'),
    ('fill_rounds', -1, ModalityError, 'fill_rounds is -1'),
    ('hierarchy', {'latents': [], 'hidden': []}, ModalityError, r'latents is \[\]'),
    ('hierarchy', {'latents': [2]}, ModalityError, 'hierarchy: hidden is missing'),
    (
        'hierarchy', {'latents': [2], 'hidden': [], 'reading': 'x'}, ModalityError,
        "hierarchy: reading is 'x'",
    ),
    ('hierarchy', {'latents': [2], 'hidden': [], 'z': 1}, ModalityError, 'unknown key z'),
    ('branches', {}, VaeError, 'branches for .*the modalities are'),
    ('branches', 1, ModalityError, 'expected a mapping'),
]  # fmt: skip


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


@pytest.mark.parametrize(
    ('size', 'layers', 'advice'),
    [
        ((48, 64), 5, r'shape: \[64, 64, 3\] .* no more layers than 4$'),
        ((45, 60), 2, r'shape: \[44, 60, 3\] .*publishes\)$'),
    ],
)
def test_who_has_other_pictures_is_told_which_go_together(
    robot, network_data, size, layers, advice
):
    modalities = tuple(
        replace(m, shape=(*size, 3)) if m.name == 'camera' else m for m in robot.modalities
    )
    network_data['branches']['camera']['encoder'] = [2] * layers
    with pytest.raises(VaeError, match=advice):
        network_config(Section(network_data, 'test'), modalities)


def test_a_branch_that_is_missing_is_refused(robot, network_data):
    del network_data['branches']['touch']
    with pytest.raises(VaeError, match=r"the modalities are .*'touch'"):
        read(robot, network_data)
