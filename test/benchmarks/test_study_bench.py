"""The benchmark of many models at once: all of its loops train the published network."""

from dataclasses import replace
import json
from pathlib import Path

from mmvae_controller.benchmarks.bare_study import BareNetwork
from mmvae_controller.benchmarks.study import (
    benchmark,
    KL_WEIGHT,
    MODALITIES,
    muted_rows,
    PATTERNS,
    published_config,
)
from mmvae_controller.benchmarks.windows import RandomWindows
from mmvae_controller.training.config import load_training_config
from mmvae_controller.training.draws import epoch_draws
from mmvae_controller.training.ensemble import Ensemble
import pytest
import torch

PUBLISHED = Path(__file__).parents[2] / 'config' / 'train' / 'icub_published.yaml'
# What a benchmark does without, and may call as it likes.
FREE = ('name', 'kl', 'epochs', 'held_out', 'seed')


@pytest.fixture
def windows():
    return RandomWindows(MODALITIES, 1845, PATTERNS, seed=1)


def test_the_training_is_the_published_one():
    published, ours = load_training_config(PUBLISHED, MODALITIES), published_config(0)
    assert replace(ours, **{name: getattr(published, name) for name in FREE}) == published


def test_models_are_of_four_schedules_for_each_seed():
    assert [published_config(index).seed for index in (0, 3, 4, 79)] == [0, 0, 1, 19]


def test_the_rows_of_the_naive_loop_are_every_window_under_every_pattern(windows):
    shown, target = muted_rows(windows)
    assert shown.shape == target.shape == (7380, 28)
    assert torch.equal(shown[:1845], target[:1845])
    muted = (shown == -2).reshape(4, 1845, 28)
    assert muted.sum(dim=2).unique(dim=1).flatten().tolist() == [0, 20, 14, 16]
    assert torch.equal(torch.where(shown == -2, target, shown), target)


def test_with_the_same_weights_rows_and_noise_a_model_of_ours_costs_what_the_naive_one_does(
    windows,
):
    ensemble = Ensemble([published_config(0), published_config(4)], windows)
    bare, own = BareNetwork(), ensemble.model(1).network
    with torch.no_grad():
        for mine, theirs in zip(bare.parameters(), own.parameters(), strict=True):
            mine.copy_(theirs)
    config = ensemble.configs[1]
    drawn = next(epoch_draws(config, MODALITIES, PATTERNS, ensemble.train_rows, 0))
    shown, target = [], []
    for row, modality in enumerate(MODALITIES):
        values = torch.from_numpy(windows.values[modality.name][drawn.rows])
        known = torch.from_numpy(drawn.mask[:, row, :, None])
        shown.append(torch.where(known, values, -2.0).flatten(1))
        target.append(values.flatten(1))
    loss = bare(torch.cat(shown, 1), torch.cat(target, 1), drawn.latent_noise[0], KL_WEIGHT)
    losses = []
    next(ensemble.epochs(lambda step, found: losses.append(found)))
    assert losses[0][1] == pytest.approx(loss.item(), rel=1e-5)


def test_a_quick_run_says_how_many_are_at_once_beside_what():
    found = json.loads(json.dumps(benchmark(True, lambda words: None).data(), allow_nan=False))
    assert found['name'] == '2 models at once'
    assert found['unit'] == 'epochs x models / s'
    assert found['ratio'] == pytest.approx(found['ours'] / found['beside'])
    alone, naive, *others = found['figures']
    assert alone['beside_is'] != naive['beside_is']
    assert alone['ours'] == naive['ours'] > 0
    assert [figure['name'] for figure in others] == ['1 at once']
    assert found['settings']['rows an epoch'] == 7380
    assert any('GPU' in note for note in found['notes'])
