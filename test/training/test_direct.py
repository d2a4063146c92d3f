"""The ELBO written out is that of the objective, gradients and all."""

from dataclasses import replace

from mmvae_controller.training.config import TrainingConfig
from mmvae_controller.training.direct import DirectElbo, is_direct
from mmvae_controller.training.ensemble_stack import Stack
from mmvae_controller.vae.config import Fusion, Hierarchy, Likelihood
from mmvae_controller.vae.network import TwoStepVAE
from mmvae_controller.vae.objective_settings import Kind, ObjectiveConfig
from mmvae_controller.vae.objectives import objective, Sample
import pytest
import torch

BATCH, KL_WEIGHT = 9, 0.7
CPU = torch.device('cpu')
CHANGES = {
    'as it is': {},
    'told what is muted by a value': {'presence': False, 'fill': -2.0},
    'with a linear way': {'straight': True},
    'with a trunk for each': {'trunks': True},
}


@pytest.fixture
def build(icub_config: TrainingConfig, icub_windows):
    """Return what builds a network of the iCub's modalities."""

    def network(trunks=False, **changes):
        config = replace(icub_config.network, **changes)
        if trunks:
            width = len(config.branches) * 3
            branches = {n: replace(b, trunk=3) for n, b in config.branches.items()}
            config = replace(config, branches=branches, shared_decoder=(7, width))
        return TwoStepVAE(icub_windows.modalities, config)

    return network


def batch(network, whole, *many):
    """Return a batch, of many networks if asked; without some of what is not known."""
    draw = torch.Generator().manual_seed(4)
    shape = (*many, BATCH)
    values = {m.name: torch.randn(*shape, 2, m.size, generator=draw) for m in network.modalities}
    there = torch.rand(*shape, len(values), 2, generator=draw) < 0.7
    there = torch.ones_like(there) if whole else there
    known = there & (torch.rand(there.shape, generator=draw) < 0.6)
    known[..., 0, :, :] = False
    # Known, but how fresh: what is old is told as less than 1.
    fresh = known * torch.rand(known.shape, generator=draw).clamp(min=0.1)
    present = {n: there[..., row, :] for row, n in enumerate(values)}
    holes = {n: torch.where(present[n][..., None], v, torch.nan) for n, v in values.items()}
    noise = torch.randn(*shape, network.config.latent, generator=draw)
    return Sample(holes, fresh, holes, present, whole), noise


def close(found, expected):
    torch.testing.assert_close(found.loss, expected.loss)
    torch.testing.assert_close(found.kl, expected.kl)
    torch.testing.assert_close(
        dict(found.negative_log_likelihood), dict(expected.negative_log_likelihood)
    )


@pytest.mark.parametrize('power', [0.0, 0.5])
@pytest.mark.parametrize('whole', [True, False], ids=['whole', 'with holes'])
@pytest.mark.parametrize('changes', CHANGES.values(), ids=CHANGES)
def test_a_network_costs_what_the_objective_says(build, changes, whole, power):
    network, config = build(**changes), ObjectiveConfig(variance_power=power)
    assert is_direct(network, config)
    sample, noise = batch(network, whole)
    named = dict(network.named_parameters())
    found = DirectElbo(network, config, CPU)(named, sample, noise, KL_WEIGHT)
    expected = objective(network, config, sample, [noise], KL_WEIGHT)
    close(found, expected)
    gradients = torch.autograd.grad(found.loss, [*named.values()])
    wanted = torch.autograd.grad(expected.loss, [*named.values()])
    for gradient, other in zip(gradients, wanted, strict=True):
        assert torch.all(torch.isfinite(gradient))
        torch.testing.assert_close(gradient, other, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize('whole', [True, False], ids=['whole', 'with holes'])
def test_many_networks_cost_what_each_does(build, whole):
    networks, config = [build(straight=True) for _ in range(3)], ObjectiveConfig()
    sample, noise = batch(networks[0], whole, 3)
    weights = torch.tensor([0.0, 0.5, 2.0])
    found = Stack(networks, config)(sample, [noise], weights)
    for index, network in enumerate(networks):
        own = Sample(
            {n: v[index] for n, v in sample.shown.items()},
            sample.known[index],
            {n: v[index] for n, v in sample.targets.items()},
            {n: v[index] for n, v in sample.present.items()},
        )
        expected = objective(network, config, own, [noise[index]], weights[index])
        torch.testing.assert_close(found.loss[index], expected.loss)
        for name, part in expected.negative_log_likelihood.items():
            torch.testing.assert_close(found.negative_log_likelihood[name][index], part)


@pytest.mark.parametrize(
    ('changes', 'config'),
    [
        ({'fusion': Fusion.EXPERTS}, ObjectiveConfig()),
        ({'hierarchy': Hierarchy((2,), ())}, ObjectiveConfig()),
        ({'fusion': Fusion.SUBSETS}, ObjectiveConfig(Kind.JMVAE_KL)),
        ({'likelihood': Likelihood.BERNOULLI}, ObjectiveConfig()),
    ],
)
def test_what_is_not_the_plain_network_is_left_to_the_objective(build, changes, config):
    likelihood = changes.pop('likelihood', None)
    network = build(**changes)
    if likelihood is not None:
        branches = dict(network.config.branches)
        branches['touch'] = replace(branches['touch'], likelihood=likelihood, normalise=False)
        network = build(branches=branches)
    assert not is_direct(network, config)
