"""The divergence from which every measure is made."""

from hypothesis import given
from hypothesis import strategies as st
from mmvae_controller.importance.measures import gaussian_kl
import numpy as np
import pytest
import torch
from torch.distributions import kl_divergence, Normal

number = st.floats(-1e3, 1e3, width=32)
width = st.floats(2**-10, 1e3, width=32)


@given(number, width, number, width)
def test_it_is_that_of_torch_and_never_negative(mean, std, other_mean, other_std):
    found = gaussian_kl(*(np.array([v]) for v in (mean, std, other_mean, other_std)))
    first, second = (
        Normal(torch.tensor(m).double(), torch.tensor(s).double())
        for m, s in ((mean, std), (other_mean, other_std))
    )
    assert found[0] == pytest.approx(float(kl_divergence(first, second)), rel=1e-6, abs=1e-9)
    assert found[0] >= 0


@given(number, width)
def test_a_distribution_does_not_diverge_from_itself(mean, std):
    one = np.array([mean], np.float32), np.array([std], np.float32)
    assert gaussian_kl(*one, *one)[0] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize('bad', [0.0, -1.0, np.nan])
@pytest.mark.parametrize('place', [1, 3])
def test_a_standard_deviation_that_is_not_above_zero_is_refused(bad, place):
    numbers = [np.zeros(2), np.ones(2), np.zeros(2), np.ones(2)]
    numbers[place][1] = bad
    with pytest.raises(ValueError, match=r'standard deviation .* expected above 0'):
        gaussian_kl(*numbers)
