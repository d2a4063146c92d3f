"""The trainer: repeatable, resumable, loud when it fails; and it learns."""

from dataclasses import replace

from mmvae_controller.datasets.store import Dataset, shard_path
from mmvae_controller.modality.contract import file_checksum, WEIGHTS_FILE
from mmvae_controller.modality.observation import CURRENT, policy_query
from mmvae_controller.training.config import OFF
from mmvae_controller.training.errors import TrainingError
from mmvae_controller.training.muting import Muting, Pattern
from mmvae_controller.training.optimising import OptimiserConfig, OptimiserName, RateSchedule
from mmvae_controller.training.samples import targets_of
from mmvae_controller.training.trainer import Trainer
from mmvae_controller.vae.checkpoint import load_model, save_model
from mmvae_controller.vae.objective_settings import ObjectiveConfig
from mmvae_controller.vae.schedule import KlSchedule
import numpy as np
import pytest
from safetensors import SafetensorError
from safetensors.torch import save_file
import torch


def quiet(step, loss):
    """Take no notice."""


def weights(trainer):
    return torch.cat([p.detach().flatten() for p in trainer.model.parameters()])


def losses(config, dataset):
    found = []
    trainer = Trainer(config, dataset)
    results = list(trainer.epochs(lambda step, loss: found.append(loss)))
    return found, results


def test_the_same_seed_gives_the_same_losses_and_another_seed_others(config, dataset):
    first, results = losses(config, dataset)
    again, _ = losses(config, dataset)
    other, _ = losses(replace(config, seed=2), dataset)
    assert first == again
    assert first != other
    assert len(results) == 3
    assert [r.epoch for r in results] == [0, 1, 2]


AUGMENTED = {'passes': 2, 'scramble': 0.4, 'noise': 0.1}
ADAM = {
    'optimiser': OptimiserConfig(OptimiserName.ADAM, 0.0),
    'rate_schedule': RateSchedule.CONSTANT,
    'gradient_norm': OFF,
}


@pytest.mark.parametrize('changes', [{}, AUGMENTED, ADAM], ids=['plain', 'augmented', 'adam'])
def test_a_run_that_was_interrupted_and_resumed_is_the_uninterrupted_one(
    config, dataset, tmp_path, changes
):
    config = replace(config, **changes)
    whole = Trainer(config, dataset)
    results = list(whole.epochs(quiet))

    first = Trainer(config, dataset)
    run = first.epochs(quiet)
    next(run)
    first.save(tmp_path / 'state')
    # What happens after the last save is lost, as in a real interrupt.
    next(run)

    torch.manual_seed(999)
    second = Trainer(config, dataset)
    second.resume(tmp_path / 'state')
    assert second.epoch == 1
    rest = list(second.epochs(quiet))
    torch.testing.assert_close(weights(second), weights(whole), atol=1e-6, rtol=0)
    assert [r.loss for r in rest] == pytest.approx([r.loss for r in results[1:]], abs=1e-6)
    assert rest[-1].command_rmse == pytest.approx(results[-1].command_rmse, abs=1e-6)


def test_a_state_of_another_configuration_is_refused(config, dataset, tmp_path):
    Trainer(config, dataset).save(tmp_path / 'state')
    other = Trainer(replace(config, learning_rate=0.5), dataset)
    with pytest.raises(TrainingError, match='belongs to another configuration'):
        other.resume(tmp_path / 'state')


@pytest.mark.parametrize(
    ('changes', 'named'),
    [
        ({'epochs': 50}, 'epochs'),
        ({'epochs': 50, 'seed': 5}, 'epochs, seed'),
        ({'kl': KlSchedule(0.5, 0.5, 1)}, 'start, plateau, epochs'),
        ({'held_out': 0.5}, 'held_out'),
    ],
)
def test_what_differs_from_the_saved_configuration_is_named(
    config, dataset, tmp_path, changes, named
):
    Trainer(config, dataset).save(tmp_path / 'state')
    other = Trainer(replace(config, **changes), dataset)
    with pytest.raises(TrainingError, match=rf'data set \({named} differ\); train into another'):
        other.resume(tmp_path / 'state')


def test_other_data_than_that_of_the_saved_state_is_named(config, write_world, tmp_path):
    Trainer(config, Dataset(write_world(name='one'))).save(tmp_path / 'state')
    other = Trainer(config, Dataset(write_world(episodes=8, name='other')))
    with pytest.raises(TrainingError, match=r'\(the data differ\)'):
        other.resume(tmp_path / 'state')


@pytest.mark.parametrize('content', [b'', b'junk', None, 'foreign'])
def test_a_state_that_is_none_is_refused_by_name(config, dataset, tmp_path, content):
    path = tmp_path / 'state'
    if content == 'foreign':
        save_file({'a': torch.zeros(1)}, path)
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(TrainingError, match='state: '):
        Trainer(config, dataset).resume(path)


@pytest.mark.parametrize(
    ('failure', 'error'),
    [
        (KeyboardInterrupt(), KeyboardInterrupt),
        (OSError('No space left on device'), TrainingError),
        (SafetensorError('No space left on device'), TrainingError),
    ],
)
def test_a_save_that_fails_leaves_the_older_state(
    config, dataset, tmp_path, monkeypatch, failure, error
):
    trainer = Trainer(config, dataset)
    trainer.save(tmp_path / 'state')
    before = (tmp_path / 'state').read_bytes()

    def fail(tensors, path, notes):
        path.write_bytes(b'half')
        raise failure

    monkeypatch.setattr('mmvae_controller.training.state.save_file', fail)
    with pytest.raises(error):
        trainer.save(tmp_path / 'state')
    assert (tmp_path / 'state').read_bytes() == before
    if error is TrainingError:
        assert [p.name for p in tmp_path.glob('*state*')] == ['state']


def test_a_loss_that_is_not_finite_stops_the_training(config, dataset):
    trainer = Trainer(config, dataset)
    with torch.no_grad():
        trainer.model.network.encoder.head.bias.fill_(float('nan'))
    with pytest.raises(TrainingError, match='loss is nan in epoch 0, step 0: lower learning_rate'):
        list(trainer.epochs(quiet))


def test_a_gradient_that_is_not_finite_never_reaches_the_weights(config, dataset):
    trainer = Trainer(config, dataset)
    trainer.model.network.encoder.head.bias.register_hook(lambda g: g * float('inf'))
    before = weights(trainer)
    with pytest.raises(TrainingError, match=r'gradient is .* in epoch 0, step 0'):
        list(trainer.epochs(quiet))
    assert torch.equal(before, weights(trainer))


def test_without_training_rows_there_is_no_training(config, write_world):
    lonely = Dataset(write_world(episodes=1, shards=1, name='lonely'))
    with pytest.raises(TrainingError, match='no rows to train on'):
        Trainer(replace(config, held_out=0.9), lonely)


def test_with_nothing_held_out_everything_is_trained_on_and_no_error_is_known(config, dataset):
    trainer = Trainer(replace(config, held_out=0.0, epochs=1), dataset)
    assert len(trainer.train_rows) == len(dataset)
    (result,) = trainer.epochs(quiet)
    assert np.isnan(result.command_rmse)
    assert np.isfinite(result.loss)


def test_windows_that_were_published_train_under_their_named_masks(icub_windows, icub_config):
    found, results = losses(icub_config, icub_windows)
    assert np.all(np.isfinite(found))
    assert results[-1].loss < results[0].loss


def test_named_masks_that_the_data_lacks_are_refused_before_anything_starts(config, dataset):
    muting = Muting({Pattern.NAMED: 1.0})
    with pytest.raises(TrainingError, match='has no named masks'):
        Trainer(replace(config, muting=muting), dataset)


def test_a_norm_that_is_off_shortens_no_gradient(config, dataset):
    whole, large, short = (
        losses(replace(config, gradient_norm=norm), dataset)[0] for norm in (OFF, 1e9, 1e-3)
    )
    assert whole == large
    assert whole != short


@pytest.fixture
def first_sample(monkeypatch):
    """Return what the objective is given in the first step of a training."""

    def see(config, dataset):
        class SeenError(Exception):
            pass

        def stop(network, settings, sample, noise, kl_weight):
            raise SeenError(sample)

        monkeypatch.setattr('mmvae_controller.training.trainer.objective', stop)
        with pytest.raises(SeenError) as seen:
            next(Trainer(config, dataset).epochs(quiet))
        return seen.value.args[0]

    return see


def test_noise_is_on_the_vectors_that_go_in_alone(config, dataset, first_sample):
    plain = first_sample(config, dataset)
    noisy = first_sample(replace(config, noise=0.5), dataset)
    for name, target in plain.targets.items():
        assert torch.equal(noisy.targets[name], target)
        added = noisy.shown[name] - target
        expected = 0.0 if name == 'camera' else 0.5
        assert added.std().item() == pytest.approx(expected, abs=0.15), name
    assert torch.equal(noisy.known, plain.known)
    assert all(torch.equal(plain.shown[n], t) for n, t in plain.targets.items())


def test_in_scrambled_rows_only_what_is_known_counts(config, dataset, first_sample):
    sample = first_sample(replace(config, scramble=1.0), dataset)
    for row, present in enumerate(sample.present.values()):
        assert torch.equal(present, sample.known[:, row] > 0)
    plain = first_sample(config, dataset)
    assert not torch.equal(sample.targets['joints'], plain.targets['joints'])
    assert any((p & (plain.known[:, r] == 0)).any() for r, p in enumerate(plain.present.values()))


def test_the_right_command_is_learned_and_not_the_noisy_one(config, dataset):
    batch = dataset.batch(np.arange(20))
    trainer = Trainer(config, dataset)
    found = trainer.model.scaling('motor').restore(targets_of(trainer.model, batch)['motor'])
    np.testing.assert_allclose(found[:, CURRENT], batch.label, rtol=1e-5, atol=1e-5)
    applied = dataset.batch(np.arange(20)).values['motor'][:, 0]
    np.testing.assert_allclose(found[:, 0], applied, rtol=1e-5, atol=1e-5)


def test_values_that_were_not_known_do_not_shift_the_normaliser(config, write_world):
    folder = write_world(name='holes')
    for shard in (0, 1):
        path = shard_path(folder, shard)
        known, touch = np.load(path / 'known.npy'), np.load(path / 'touch.npy')
        known[::3, 2] = False
        touch[::3] = 1e6
        np.save(path / 'known.npy', known)
        np.save(path / 'touch.npy', touch)
    trainer = Trainer(config, Dataset(folder))
    assert max(trainer.normalisers['touch'].scale) < 10


def test_targets_that_are_absent_and_nan_do_not_spoil_the_training(config, write_world):
    folder = write_world(name='holes')
    for shard in (0, 1):
        path = shard_path(folder, shard)
        known, touch = np.load(path / 'known.npy'), np.load(path / 'touch.npy')
        known[::3, 2] = False
        touch[::3] = np.nan
        np.save(path / 'known.npy', known)
        np.save(path / 'touch.npy', touch)
    trainer = Trainer(config, Dataset(folder))
    list(trainer.epochs(quiet))
    assert torch.all(torch.isfinite(weights(trainer)))


@pytest.fixture
def trained(config, write_world):
    """Return a trainer that has seen enough of a larger world, and its first and last epoch."""
    dataset = Dataset(write_world(episodes=60, length=20, name='large'))
    branches = dict(config.network.branches)
    branches['camera'] = replace(branches['camera'], encoder=(6, 8), decoder=(8, 6), weight=0.1)
    network = replace(
        config.network, latent=8, shared_encoder=(24,), shared_decoder=(24,), branches=branches
    )
    config = replace(
        config, network=network, epochs=25, batch_size=64, learning_rate=0.01, warmup_steps=10,
        kl=KlSchedule(0.05, 0.05, 1), objective=ObjectiveConfig(picture_share=0.25),
        muting=Muting({Pattern.POLICY: 0.4, Pattern.WITHOUT: 0.6}),
    )  # fmt: skip
    trainer = Trainer(config, dataset)
    results = list(trainer.epochs(quiet))
    return trainer, results


def test_a_linear_world_is_learned_and_what_is_masked_is_predicted(trained):
    trainer, results = trained
    assert results[-1].loss < results[0].loss - 1
    assert results[-1].command_rmse < 0.5 * results[0].command_rmse
    batch = trainer.dataset.batch(trainer.validation_rows[:])
    values = {n: torch.from_numpy(np.asarray(v)) for n, v in batch.values.items()}
    truth = {n: v.numpy() for n, v in values.items()}
    truth['motor'][:, CURRENT] = batch.label
    for row, name in enumerate(('camera', 'joints', 'touch', 'motor')):
        known = batch.known & policy_query(trainer.modalities)
        known[:, row] = False
        if name == 'motor':
            known = batch.known & policy_query(trainer.modalities)
        with torch.no_grad():
            network = trainer.model.network
            posterior = network.encode(
                trainer.model.normalise(values), torch.tensor(known).float()
            )
            decoded = network.decode(posterior.mean, [name])[name].mean
            found = trainer.model.scaling(name).restore(decoded)[:, CURRENT].numpy()
        wanted = truth[name][:, CURRENT].astype(float)
        error = np.mean((found - wanted) ** 2)
        assert error < 0.5 * np.mean((wanted - wanted.mean(axis=0)) ** 2), name


@pytest.fixture
def trained_folder(config, dataset, tmp_path):
    """Return the folder of a model that was trained for an epoch."""
    trainer = Trainer(replace(config, seed=7), dataset)
    next(trainer.epochs(quiet))
    save_model(tmp_path / 'other', trainer.model, 'other', 0.1, {}, trainer.normalisers)
    return tmp_path / 'other'


def test_a_training_can_begin_with_the_weights_of_a_model(config, dataset, trained_folder):
    trainer = Trainer(config, dataset, trained_folder)
    theirs = load_model(trained_folder)[0].network.state_dict()
    for name, weight in trainer.model.network.state_dict().items():
        assert torch.equal(weight, theirs[name]), name
    assert trainer.initial == file_checksum(trained_folder / WEIGHTS_FILE)


def test_weights_of_another_network_are_refused(config, dataset, trained_folder):
    other = replace(config, network=replace(config.network, latent=config.network.latent + 1))
    with pytest.raises(TrainingError, match='has another network'):
        Trainer(other, dataset, trained_folder)
