"""Pictures of nothing, shown so that they are not believed."""

from dataclasses import replace

from mmvae_controller.modality.observation import CURRENT, PREVIOUS
from mmvae_controller.modality.reader import Section
from mmvae_controller.training.blanking import blank_config, draw_blanks, NOISE
from mmvae_controller.training.errors import TrainingError
from mmvae_controller.training.trainer import Trainer
import numpy as np
import pytest


def test_a_share_of_the_rows_shows_one_grey_at_t_or_at_both_steps(dataset, random):
    blanks = draw_blanks({'camera': 0.3}, dataset.modalities, 4000, random)
    assert list(blanks) == ['camera']
    blank = blanks['camera']
    assert blank.where[:, CURRENT].mean() == pytest.approx(0.3, abs=0.03)
    assert blank.where[:, PREVIOUS].mean() == pytest.approx(0.15, abs=0.03)
    assert not np.any(blank.where[:, PREVIOUS] & ~blank.where[:, CURRENT])
    assert blank.pictures.dtype == np.uint8
    assert len(blank.pictures) == blank.where.sum()
    each = blank.pictures.reshape(len(blank.pictures), -1)
    assert each.std(axis=1).max() < 1.5 * NOISE
    assert each.mean(axis=1).min() < 20 < 235 < each.mean(axis=1).max()


def test_the_same_scene_is_to_be_decoded_from_it(config, dataset, monkeypatch):
    samples = []

    def look(network, settings, sample, noise, kl_weight):
        samples.append(sample)
        raise KeyboardInterrupt

    monkeypatch.setattr('mmvae_controller.training.trainer.objective', look)
    for blank in ({}, {'camera': 0.5}):
        with pytest.raises(KeyboardInterrupt):
            next(Trainer(replace(config, blank=blank), dataset).epochs(lambda step, loss: None))
    plain, blanked = samples
    for name, target in plain.targets.items():
        assert np.array_equal(blanked.targets[name].numpy(), target.numpy()), name
    assert np.array_equal(plain.known.numpy(), blanked.known.numpy())
    differs = (plain.shown['camera'] != blanked.shown['camera']).flatten(2).any(dim=2).numpy()
    assert 0.3 < differs[:, CURRENT].mean() < 0.7
    assert 0.1 < differs[:, PREVIOUS].mean() < 0.4
    for name in ('joints', 'touch', 'motor'):
        assert np.array_equal(plain.shown[name].numpy(), blanked.shown[name].numpy()), name


def test_it_is_read_from_the_training_yaml(config, training_data, load_training, dataset):
    assert config.blank == {}
    training_data['blank'] = {'camera': 0.1}
    assert load_training(training_data, dataset.modalities).blank == {'camera': 0.1}


def test_only_a_picture_can_be_blank(dataset):
    with pytest.raises(TrainingError, match=r"'touch' is no image, images are \['camera'\]"):
        blank_config(Section({'touch': 0.1}, 'train.yaml: blank'), dataset.modalities)
