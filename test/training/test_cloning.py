"""The behaviour cloning peer: it learns, goes on, and is exported as it is."""

from dataclasses import replace

from mmvae_controller.cli.main import app
from mmvae_controller.datasets.store import Dataset, shard_path
from mmvae_controller.modality.contract import NETWORK_FILE, WEIGHTS_FILE
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.observation import CURRENT, PREVIOUS
from mmvae_controller.modality.reader import Section
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.modality.spec import Quantity
from mmvae_controller.training.cloning import Cloner
from mmvae_controller.training.cloning_config import load_cloning_config, peer_layers
from mmvae_controller.training.cloning_network import PeerNetwork
from mmvae_controller.training.config import load_training_config
from mmvae_controller.training.errors import TrainingError
from mmvae_controller.training.peer_contract import (
    check_peer_file,
    PeerContract,
    read_peer_contract,
)
import numpy as np
import onnxruntime
import pytest
from safetensors.torch import load_file
import torch
from typer.testing import CliRunner
import yaml

CLONING = {
    'name': 'small',
    'seed': 1,
    'split_seed': 1,
    'epochs': 3,
    'batch_size': 16,
    'learning_rate': 0.01,
    'warmup_steps': 2,
    'weight_decay': 0.01,
    'gradient_norm': 10.0,
    'held_out': 0.2,
    'network': {
        'activation': 'elu',
        'hidden': [12],
        'branches': {'camera': [3, 4], 'joints': [8], 'touch': [6], 'motor': [8]},
    },
}


@pytest.fixture
def cloning_file(tmp_path):
    path = tmp_path / 'clone.yaml'
    path.write_text(yaml.safe_dump(CLONING), encoding='utf-8')
    return path


@pytest.fixture
def cloning(cloning_file, dataset):
    return load_cloning_config(cloning_file, dataset.modalities)


def quiet(loss):
    """Take no notice."""


def weights(cloner):
    return torch.cat([p.detach().flatten() for p in cloner.model.parameters()])


def first_windows(cloner):
    return cloner.dataset.batch(cloner.train_rows[:5]).values


def as_tensors(values):
    return {n: torch.from_numpy(np.asarray(v)) for n, v in values.items()}


def test_it_learns_the_right_command_and_not_the_one_that_was_applied(cloning, dataset):
    cloner = Cloner(replace(cloning, epochs=15), dataset)
    before = cloner.validate()
    results = list(cloner.epochs(quiet))
    assert results[-1].loss < 0.2 * results[0].loss
    # What was applied is the right command with noise of 0.3 rad/s.
    assert results[-1].command_rmse < 0.3 < before


def test_a_run_that_was_interrupted_and_resumed_is_the_uninterrupted_one(
    cloning, dataset, tmp_path
):
    whole = Cloner(cloning, dataset)
    results = list(whole.epochs(quiet))
    first = Cloner(cloning, dataset)
    run = first.epochs(quiet)
    next(run)
    first.save(tmp_path / 'state')
    next(run)
    torch.manual_seed(999)
    second = Cloner(cloning, dataset)
    second.resume(tmp_path / 'state')
    assert second.epoch == 1
    assert second.last == results[0]
    assert [r.loss for r in second.epochs(quiet)] == pytest.approx(
        [r.loss for r in results[1:]], abs=1e-6
    )
    torch.testing.assert_close(weights(second), weights(whole), atol=1e-6, rtol=0)
    other = Cloner(replace(cloning, seed=2), dataset)
    with pytest.raises(TrainingError, match='another configuration'):
        other.resume(tmp_path / 'state')


def test_the_command_that_is_asked_for_is_never_read(cloning, dataset):
    cloner = Cloner(cloning, dataset)
    values = as_tensors(first_windows(cloner))
    with torch.no_grad():
        told = cloner.model.normalised(values)
        for step, matters in ((CURRENT, False), (PREVIOUS, True)):
            changed = values['motor'].clone()
            changed[:, step] += 1
            again = cloner.model.normalised(values | {'motor': changed})
            assert torch.equal(again, told) != matters
        for name in ('camera', 'joints', 'touch'):
            for step in (PREVIOUS, CURRENT):
                changed = values[name].clone()
                changed[:, step] += 1
                again = cloner.model.normalised(values | {name: changed})
                assert not torch.equal(again, told), f'{name} at step {step} is not read'


def test_before_an_episode_begins_the_senses_were_the_same_and_the_arm_at_rest(cloning, dataset):
    cloner = Cloner(cloning, dataset)
    begin = np.flatnonzero(np.diff(dataset.episode, prepend=-1))
    batch = dataset.batch(begin)
    assert not batch.known[:, :, PREVIOUS].any()
    values, label = cloner._complete(batch)
    for name in ('camera', 'joints', 'touch'):
        assert torch.equal(values[name][:, PREVIOUS], values[name][:, CURRENT])
    assert not values['motor'][:, PREVIOUS].any()
    assert np.array_equal(label.numpy(), batch.label)


def test_rows_in_which_a_sense_is_missing_are_not_learnt_from(cloning, write_world):
    folder = write_world(shards=1, name='lost')
    path = shard_path(folder, 0) / 'known.npy'
    known = np.load(path)
    lost = np.arange(0, len(known), 3)
    known[lost, 2] = False
    np.save(path, known)
    cloner = Cloner(cloning, Dataset(folder))
    rows = np.concatenate([cloner.train_rows, cloner.validation_rows])
    assert not np.isin(rows, lost).any()
    known[:, 2] = False
    np.save(path, known)
    with pytest.raises(TrainingError, match='no row to train on'):
        Cloner(cloning, Dataset(folder))


def test_a_command_that_is_a_position_is_refused(cloning, dataset):
    modalities = tuple(
        replace(m, quantity=Quantity.POSITION) if m.quantity else m for m in dataset.modalities
    )
    dataset.description = replace(dataset.description, modalities=modalities)
    with pytest.raises(TrainingError, match='motor is a position, expected a velocity'):
        Cloner(cloning, dataset)


def test_a_peer_of_another_robot_is_refused_by_name(dataset, normalisers, robot, tmp_path):
    contract = PeerContract('small', dataset.modalities, normalisers, 0.1, {}, {}, {})
    contract.check_fits(robot)
    later = tuple(replace(m, max_age_s=9.0) for m in robot.modalities)
    contract.check_fits(replace(robot, modalities=later))
    lacking = tuple(m for m in robot.modalities if m.name != 'touch')
    with pytest.raises(TrainingError, match='touch is None'):
        contract.check_fits(replace(robot, modalities=lacking))
    with pytest.raises(TrainingError, match='is no peer'):
        read_peer_contract(tmp_path)


@pytest.mark.parametrize(
    ('spoil', 'says'),
    [
        ({'epochs': 0}, 'epochs is 0'),
        ({'epoch': 3}, 'unknown key epoch'),
        ({'network': {'branches': {'camera': [3, 4, 4, 4]}}}, 'no multiple'),
        ({'network': {'branches': {'motor': []}}}, 'motor is'),
        ({'network': {'branches': {'smell': [3]}}}, 'unknown key smell'),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(spoil, says, dataset, tmp_path):
    data = CLONING | spoil
    if 'network' in spoil:
        branches = CLONING['network']['branches'] | spoil['network']['branches']
        data['network'] = CLONING['network'] | {'branches': branches}
    path = tmp_path / 'clone.yaml'
    path.write_text(yaml.safe_dump(data), encoding='utf-8')
    with pytest.raises((ModalityError, TrainingError), match=says):
        load_cloning_config(path, dataset.modalities)


@pytest.mark.slow
def test_the_command_writes_a_peer_that_computes_what_its_weights_do_and_only_once(
    write_world, cloning_file, tmp_path
):
    world = write_world()
    words = ['clone', '--dataset', str(world), '--config', str(cloning_file)]
    out = tmp_path / 'out'

    def run():
        return CliRunner().invoke(app, [*words, '--out', str(out), '--epochs', '1'])

    first = run()
    assert first.exit_code == 0, first.output
    assert 'wrote the peer; epoch 1: motor RMSE' in first.output
    contract = read_peer_contract(out)
    assert contract.provenance['epochs'] == 1
    assert contract.provenance['last_epoch']['command_rmse'] > 0

    layers = peer_layers(Section(contract.network, 'test'), contract.modalities)
    network = PeerNetwork(contract.modalities, layers, contract.normalisers)
    network.load_state_dict(load_file(check_peer_file(out, WEIGHTS_FILE, contract)))
    path = check_peer_file(out, NETWORK_FILE, contract)
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    values = Dataset(world).batch(np.arange(5, 10)).values
    (exported,) = session.run(None, dict(values))
    with torch.no_grad():
        trained = network(*(as_tensors(values)[m.name] for m in contract.modalities))
    np.testing.assert_allclose(exported, trained.numpy(), atol=1e-5)
    assert exported.shape == (5, 2)

    assert 'cloned already' in run().output
    path.write_bytes(path.read_bytes() + b'x')
    with pytest.raises(TrainingError, match='checksum differs'):
        check_peer_file(out, NETWORK_FILE, contract)
    (out / 'cloning.safetensors').unlink()
    refused = run()
    assert refused.exit_code == 2
    assert 'did not make' in refused.output


@pytest.mark.slow
def test_a_warm_up_that_leaves_no_time_to_learn_is_told(write_world, cloning_file, tmp_path):
    path = tmp_path / 'slow.yaml'
    path.write_text(cloning_file.read_text().replace('warmup_steps: 2', 'warmup_steps: 200'))
    words = ['clone', '--dataset', str(write_world()), '--config', str(path)]
    result = CliRunner().invoke(app, [*words, '--out', str(tmp_path / 'out'), '--epochs', '1'])
    assert result.exit_code == 0, result.output
    assert result.stderr.count('warmup_steps 200 is more than all') == 1


def test_the_shipped_configuration_sees_through_the_same_convolutions_as_the_model(iiwa_file):
    modalities = load_robot(iiwa_file).modalities
    folder = iiwa_file.parents[1] / 'train'
    peer = load_cloning_config(folder / 'clone.yaml', modalities)
    model = load_training_config(folder / 'touch_target.yaml', modalities)
    branches = {name: b.encoder for name, b in model.network.branches.items()}
    assert dict(peer.layers.branches) == branches
    assert peer.layers.activation == model.network.activation
    assert (peer.held_out, peer.split_seed) == (model.held_out, model.split_seed)
