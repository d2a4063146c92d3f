"""The benchmark of the training loop: both loops train the same network on the same."""

import json

from mmvae_controller.benchmarks.bare_jmvae import bare_epochs
from mmvae_controller.benchmarks.jmvae import (
    bare_network,
    BATCH,
    benchmark,
    jmvae_config,
    LATENT,
    LEARNING_RATE,
    MODALITIES,
    ROWS,
)
from mmvae_controller.benchmarks.windows import RandomWindows
from mmvae_controller.training.draws import epoch_draws
from mmvae_controller.training.trainer import Trainer
import pytest
import torch


@pytest.fixture
def windows():
    return RandomWindows(MODALITIES, ROWS, {}, seed=1)


@pytest.fixture
def pairs(windows):
    """Return both modalities as the bare loop takes them."""
    return [torch.from_numpy(windows.values[m.name]).flatten(1) for m in MODALITIES]


def alike(trainer):
    """Return a bare network with the weights of a trainer's."""
    bare = bare_network()
    theirs = [*trainer.model.network.parameters()]
    assert [p.shape for p in bare.parameters()] == [p.shape for p in theirs]
    with torch.no_grad():
        for own, other in zip(bare.parameters(), theirs, strict=True):
            own.copy_(other)
    return bare


def test_with_the_same_weights_rows_and_noise_both_cost_and_learn_the_same(windows, pairs):
    trainer = Trainer(jmvae_config(), windows)
    bare = alike(trainer)
    optimiser = torch.optim.Adam(bare.parameters(), LEARNING_RATE)
    losses = []
    for drawn in epoch_draws(trainer.config, MODALITIES, {}, trainer.train_rows, 0):
        x, w = (values[drawn.rows] for values in pairs)
        loss = bare(x, w, drawn.latent_noise[0])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    ours = []
    next(trainer.epochs(lambda step, loss: ours.append(loss)))
    assert len(ours) == 2
    assert ours == pytest.approx(losses, rel=1e-5)
    for own, other in zip(bare.parameters(), trainer.model.network.parameters(), strict=True):
        torch.testing.assert_close(own, other, atol=1e-5, rtol=0)


def test_the_bare_loop_shows_every_row_once_an_epoch_and_learns(pairs):
    seen = []
    bare = bare_network()
    bare.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    epoch = bare_epochs(bare, *pairs, BATCH, LEARNING_RATE)
    first = epoch()
    assert [len(rows) for rows in seen] == [BATCH, ROWS - BATCH]
    assert torch.equal(torch.cat(seen).sort(dim=0).values, pairs[0].sort(dim=0).values)
    for _ in range(20):
        last = epoch()
    assert last < first


def test_a_quick_run_says_what_was_measured_beside_what():
    found = json.loads(json.dumps(benchmark(True, lambda words: None).data(), allow_nan=False))
    assert found['unit'] == 's'
    assert found['ours'] > 0
    assert found['beside'] > 0
    assert found['ratio'] == pytest.approx(found['ours'] / found['beside'])
    assert found['met'] is (found['ratio'] <= 1.2)
    assert found['settings']['rows'] == ROWS == 1845
    assert found['settings']['latent'] == LATENT == 28
    assert found['settings']['parameters'] == sum(p.numel() for p in bare_network().parameters())
