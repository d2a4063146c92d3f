"""Every member of the family learns, within seconds, to tell one modality from the other."""

from mmvae_controller.vae.bounds import believe
from mmvae_controller.vae.objective_settings import Kind, ObjectiveConfig
from mmvae_controller.vae.objectives import noise_sizes, objective, Sample
import pytest
import torch

STEPS, ROWS = 200, 96
NOISE = 0.1
UPPER = {'latents': [2], 'hidden': [8]}
MEMBERS = {
    'masks': (Kind.ELBO, {'fusion': 'joint'}),
    'masks, straight': (Kind.ELBO, {'fusion': 'joint', 'straight': True}),
    'masks, published style': (Kind.ELBO, {'presence': False, 'fill': -2.0}),
    'jmvae_kl': (Kind.JMVAE_KL, {'fusion': 'subsets'}),
    'mvae': (Kind.MVAE, {'fusion': 'experts_and_prior'}),
    'mvtcae': (Kind.MVTCAE, {'fusion': 'experts'}),
    'hierarchy': (Kind.ELBO, {'hierarchy': UPPER}),
    'hierarchy, sampled': (Kind.ELBO, {'hierarchy': UPPER | {'reading': 'sampled'}}),
}
ALPHA = {Kind.JMVAE_KL: 1.0, Kind.MVTCAE: 0.9}


def toy(rows):
    """Return x `(B, 1, 3)` and w `(B, 1, 2)` that share one hidden number."""
    hidden = torch.randn(rows, 1)
    x = torch.cat([hidden, -hidden, hidden.tanh()], dim=1) + NOISE * torch.randn(rows, 3)
    w = torch.cat([hidden, 0.5 * hidden], dim=1) + NOISE * torch.randn(rows, 2)
    return {'x': x[:, None], 'w': w[:, None]}


def trained(network, config, masks):
    """Train for some hundred steps; with masks, each modality is missing in some rows."""
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    there = {n: torch.ones(ROWS, 1, dtype=torch.bool) for n in ('x', 'w')}
    known = torch.ones(ROWS, 2, 1)
    if masks:
        known[: ROWS // 3, 0] = known[-ROWS // 3 :, 1] = 0
    for _ in range(STEPS):
        values = toy(ROWS)
        noise = [torch.randn(ROWS, size) for size in noise_sizes(network)]
        sample = Sample(values, known, values, there)
        loss = objective(network, config, sample, noise, 1.0).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network.eval()


def unexplained(network, latent, values):
    """Return the error of the first two numbers of x, as a share of their variance."""
    error = network.decode(latent, ['x'])['x'].mean - values['x']
    return float(error[..., :2].square().mean() / values['x'][..., :2].var(dim=0).mean())


@pytest.mark.parametrize('member', MEMBERS)
def test_x_is_told_from_w(build, member):
    kind, options = MEMBERS[member]
    network = build(steps=1, activation='elu', **options).float()
    config = ObjectiveConfig(kind, ALPHA.get(kind, 0.0))
    trained(network, config, masks=kind is Kind.ELBO)
    values = toy(1000)
    known = torch.ones(1000, 2, 1)
    known[:, 0] = 0
    with torch.no_grad():
        posterior = network.settle(values, known)
        assert unexplained(network, posterior.mean, values) < 0.15
        nothing = network.settle(values, torch.zeros(1000, 2, 1))
        assert unexplained(network, nothing.mean, values) > 0.7


@pytest.mark.parametrize('hierarchy', [None, UPPER, UPPER | {'reading': 'sampled'}])
def test_an_encoder_that_never_saw_a_mask_is_helped_by_asking_again(build, hierarchy):
    network = build(steps=1, presence=False, fill_rounds=6, hierarchy=hierarchy).float()
    trained(network, ObjectiveConfig(), masks=False)
    values = toy(1000)
    known = torch.ones(1000, 2, 1)
    known[:, 0] = 0
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        once = unexplained(network, network.encode(values, known).mean, values)
        settled = unexplained(network, network.settle(values, known).mean, values)
        drawn = unexplained(network, believe(network, values, known, 10, generator), values)
    assert once > 0.3
    assert settled < 0.15
    assert drawn < 0.15
