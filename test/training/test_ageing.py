"""Samples from a while ago, told how old they are."""

from dataclasses import replace

from mmvae_controller.modality.observation import CURRENT
from mmvae_controller.modality.reader import Section
from mmvae_controller.training.ageing import aged, Ageing, ageing_config, draw_ages
from mmvae_controller.training.errors import TrainingError
from mmvae_controller.training.trainer import Trainer
import numpy as np
import pytest

PERIOD_S = 0.05


def section(data):
    return Section(data, 'train.yaml: stale')


def test_a_share_of_the_rows_has_ages_up_to_the_longest(dataset, random):
    ageing = {'camera': Ageing(0.3, 0.4)}
    ages_s = draw_ages(ageing, dataset.modalities, 20000, random)
    camera = [m.name for m in dataset.modalities].index('camera')
    assert np.flatnonzero(ages_s.any(axis=0)).tolist() == [camera]
    old = ages_s[:, camera] > 0
    assert old.mean() == pytest.approx(0.3, abs=0.02)
    assert ages_s[old, camera].mean() == pytest.approx(0.2, abs=0.01)
    assert ages_s.max() <= 0.4


def test_what_is_shown_is_the_pair_of_an_earlier_row_of_the_same_episode(dataset):
    rows = np.array([8, 8, 3, 12 + 9])
    ages_s = np.zeros((4, 4))
    ages_s[:, 1] = 0.15, 0.0, 0.3, 0.15  # The third episode row is younger than that.
    batch = dataset.batch(rows)
    before = {n: v.copy() for n, v in batch.values.items()}
    values, fresh = aged(dataset, rows, batch, ages_s)
    earlier = dataset.batch(rows - [3, 0, 3, 3])
    np.testing.assert_array_equal(values['joints'], earlier.values['joints'])
    np.testing.assert_array_equal(values['camera'], batch.values['camera'])
    known = earlier.known[:, 1]
    expected = known / (1 + np.array([0.15, 0, 0.15, 0.15]))[:, None]
    np.testing.assert_allclose(fresh[:, 1], expected, rtol=1e-6)
    assert fresh[1].tolist() == batch.known[1].tolist()
    for name, value in before.items():
        np.testing.assert_array_equal(batch.values[name], value)


def test_what_is_to_be_decoded_stays_what_is_now(config, dataset, monkeypatch):
    seen = {}

    def look(network, settings, sample, noise, kl_weight):
        seen['sample'] = sample
        raise KeyboardInterrupt

    monkeypatch.setattr('mmvae_controller.training.trainer.objective', look)
    stale = {'joints': Ageing(1.0, 0.5)}
    with pytest.raises(KeyboardInterrupt):
        next(Trainer(replace(config, stale=stale), dataset).epochs(lambda step, loss: None))
    old = seen['sample']
    with pytest.raises(KeyboardInterrupt):
        next(Trainer(config, dataset).epochs(lambda step, loss: None))
    new = seen['sample']
    for name, target in new.targets.items():
        assert np.array_equal(old.targets[name].numpy(), target.numpy()), name
    shown = old.shown['joints'][:, CURRENT]
    differs = (shown != new.shown['joints'][:, CURRENT]).any(dim=1).numpy()
    assert differs.mean() > 0.5
    fresh = old.known[:, 1, CURRENT].numpy()
    assert np.all(fresh[differs] < 1)
    assert np.all((fresh == 1) | (fresh == 0) | differs)


def test_it_is_read_from_the_training_yaml(config, training_data, load_training, dataset):
    assert config.stale == {}
    training_data['stale'] = {'camera': {'share': 0.2, 'longest_s': 1.5}}
    found = load_training(training_data, dataset.modalities)
    assert found.stale == {'camera': Ageing(0.2, 1.5)}
    training_data['scramble'] = 0.5
    with pytest.raises(TrainingError, match='has no past'):
        load_training(training_data, dataset.modalities)


@pytest.mark.parametrize('name', ['motor', 'nose'])
def test_only_a_sense_can_be_old(dataset, name):
    with pytest.raises(TrainingError, match=f"'{name}' is no sense"):
        ageing_config(section({name: {'share': 0.1, 'longest_s': 1}}), dataset.modalities)


def test_windows_without_episodes_have_no_past(icub_windows, icub_config):
    with pytest.raises(TrainingError, match='has no episodes'):
        Trainer(replace(icub_config, stale={'vision': Ageing(0.1, 1.0)}), icub_windows)
