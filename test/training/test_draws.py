"""What an epoch draws: the same for the same configuration and number, whatever came before."""

from dataclasses import replace

from mmvae_controller.training.draws import epoch_draws, steps_per_epoch
from mmvae_controller.training.muting import Muting, Pattern
from mmvae_controller.vae.config import Hierarchy
import numpy as np
import pytest
import torch

ROWS = np.arange(100, 150)


@pytest.fixture
def draw(robot, config):
    """Return what draws an epoch of the small training, with some changes."""

    def draw_epoch(epoch=0, **changes):
        changed = replace(config, **changes)
        return list(epoch_draws(changed, robot.modalities, {}, ROWS, epoch))

    return draw_epoch


def content(steps):
    return [
        (
            s.rows.tolist(),
            s.mask.tolist(),
            None if s.scramble is None else s.scramble.sources.tolist(),
            [z.tolist() for z in s.latent_noise],
            {n: v.tolist() for n, v in s.input_noise.items()},
        )
        for s in steps
    ]


EVERYTHING = {'passes': 3, 'scramble': 0.5, 'noise': 0.1}


def test_an_epoch_draws_the_same_again_and_another_epoch_or_seed_something_else(draw):
    first = content(draw(2, **EVERYTHING))
    draw(7)
    torch.manual_seed(0)
    assert content(draw(2, **EVERYTHING)) == first
    assert content(draw(3, **EVERYTHING)) != first
    assert content(draw(2, **EVERYTHING, seed=5)) != first


def test_an_epoch_shows_each_row_once_and_ends_with_what_is_left(draw, config):
    steps = draw(batch_size=16)
    assert [len(s.rows) for s in steps] == [16, 16, 16, 2]
    assert sorted(np.concatenate([s.rows for s in steps])) == ROWS.tolist()
    assert len(steps) == steps_per_epoch(replace(config, batch_size=16), len(ROWS))


def test_with_passes_each_row_comes_as_often_with_masks_of_its_own(draw, config):
    steps = draw(passes=4, muting=Muting({Pattern.RANDOM: 1.0}))
    assert len(steps) == steps_per_epoch(replace(config, passes=4), len(ROWS))
    rows = np.concatenate([s.rows for s in steps])
    masks = np.concatenate([s.mask for s in steps])
    assert np.unique(rows, return_counts=True)[1].tolist() == [4] * len(ROWS)
    seen = {m.tobytes() for m in masks[rows == ROWS[0]]}
    assert len(seen) > 1


def test_every_latent_has_standard_normal_noise(draw, config):
    network = replace(config.network, hierarchy=Hierarchy((3, 2), (4,)))
    steps = draw(network=network, passes=20)
    assert [z.shape[1] for z in steps[0].latent_noise] == [config.network.latent, 3, 2]
    for level in range(3):
        whole = torch.cat([s.latent_noise[level] for s in steps])
        assert whole.mean().item() == pytest.approx(0, abs=0.1)
        assert whole.std().item() == pytest.approx(1, abs=0.05)


def test_noise_on_the_inputs_has_the_size_asked_for_and_pictures_have_none(draw):
    assert draw()[0].input_noise == {}
    steps = draw(noise=0.2, passes=20)
    assert set(steps[0].input_noise) == {'joints', 'touch', 'motor'}
    whole = torch.cat([s.input_noise['touch'] for s in steps])
    assert whole.shape[1:] == (2, 2)
    assert whole.std().item() == pytest.approx(0.2, rel=0.1)


def test_augmenting_leaves_order_masks_and_latent_noise_as_they_are(draw):
    for plain, other in zip(draw(1), draw(1, scramble=0.3, noise=0.1), strict=True):
        assert plain.scramble is None
        assert np.array_equal(plain.rows, other.rows)
        assert np.array_equal(plain.mask, other.mask)
        assert torch.equal(plain.latent_noise[0], other.latent_noise[0])
