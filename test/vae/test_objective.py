"""The objective agrees with torch.distributions, and what is absent does not count."""

from hypothesis import given
from hypothesis import strategies as st
from mmvae_controller.vae.distributions import Bernoulli, Categorical, Distribution, kl_to_prior
from mmvae_controller.vae.objective import weighted_elbo
import pytest
import torch
from torch.distributions import kl_divergence, Normal

mild = st.floats(-8, 8, width=32)


@given(mean=mild, log_variance=mild, target=mild)
def test_the_likelihood_is_that_of_torch(mean, log_variance, target):
    decoded = Distribution(torch.tensor(mean).double(), torch.tensor(log_variance).double())
    wanted = torch.tensor(target).double()
    normal = Normal(decoded.mean, (0.5 * decoded.log_variance).exp())
    torch.testing.assert_close(decoded.nll(wanted), -normal.log_prob(wanted))


@given(mean=mild, log_variance=mild)
def test_the_divergence_from_the_prior_is_that_of_torch_and_never_negative(mean, log_variance):
    posterior = Distribution(torch.tensor(mean).double(), torch.tensor(log_variance).double())
    normal = Normal(posterior.mean, (0.5 * posterior.log_variance).exp())
    expected = kl_divergence(normal, Normal(torch.zeros_like(normal.mean), 1.0))
    found = kl_to_prior(posterior)
    torch.testing.assert_close(found, expected, atol=1e-9, rtol=1e-9)
    assert found >= -1e-12


@pytest.fixture
def parts():
    torch.manual_seed(0)

    def distribution(*shape):
        return Distribution(
            torch.randn(shape, requires_grad=True), torch.randn(shape, requires_grad=True)
        )

    return {
        'targets': {'a': torch.randn(5, 2, 3), 'p': torch.randn(5, 2, 4, 4, 1)},
        'present': {n: torch.ones(5, 2, dtype=torch.bool) for n in 'ap'},
        'decoded': {'a': distribution(5, 2, 3), 'p': distribution(5, 2, 4, 4, 1)},
        'divergence': torch.rand(5),
        'weights': {'a': 2.0, 'p': 0.5},
        'kl_weight': 0.25,
    }


def test_the_loss_is_the_weighted_sum_of_its_parts(parts):
    found = weighted_elbo(**parts)
    nll = found.negative_log_likelihood
    expected = 0.25 * found.kl + 2.0 * nll['a'] + 0.5 * nll['p']
    torch.testing.assert_close(found.loss, expected)
    torch.testing.assert_close(
        nll['p'], parts['decoded']['p'].nll(parts['targets']['p']).sum() / 5
    )
    torch.testing.assert_close(found.kl, parts['divergence'].mean())


@pytest.mark.parametrize('name', ['a', 'p'])
@pytest.mark.parametrize('junk', [float('nan'), float('inf'), 1e9])
def test_a_target_that_is_absent_changes_neither_loss_nor_gradient(parts, name, junk):
    parts['present'][name][2, 1] = False
    results = []
    for spoilt in (False, True):
        if spoilt:
            parts['targets'][name][2, 1] = junk
        leaves = [t for d in parts['decoded'].values() for t in (d.mean, d.log_variance)]
        loss = weighted_elbo(**parts).loss
        results.append([loss, *torch.autograd.grad(loss, leaves)])
    for before, after in zip(*results, strict=True):
        assert torch.all(torch.isfinite(after))
        assert torch.equal(before, after)


def test_a_target_that_is_present_counts(parts):
    before = weighted_elbo(**parts).loss
    parts['targets']['a'][2, 1] += 1
    assert weighted_elbo(**parts).loss != before


def test_the_variance_to_no_power_is_the_likelihood(parts):
    assert weighted_elbo(**parts, variance_power=0.0).loss == weighted_elbo(**parts).loss
    powered = weighted_elbo(**parts, variance_power=0.5)
    assert powered.loss != weighted_elbo(**parts).loss
    for name, part in weighted_elbo(**parts).negative_log_likelihood.items():
        assert powered.negative_log_likelihood[name] == part


def test_the_variance_to_the_power_of_one_teaches_the_mean_as_a_squared_error_does(parts):
    decoded, targets = parts['decoded'], parts['targets']
    means = [d.mean for d in decoded.values()]
    squares = (
        0.5 * parts['weights'][n] * (d.mean - targets[n]).square().sum() / 5
        for n, d in decoded.items()
    )
    expected = torch.autograd.grad(sum(squares), means)
    found = torch.autograd.grad(weighted_elbo(**parts, variance_power=1.0).loss, means)
    for theirs, ours in zip(found, expected, strict=True):
        torch.testing.assert_close(theirs, ours)


@pytest.mark.parametrize('power', [0.3, 1.0])
def test_the_variance_learns_as_from_the_likelihood_scaled(parts, power):
    decoded = parts['decoded']['a']
    parts['decoded'] = {'a': decoded}
    (plain,) = torch.autograd.grad(weighted_elbo(**parts).loss, decoded.log_variance)
    loss = weighted_elbo(**parts, variance_power=power).loss
    (found,) = torch.autograd.grad(loss, decoded.log_variance)
    torch.testing.assert_close(found, plain * torch.exp(power * decoded.log_variance))


@pytest.mark.parametrize('kind', [Bernoulli, Categorical])
def test_what_has_no_variance_counts_as_it_is_whatever_the_power(parts, kind):
    parts['decoded'] = {'a': kind(torch.randn(5, 2, 3))}
    parts['targets'] = {'a': torch.eye(3)[torch.randint(0, 3, (5, 2))]}
    found = weighted_elbo(**parts, variance_power=1.0)
    expected = 2 * parts['decoded']['a'].nll(parts['targets']['a']).sum() / 5
    torch.testing.assert_close(found.loss, expected + 0.25 * found.kl)
