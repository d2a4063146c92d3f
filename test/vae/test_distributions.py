"""The distributions agree with torch's, and experts multiply as densities do."""

import math

from hypothesis import given
from hypothesis import strategies as st
from mmvae_controller.vae.distributions import (
    Bernoulli,
    Categorical,
    Distribution,
    kl,
    kl_to_prior,
    product,
    standard_normal,
)
import pytest
import torch
from torch import distributions as reference

mild = st.floats(-6, 6, width=32)
pair = st.tuples(mild, mild)


def gaussian(mean, log_variance):
    return Distribution(torch.tensor(mean).double(), torch.tensor(log_variance).double())


def normal(d):
    return reference.Normal(d.mean, (0.5 * d.log_variance).exp())


def random_gaussian(*shape, seed=0):
    torch.manual_seed(seed)
    return Distribution(torch.randn(shape).double(), torch.randn(shape).double())


@given(q=pair, p=pair)
def test_the_divergence_is_that_of_torch_and_never_negative(q, p):
    q, p = gaussian(*q), gaussian(*p)
    found = kl(q, p)
    torch.testing.assert_close(found, reference.kl_divergence(normal(q), normal(p)))
    assert found >= -1e-9


@given(q=pair)
def test_the_divergence_from_oneself_is_nothing(q):
    assert kl(gaussian(*q), gaussian(*q)) == 0


def test_the_divergence_from_the_prior_is_one_from_the_standard_normal():
    q = random_gaussian(4, 3)
    torch.testing.assert_close(kl_to_prior(q), kl(q, standard_normal(q.mean)))


def test_the_log_density_sums_the_numbers_of_a_latent():
    q = random_gaussian(4, 3)
    value = torch.randn(4, 3).double()
    torch.testing.assert_close(q.log_prob(value), normal(q).log_prob(value).sum(dim=1))


@given(logit=mild, target=st.sampled_from([0.0, 1.0]))
def test_a_coin_is_that_of_torch(logit, target):
    logits, wanted = torch.tensor([logit]).double(), torch.tensor([target]).double()
    found, coin = Bernoulli(logits), reference.Bernoulli(logits=logits)
    torch.testing.assert_close(found.nll(wanted), -coin.log_prob(wanted))
    torch.testing.assert_close(found.mean, coin.mean)
    torch.testing.assert_close(found.std, coin.stddev)


@given(logit=mild, brightness=st.floats(0, 1))
def test_a_brightness_between_0_and_1_is_a_cross_entropy(logit, brightness):
    coin = reference.Bernoulli(logits=torch.tensor([logit]).double())
    one, zero = (coin.log_prob(torch.tensor([v]).double()) for v in (1.0, 0.0))
    found = Bernoulli(torch.tensor([logit]).double()).nll(torch.tensor([brightness]).double())
    torch.testing.assert_close(found, -(brightness * one + (1 - brightness) * zero))


@pytest.mark.parametrize('chosen', range(4))
def test_a_choice_is_that_of_torch(chosen):
    torch.manual_seed(chosen)
    logits = torch.randn(3, 2, 4).double() * 3
    found, choice = Categorical(logits), reference.Categorical(logits=logits)
    one_hot = torch.zeros(3, 2, 4).double()
    one_hot[..., chosen] = 1
    wanted = -choice.log_prob(torch.full((3, 2), chosen))
    torch.testing.assert_close(found.nll(one_hot).sum(dim=2), wanted)
    torch.testing.assert_close(found.mean, choice.probs)
    indicator = reference.Bernoulli(probs=choice.probs)
    torch.testing.assert_close(found.std, indicator.stddev)


ALL_HERE = [torch.ones(5, 1).double()] * 3
EXPERTS = [random_gaussian(5, 2, seed=n) for n in range(3)]


@pytest.mark.parametrize('prior', [False, True])
def test_precisions_of_experts_add(prior):
    found = product(EXPERTS, ALL_HERE, prior)
    precision = sum((-e.log_variance).exp() for e in EXPERTS) + float(prior)
    torch.testing.assert_close((-found.log_variance).exp(), precision)


@pytest.mark.parametrize('prior', [False, True])
def test_the_product_of_experts_is_that_of_their_densities(prior):
    found = product(EXPERTS, ALL_HERE, prior)
    factors = [*EXPERTS, *[standard_normal(found.mean)] * prior]
    torch.manual_seed(9)
    apart = torch.stack(
        [
            sum(f.log_prob(z) for f in factors) - found.log_prob(z)
            for z in torch.randn(6, 5, 2).double() * 3
        ]
    )
    # Normalising is all that is left: the difference is one number, wherever it is looked at.
    torch.testing.assert_close(apart, apart[:1].expand_as(apart))


@pytest.mark.parametrize('absent', range(3))
def test_an_expert_that_is_absent_has_no_say(absent):
    present = [torch.full((5, 1), float(n != absent)).double() for n in range(3)]
    found = product(EXPERTS, present, prior=False)
    others = [e for n, e in enumerate(EXPERTS) if n != absent]
    expected = product(others, ALL_HERE[:2], prior=False)
    torch.testing.assert_close(found.mean, expected.mean)
    torch.testing.assert_close(found.log_variance, expected.log_variance)


@pytest.mark.parametrize('prior', [False, True])
def test_without_experts_there_is_the_prior_and_no_gradient_that_is_not_finite(prior):
    mean = torch.randn(5, 2, requires_grad=True)
    found = product([Distribution(mean, mean)] * 2, [torch.zeros(5, 1)] * 2, prior)
    assert torch.all(found.mean == 0)
    assert torch.all(found.log_variance == 0)
    (found.mean + found.log_variance).sum().backward()
    assert torch.all(mean.grad == 0)


def test_one_expert_alone_is_itself():
    found = product(EXPERTS[:1], ALL_HERE[:1], prior=False)
    torch.testing.assert_close(found.mean, EXPERTS[0].mean)
    torch.testing.assert_close(found.log_variance, EXPERTS[0].log_variance)


def test_noise_is_scaled_by_the_standard_deviation():
    drawn = gaussian([1.0, 2.0], [math.log(4), math.log(9)]).at(torch.tensor([1.0, -1.0]).double())
    torch.testing.assert_close(drawn, torch.tensor([3.0, -1.0]).double())
