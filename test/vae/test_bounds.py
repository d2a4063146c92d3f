"""Importance-weighted bounds, where the likelihood is known in closed form and where it is not."""

import itertools
import math

from mmvae_controller.vae.bounds import (
    generation,
    log_mean_exp,
    log_weights,
    prior_log_likelihood,
)
from mmvae_controller.vae.objective_settings import ObjectiveConfig
from mmvae_controller.vae.objectives import objective
import pytest
import torch
from torch.distributions import MultivariateNormal

VARIANCE = 0.3
FLOOR = 1e-4
# Orthogonal columns, so that the posterior of z given x and w is a diagonal Gaussian; x is the
# first three rows, w the last two.
LOADING = torch.tensor([[0.8, 0.5], [0.4, -0.6], [-0.7, 0.2], [0.6, 0.1], [0.2, 0.1]]).double()
LOADING[:, 1] -= LOADING[:, 0] * (LOADING[:, 0] @ LOADING[:, 1]) / LOADING[:, 0].square().sum()
OFFSET = torch.tensor([0.5, -1.0, 0.3, 0.2, -0.4]).double()
PARTS = {'x': slice(0, 3), 'w': slice(3, 5)}
EVERYTHING = ('x', 'w')


def seeded(seed=1):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def linear(build):
    """Return N(0, I), p(x, w | z) = N(LOADING z + OFFSET, VARIANCE) and the exact posterior."""
    plain = {'encoder': [], 'decoder': [], 'variance_floor': FLOOR}
    network = build(
        latent=2, shared_encoder=[], shared_decoder=[], steps=1, presence=False,
        branches={'x': plain, 'w': plain},
    )  # fmt: skip
    precision = 1 + LOADING.square().sum(dim=0) / VARIANCE
    with torch.no_grad():
        for name, part in PARTS.items():
            head = network.branches_out[name].head
            size = part.stop - part.start
            head.weight[:size], head.weight[size:] = LOADING[part], 0
            head.bias[:size], head.bias[size:] = OFFSET[part], math.log(VARIANCE - FLOOR)
        head = network.encoder.head
        way = LOADING.T / (VARIANCE * precision[:, None])
        head.weight[:2], head.weight[2:] = way, 0
        head.bias[:2], head.bias[2:] = -way @ OFFSET, -precision.log()
    return network


@pytest.fixture
def values():
    torch.manual_seed(8)
    return {'x': torch.randn(4, 1, 3).double(), 'w': torch.randn(4, 1, 2).double()}


def flat(values, names=EVERYTHING):
    return torch.cat([values[n][:, 0] for n in names], dim=1)


def marginal(names, given=None, values=None):
    """Return the exact p(names), or p(names | given)."""
    rows = torch.cat([torch.arange(5)[PARTS[n]] for n in names])
    weights, mean = LOADING[rows], torch.zeros(2).double()
    covariance = torch.eye(2).double()
    if given:
        seen = LOADING[PARTS[given]]
        covariance = torch.linalg.inv(covariance + seen.T @ seen / VARIANCE)
        mean = (flat(values, [given]) - OFFSET[PARTS[given]]) @ seen / VARIANCE @ covariance
    noise = VARIANCE * torch.eye(len(rows)).double()
    return MultivariateNormal(
        mean @ weights.T + OFFSET[rows], weights @ covariance @ weights.T + noise
    )


def everything_known(rows=4):
    return torch.ones(rows, 2, 1).double()


def copied(values, copies):
    return {n: v.repeat(copies, 1, 1) for n, v in values.items()}


def test_one_sample_of_the_exact_posterior_is_enough(linear, values):
    found = log_weights(linear, values, everything_known(), EVERYTHING, 3, seeded())
    exact = marginal(EVERYTHING).log_prob(flat(values))
    torch.testing.assert_close(found, exact.expand(3, 4))


@pytest.mark.parametrize('scored', [('x', 'w'), ('x',), ('w',)])
def test_a_wrong_proposal_converges_to_the_likelihood_from_below(linear, values, scored):
    with torch.no_grad():
        linear.encoder.head.bias += torch.tensor([0.4, -0.3, 2.0, 2.0])
        many, known = copied(values, 400), everything_known(1600)
        weights = log_weights(linear, many, known, scored, 16, seeded()).reshape(6400, 4)
    exact = marginal(scored).log_prob(flat(values, scored))
    means = [log_mean_exp(weights.reshape(k, -1, 4)).mean(dim=0) for k in (1, 4, 16, 6400)]
    for fewer, more in itertools.pairwise(means):
        assert torch.all(fewer < more)
    assert torch.all(exact - means[0] > 0.05)
    torch.testing.assert_close(means[-1], exact, atol=0.05, rtol=0)


def test_the_bound_of_many_is_never_below_the_mean_of_its_parts(build, draw):
    network = build(hierarchy={'latents': [2], 'hidden': [4]})
    sample = draw(network)
    with torch.no_grad():
        weights = log_weights(network, sample.shown, sample.known, EVERYTHING, 64, seeded())
    for k in (1, 2, 4, 8, 16, 32):
        whole = log_mean_exp(weights.reshape(2 * k, -1, 5))
        halves = log_mean_exp(weights.reshape(2, k, -1, 5).transpose(0, 1))
        assert torch.all(whole >= halves.mean(dim=0) - 1e-9)


def test_the_mean_of_weights_is_taken_before_the_logarithm():
    weights = torch.tensor([[0.0, 2000.0], [math.log(3), 2000.0]])
    torch.testing.assert_close(log_mean_exp(weights), torch.tensor([math.log(2), 2000.0]))


READINGS = [
    None,
    {'latents': [2], 'hidden': [4], 'reading': 'deterministic'},
    {'latents': [2], 'hidden': [4], 'reading': 'sampled'},
    {'latents': [2, 3], 'hidden': [4], 'reading': 'deterministic'},
    {'latents': [2, 3], 'hidden': [4], 'reading': 'sampled'},
]


@pytest.mark.parametrize('hierarchy', READINGS)
def test_the_elbo_is_the_mean_of_one_weight_and_below_the_bound_of_many(
    build, draw, noise, hierarchy
):
    network, copies = build(hierarchy=hierarchy), 4000
    sample = draw(network, rows=1)
    many = {n: v.expand(copies, -1, -1) for n, v in sample.shown.items()}
    there = {n: v.expand(copies, -1) for n, v in sample.present.items()}
    known = sample.known.expand(copies, -1, -1)
    batch = type(sample)(many, known, many, there)
    with torch.no_grad():
        elbo = -objective(network, ObjectiveConfig(), batch, noise(network, copies), 1.0).loss
        weights = log_weights(network, many, known, EVERYTHING, 16, seeded())
    error = weights.std() / copies**0.5
    assert float(elbo) == pytest.approx(float(weights[0].mean()), abs=4 * float(error))
    assert elbo < log_mean_exp(weights).mean()


def test_what_one_modality_says_of_another_is_the_conditional_likelihood(linear, values):
    seen = LOADING[PARTS['w']]
    covariance = torch.linalg.inv(torch.eye(2).double() + seen.T @ seen / VARIANCE)
    known = everything_known()
    known[:, 0] = 0
    # Given w alone the posterior is correlated; of one dimension of z it is exact.
    axes, vectors = torch.linalg.eigh(covariance)
    with torch.no_grad():
        for name in EVERYTHING:
            head = linear.branches_out[name].head
            head.weight[: LOADING[PARTS[name]].shape[0]] = LOADING[PARTS[name]] @ vectors
        head = linear.encoder.head
        head.weight.zero_()
        head.weight[:2, 3:] = vectors.T @ covariance @ seen.T / VARIANCE
        head.bias[:2] = -head.weight[:2, 3:] @ OFFSET[PARTS['w']]
        head.bias[2:] = axes.log()
        found = generation(linear, values, known, ['x'], 500, generator=seeded())
        joint = log_weights(linear, values, known, EVERYTHING, 500, seeded())
    exact = marginal(['x'], 'w', values).log_prob(flat(values, ['x']))
    torch.testing.assert_close(found, exact, atol=0.15, rtol=0)
    alone = marginal(['w']).log_prob(flat(values, ['w']))
    torch.testing.assert_close(log_mean_exp(joint) - alone, exact, atol=0.15, rtol=0)


def test_samples_of_the_prior_find_the_likelihood_too(linear, values):
    with torch.no_grad():
        found = prior_log_likelihood(linear, values, ['w'], 30000, seeded())
    exact = marginal(['w']).log_prob(flat(values, ['w']))
    torch.testing.assert_close(found, exact, atol=0.05, rtol=0)


LABEL = {'w': {'likelihood': 'categorical', 'normalise': False}}


@pytest.mark.parametrize('hierarchy', READINGS)
def test_the_labels_are_enumerated_by_their_likelihood(build, hierarchy):
    network = build(hierarchy=hierarchy, branches=LABEL)
    classes = torch.eye(2).double()
    pairs = torch.stack([torch.stack(p) for p in itertools.product(classes, classes)])
    with torch.no_grad():
        found = prior_log_likelihood(network, {'w': pairs}, ['w'], 50, seeded())
        sizes = (3, *network.prior.upper_sizes)
        generator = seeded()
        noise = [torch.empty(50, s).double().normal_(generator=generator) for s in sizes]
        chances = network.decode(network.prior.sample(noise), ['w'])['w'].mean
    assert float(found.exp().sum()) == pytest.approx(1)
    exact = [(chances[:, 0, a] * chances[:, 1, b]).mean() for a in (0, 1) for b in (0, 1)]
    torch.testing.assert_close(found.exp(), torch.stack(exact))


def test_a_generator_makes_bounds_repeatable(linear, values):
    for bound in (log_weights, generation):
        first, again, other = (
            bound(linear, values, everything_known(), ['x'], 2, generator=seeded(s))
            for s in (1, 1, 2)
        )
        assert torch.equal(first, again)
        assert not torch.equal(first, other)
