"""An ensemble: every model in it ends where a trainer of its own would have ended."""

from dataclasses import replace

from mmvae_controller.datasets.store import Dataset
from mmvae_controller.training import ensemble_batch
from mmvae_controller.training.ensemble import Ensemble
from mmvae_controller.training.errors import TrainingError
from mmvae_controller.training.muting import Muting, Pattern
from mmvae_controller.training.optimising import OptimiserConfig, OptimiserName, RateSchedule
from mmvae_controller.training.running import Precision, Running
from mmvae_controller.training.trainer import Trainer
from mmvae_controller.vae.config import Fusion, Likelihood
from mmvae_controller.vae.schedule import KlSchedule
import numpy as np
import pytest
import torch

STEPS = 100
RANDOM = Muting({Pattern.RANDOM: 0.7, Pattern.ALONE: 0.3})
PLAIN = {
    'optimiser': OptimiserConfig(OptimiserName.ADAM, 0.0),
    'rate_schedule': RateSchedule.CONSTANT,
}
AUGMENTED = {'gradient_norm': 0.5, 'scramble': 0.4, 'noise': 0.1}


@pytest.fixture
def members(icub_config):
    """Return configurations that differ in all that models of an ensemble may differ in."""
    first = replace(icub_config, epochs=34)
    return [
        first,
        replace(first, kl=KlSchedule(0.0, 0.0, 1), name='free'),
        replace(first, seed=5, muting=RANDOM, kl=KlSchedule(3.0, 0.0, 9)),
    ]


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.network.parameters()])


@pytest.mark.parametrize(
    ('changes', 'fusion'),
    [(PLAIN, Fusion.JOINT), (AUGMENTED, Fusion.JOINT), (AUGMENTED, Fusion.EXPERTS)],
    ids=['plain', 'augmented', 'of experts'],
)
def test_after_100_steps_each_model_is_what_it_would_be_alone(
    members, icub_windows, changes, fusion
):
    changes = {**changes, 'network': replace(members[0].network, fusion=fusion)}
    members = [replace(m, **changes) for m in members]
    ensemble = Ensemble(members, icub_windows)
    assert ensemble.steps_per_epoch * members[0].epochs >= STEPS
    together = list(ensemble.epochs())
    for index, config in enumerate(members):
        trainer = Trainer(config, icub_windows)
        alone = list(trainer.epochs(lambda step, loss: None))
        ours, own = weights(ensemble.model(index)), weights(trainer.model)
        torch.testing.assert_close(ours, own, atol=1e-5, rtol=0)
        assert [e.loss[index] for e in together] == pytest.approx([e.loss for e in alone], 1e-4)
        assert [e.kl[index] for e in together] == pytest.approx([e.kl for e in alone], 1e-3)


def test_compiled_the_models_learn_the_same(members, icub_windows):
    members = [replace(m, epochs=2) for m in members]
    # The backend that needs no compiler: what is tested is that a step is one graph.
    ensemble = Ensemble(members, icub_windows, Running(backend='aot_eager'))
    usual = Ensemble(members, icub_windows)
    for found, expected in zip(ensemble.epochs(), usual.epochs(), strict=True):
        np.testing.assert_allclose(found.loss, expected.loss, rtol=1e-5)
    torch.testing.assert_close(ensemble.stack.flat, usual.stack.flat, atol=1e-6, rtol=0)


def test_in_half_precision_the_models_learn_nearly_the_same(members, icub_windows):
    members = [replace(m, epochs=10, learning_rate=0.002) for m in members]
    half, usual = (
        list(Ensemble(members, icub_windows, Running(precision=precision)).epochs())
        for precision in (Precision.BFLOAT16, Precision.FLOAT32)
    )
    assert not np.array_equal(half[0].loss, usual[0].loss)
    np.testing.assert_allclose(half[-1].loss, usual[-1].loss, rtol=0.02)


def test_one_model_alone_is_an_ensemble_too(members, icub_windows):
    ensemble = Ensemble([replace(members[2], epochs=1)], icub_windows)
    (result,) = ensemble.epochs()
    trainer = Trainer(replace(members[2], epochs=1), icub_windows)
    (own,) = trainer.epochs(lambda step, loss: None)
    assert result.loss == pytest.approx([own.loss], abs=1e-5)
    parts = {n: v.item() for n, v in result.negative_log_likelihood.items()}
    assert parts == pytest.approx(own.negative_log_likelihood, abs=1e-5)


def test_models_that_draw_alike_share_their_draws(members, icub_windows, monkeypatch):
    drawn = []
    real = ensemble_batch.epoch_draws
    monkeypatch.setattr(
        ensemble_batch, 'epoch_draws', lambda *given: drawn.append(given[0]) or real(*given)
    )
    next(Ensemble(members, icub_windows).epochs())
    assert [config.seed for config in drawn] == [1, 5]


def test_an_interrupted_ensemble_goes_on_as_if_it_had_not_been(members, icub_windows, tmp_path):
    members = [replace(m, epochs=4) for m in members]
    whole = Ensemble(members, icub_windows)
    results = list(whole.epochs())
    first = Ensemble(members, icub_windows)
    run = first.epochs()
    next(run)
    first.save(tmp_path / 'state', {'seen': [1.5]})
    next(run)  # What happens after the last save is lost.
    second = Ensemble(members, icub_windows)
    assert second.resume(tmp_path / 'state') == {'seen': [1.5]}
    rest = list(second.epochs())
    assert [r.epoch for r in rest] == [1, 2, 3]
    np.testing.assert_allclose(rest[-1].loss, results[-1].loss, atol=1e-6)
    torch.testing.assert_close(second.stack.flat, whole.stack.flat, atol=1e-6, rtol=0)


def test_the_state_of_another_ensemble_is_refused(members, icub_windows, tmp_path):
    Ensemble(members, icub_windows).save(tmp_path / 'state')
    with pytest.raises(TrainingError, match='another configuration'):
        Ensemble(members[:2], icub_windows).resume(tmp_path / 'state')


def test_a_model_taken_out_decodes_what_the_stack_does(members, icub_windows):
    ensemble = Ensemble(members, icub_windows)
    values = {n: v[:7] for n, v in ensemble.data.values.items()}
    known = (torch.arange(70).reshape(7, 5, 2) % 3 > 0).float()
    with torch.no_grad():
        posterior = ensemble.stack.settle(values, known)
        decoded = ensemble.stack.decode(posterior.mean)
        for index in range(len(ensemble)):
            network = ensemble.model(index).network
            latent = network.settle(values, known)
            own = network.decode(latent.mean, [*values])
            torch.testing.assert_close(posterior.log_variance[index], latent.log_variance)
            for name in values:
                torch.testing.assert_close(decoded[name].mean[index], own[name].mean)


@pytest.mark.parametrize('change', [{'learning_rate': 0.5}, {'batch_size': 7}, {'split_seed': 3}])
def test_models_that_differ_in_more_are_refused_by_name(members, icub_windows, change):
    members[1] = replace(members[1], **change)
    with pytest.raises(TrainingError, match=r'model 1 \(free\) differs'):
        Ensemble(members, icub_windows)


def test_pictures_are_refused(config, dataset):
    assert isinstance(dataset, Dataset)
    with pytest.raises(TrainingError, match='camera is not'):
        Ensemble([config], dataset)


def test_what_is_not_decoded_as_a_gaussian_is_refused(members, icub_windows):
    network = members[0].network
    touch = replace(network.branches['touch'], likelihood=Likelihood.BERNOULLI, normalise=False)
    network = replace(network, branches={**network.branches, 'touch': touch})
    with pytest.raises(TrainingError, match='touch is not'):
        Ensemble([replace(members[0], network=network)], icub_windows)


def test_no_models_and_named_masks_that_the_data_lacks_are_refused(members, icub_windows):
    with pytest.raises(TrainingError, match='no models'):
        Ensemble([], icub_windows)
    icub_windows.patterns = {}
    with pytest.raises(TrainingError, match='no named masks'):
        Ensemble(members, icub_windows)


@pytest.mark.parametrize('patient', [False, True])
def test_a_model_whose_loss_is_not_finite_is_named(members, icub_windows, patient):
    ensemble = Ensemble(members, icub_windows, Running(patient=patient))
    with torch.no_grad():
        ensemble.stack.flat[1] = torch.nan
    with pytest.raises(TrainingError, match=r'loss of model 1 \(free, seed 1\) is nan in epoch 0'):
        next(ensemble.epochs())
