"""Samples of the latent instead of its mean."""

from mmvae_controller.importance.errors import ImportanceError
from mmvae_controller.importance.measuring import measure
from mmvae_controller.importance.sampled import load_sampled, SampledNetwork
from mmvae_controller.modality.contract import LATENT, ModelContract
from mmvae_controller.modality.normaliser import Normaliser
from mmvae_controller.vae.distributions import Distribution
from mmvae_controller.vae.network import RealUnits
import numpy as np
import pytest
import torch

LATENTS = 3


class Linear(torch.nn.Module):
    """q has the mean of what is known and a spread of its own; decoded is W z with a spread."""

    def __init__(self, modalities, spread):
        super().__init__()
        self.modalities = modalities
        generator = torch.Generator().manual_seed(4)
        self.ways = {
            m.name: torch.randn(2 * m.size, LATENTS, generator=generator) for m in modalities
        }
        self.spread = spread

    def settle(self, normalised, known, rows):
        eye = normalised['eye'][rows] * known[:, 0, :, None]
        return Distribution(eye.mean(dim=1), torch.tensor([0.0, -1.0, 1.0]).expand(len(rows), -1))

    def decode(self, latent, wanted):
        found = {}
        for name in wanted:
            mean = (latent @ self.ways[name].T).unflatten(1, (2, -1))
            found[name] = Distribution(mean, torch.log(self.spread(mean) ** 2))
        return found


@pytest.fixture
def build(modalities):
    """Return what makes a sampled network of a linear one, in units of their own."""

    def make(samples, seed=0, spread=lambda mean: torch.full_like(mean, 0.3)):
        normalisers = {
            m.name: Normaliser((1.5,) * m.size, tuple(2.0 + n for n in range(m.size)))
            for m in modalities
        }
        contract = ModelContract('linear', modalities, normalisers, 0.1, LATENTS, {}, {}, {})
        return SampledNetwork(
            RealUnits(Linear(modalities, spread), normalisers), contract, samples, seed
        )

    return make


def values_of(windows):
    return {name: value[:4] for name, value in windows.values.items()}


def test_many_samples_of_a_linear_decoder_give_its_exact_distribution(build, draw, modalities):
    network, values = build(20_000), values_of(draw())
    found = network.decode(values, np.ones((4, 3, 2), bool), [m.name for m in modalities])
    latent_mean = ((values['eye'] - 1.5) / (2.0 + np.arange(3))).mean(axis=1)
    latent_variance = np.exp([0.0, -1.0, 1.0])
    for m in modalities:
        scale = 2.0 + np.arange(m.size)
        way = network._model.network.ways[m.name].numpy()
        mean = (latent_mean @ way.T).reshape(4, 2, m.size) * scale + 1.5
        variance = (way**2 @ latent_variance + 0.3**2).reshape(2, m.size) * scale**2
        # Pairs z, -z: of a linear decoder the mean is exact, however few they are.
        assert found[m.name].mean == pytest.approx(mean, abs=1e-4)
        assert found[m.name].std == pytest.approx(
            np.broadcast_to(np.sqrt(variance), mean.shape), rel=0.03
        )


def test_two_samples_make_the_moments_of_their_mixture(build, draw):
    network = build(2, spread=lambda mean: 0.1 + mean.abs())
    values = values_of(draw())
    known = np.ones((4, 3, 2), bool)
    linear, model = network._model.network, network._model
    tensors = {n: torch.from_numpy(v) for n, v in values.items()}
    latent = linear.settle(model.normalise(tensors), torch.ones(4, 3, 2), torch.arange(4))
    one, two = (linear.decode(latent.at(z), ['skin'])['skin'] for z in network._noise)
    within = (one.std**2 + two.std**2) / 2
    between = ((one.mean - two.mean) / 2) ** 2
    expected = torch.sqrt(within + between) * model.scaling('skin').scale
    found = network.decode(values, known, ['skin'])['skin']
    assert found.std == pytest.approx(expected.numpy(), rel=1e-5)
    assert torch.equal(network._noise[0], -network._noise[1])


def test_every_mask_sees_the_same_noise_so_what_is_ignored_loses_nothing(build, draw):
    windows = draw()
    found = measure(
        build(4),
        windows,
        np.arange(10),
        {'p': np.ones((3, 2), bool)},
        1,
        False,
        lambda *told: None,
    )['p']
    assert np.all(found.without[:, 1:] == 0)
    assert np.all(found.without[:, 0, 0] > 0)


def test_many_masks_of_one_value_say_the_same_as_one_by_one(build, draw):
    network, values = build(6), values_of(draw())
    known = np.random.default_rng(0).random((8, 3, 2)) < 0.5
    together = network.decode(values, known, ['motor', LATENT])
    assert list(together) == ['motor', LATENT]
    for row in range(8):
        one = {name: value[row // 2 : row // 2 + 1] for name, value in values.items()}
        apart = network.decode(one, known[row : row + 1], ['motor', LATENT])
        for name, decoded in apart.items():
            assert together[name].mean[row] == pytest.approx(decoded.mean[0], abs=1e-5)
            assert together[name].std[row] == pytest.approx(decoded.std[0], abs=1e-5)


def test_the_seed_decides(build, draw):
    values, known = values_of(draw()), np.ones((4, 3, 2), bool)
    one, two, three = (
        build(2, seed).decode(values, known, ['eye'])['eye'].std for seed in (1, 1, 2)
    )
    assert np.array_equal(one, two)
    assert not np.array_equal(one, three)


@pytest.mark.parametrize('samples', [-2, 0, 1, 33])
def test_samples_that_are_no_pairs_are_refused(build, samples):
    with pytest.raises(ImportanceError, match=f'^{samples} samples.*an even number from 2 on'):
        build(samples)


def test_a_model_folder_is_sampled_in_its_real_units(model_folder):
    """The uncertainty of the latent can only be added to what is decoded from its mean."""
    from mmvae_controller.control.network import Network

    network, exported = load_sampled(model_folder, 64, 0), Network(model_folder)
    modalities = network.contract.modalities
    values = {m.name: np.zeros((1, 2, *m.shape), m.dtype) for m in modalities}
    known = np.zeros((1, 4, 2), bool)
    names = [*(m.name for m in modalities), LATENT]
    found, mean = (n.decode(values, known, names) for n in (network, exported))
    assert np.all(found[LATENT].mean == 0)
    for m in modalities:
        assert found[m.name].mean.shape == (1, 2, *m.shape)
        assert np.median(found[m.name].std / mean[m.name].std) > 1
        assert np.abs(found[m.name].mean - mean[m.name].mean).max() < found[m.name].std.max()
