"""The hierarchy of latents: the same bound by divergence and by sampling, for any depth."""

from mmvae_controller.vae.distributions import Distribution, kl_to_prior
import pytest
import torch
from torch import distributions as reference

READINGS = ['deterministic', 'sampled']
DEPTHS = {1: None, 2: [2], 3: [2, 4]}
ROWS = 20000


@pytest.fixture(params=DEPTHS)
def depth(request):
    return request.param


@pytest.fixture(params=READINGS)
def reading(request):
    return request.param


@pytest.fixture
def prior(build, depth, reading):
    """Return a prior; networks between latents are as far from nothing as trained ones."""
    uppers = DEPTHS[depth]
    hierarchy = uppers and {'latents': uppers, 'hidden': [5], 'reading': reading}
    network = build(hierarchy=hierarchy)
    with torch.no_grad():
        for parameter in network.prior.parameters():
            parameter.mul_(1.5)
    return network.prior


@pytest.fixture
def posterior():
    torch.manual_seed(3)
    return Distribution(torch.randn(1, 3).double(), torch.randn(1, 3).double() - 1)


@pytest.fixture
def drawn(prior):
    """Return one noise for each latent, z_1 first."""
    torch.manual_seed(4)
    return [torch.randn(ROWS, size).double() for size in (3, *prior.upper_sizes)]


def normal(d):
    return reference.Normal(d.mean, (0.5 * d.log_variance).exp())


def log_density(d, value):
    return normal(d).log_prob(value).sum(dim=1)


def chain(prior, posterior, drawn, reading):
    """Return every q and its sample, written out by hand."""
    qs, zs = [posterior], [posterior.mean + (0.5 * posterior.log_variance).exp() * drawn[0]]
    for up, noise in zip(getattr(prior, 'up', []), drawn[1:], strict=True):
        q = up(zs[-1] if reading == 'sampled' else qs[-1].mean)
        qs.append(q)
        zs.append(q.mean + (0.5 * q.log_variance).exp() * noise)
    return qs, zs


def test_the_log_ratio_is_the_one_written_out(prior, posterior, drawn, reading):
    qs, zs = chain(prior, posterior, drawn, reading)
    expected = reference.Normal(0.0, 1.0).log_prob(zs[-1]).sum(dim=1)
    for level, down in enumerate(getattr(prior, 'down', [])):
        expected = expected + log_density(down(zs[level + 1]), zs[level])
    expected = expected - sum(log_density(q, z) for q, z in zip(qs, zs, strict=True))
    torch.testing.assert_close(prior.log_ratio(posterior, zs[0], drawn[1:]), expected)


def test_the_divergence_is_the_one_written_out(prior, posterior, drawn, reading):
    qs, zs = chain(prior, posterior, drawn, reading)
    one = torch.ones(()).double()
    top = reference.kl_divergence(normal(qs[-1]), reference.Normal(0 * one, one))
    expected = top.sum(dim=1).expand(ROWS).clone()
    for level, down in enumerate(getattr(prior, 'down', [])):
        p = down(zs[level + 1])
        if reading == 'deterministic':
            expected += reference.kl_divergence(normal(qs[level]), normal(p)).sum(dim=1)
        else:
            expected -= log_density(p, zs[level]) + normal(qs[level]).entropy().sum(dim=1)
    found = prior.divergence(posterior, zs[0], drawn[1:]).expand(ROWS)
    torch.testing.assert_close(found, expected)


def test_the_divergence_is_the_mean_of_the_log_ratio_of_samples(prior, posterior, drawn):
    latent = posterior.at(drawn[0])
    divergence = prior.divergence(posterior, latent, drawn[1:])
    apart = divergence + prior.log_ratio(posterior, latent, drawn[1:])
    error = apart.std() / ROWS**0.5
    assert error < 0.05
    assert abs(apart.mean()) < 4 * error


def test_the_mean_divergence_is_never_negative(prior, posterior, drawn):
    divergence = prior.divergence(posterior, posterior.at(drawn[0]), drawn[1:])
    assert divergence.mean() > 0


def test_independent_latents_have_a_known_divergence(build, reading, posterior):
    network = build(hierarchy={'latents': [2], 'hidden': [], 'reading': reading})
    prior = network.prior
    with torch.no_grad():
        prior.up[0].head.weight.zero_()
        prior.down[0].head.weight.zero_()
    torch.manual_seed(5)
    drawn = [torch.randn(ROWS, size).double() for size in (3, 2)]
    found = prior.divergence(posterior, posterior.at(drawn[0]), drawn[1:])
    upper, below = prior.up[0](torch.zeros(1, 3).double()), prior.down[0](drawn[1][:1])
    expected = reference.kl_divergence(normal(posterior), normal(below)).sum()
    expected = expected + kl_to_prior(upper).sum()
    torch.testing.assert_close(found.mean(), expected, atol=0, rtol=0.02)


def test_a_sample_comes_from_the_top_down(prior, drawn):
    latent = drawn[-1]
    for down, noise in list(zip(getattr(prior, 'down', []), drawn[:-1], strict=True))[::-1]:
        p = down(latent)
        latent = p.mean + (0.5 * p.log_variance).exp() * noise
    torch.testing.assert_close(prior.sample(drawn), latent)


def test_a_round_trip_climbs_as_the_reading_says_and_comes_down_by_p(
    prior, posterior, drawn, reading
):
    _, zs = chain(prior, posterior, drawn, reading)
    torch.manual_seed(6)
    sizes = (3, *prior.upper_sizes)[:-1]
    downs = [torch.randn(ROWS, size).double() for size in reversed(sizes)]
    latent = zs[-1]
    for down, noise in zip(reversed(getattr(prior, 'down', [])), downs, strict=True):
        p = down(latent)
        latent = p.mean + (0.5 * p.log_variance).exp() * noise
    found = prior.round_trip(posterior, zs[0], [*drawn[1:], *downs])
    torch.testing.assert_close(found, latent)


def test_gradients_reach_every_network_of_the_hierarchy(prior, posterior, drawn):
    for bound in (prior.divergence, prior.log_ratio):
        posterior.mean.requires_grad_(True).grad = None
        prior.zero_grad()
        bound(posterior, posterior.at(drawn[0]), drawn[1:]).mean().backward()
        for parameter in (*prior.parameters(), posterior.mean):
            assert torch.any(parameter.grad != 0)
            assert torch.all(torch.isfinite(parameter.grad))
