"""Normalisers: fitted, or left out where a branch says so."""

from dataclasses import replace

from mmvae_controller.modality.normaliser import Normaliser
from mmvae_controller.training.errors import TrainingError
from mmvae_controller.training.normalising import fit_normalisers, plain_normaliser
from mmvae_controller.vae.config import Likelihood
import numpy as np
import pytest


@pytest.fixture
def branches(config):
    return dict(config.network.branches)


def test_a_branch_that_is_not_normalised_keeps_its_numbers_and_pictures_become_0_to_1(
    dataset, branches
):
    plain = {n: replace(b, normalise=n == 'motor') for n, b in branches.items()}
    found = fit_normalisers(dataset, np.arange(len(dataset)), plain)
    assert found['joints'] == Normaliser((0.0,) * 3, (1.0,) * 3)
    assert found['camera'] == Normaliser((0.0,) * 3, (255.0,) * 3)
    assert found['motor'] != plain_normaliser(dataset.modalities[3])


def test_a_normaliser_is_fitted_to_the_rows_given(dataset, branches):
    rows = np.arange(10, 40)
    found = fit_normalisers(dataset, rows, branches)
    values = dataset.column('joints', rows)
    np.testing.assert_allclose(found['joints'].offset, values.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(found['joints'].scale, values.std(axis=0), rtol=1e-4)


@pytest.mark.parametrize('likelihood', [Likelihood.BERNOULLI, Likelihood.CATEGORICAL])
def test_values_that_a_likelihood_has_no_probability_for_are_refused(
    dataset, branches, likelihood
):
    branches['joints'] = replace(branches['joints'], normalise=False, likelihood=likelihood)
    with pytest.raises(TrainingError, match=f'joints: .*likelihood {likelihood} needs'):
        fit_normalisers(dataset, np.arange(len(dataset)), branches)


def test_of_more_rows_than_memory_is_for_some_are_fitted_to_and_the_values_of_all_are_checked(
    dataset, branches, monkeypatch
):
    monkeypatch.setattr('mmvae_controller.training.normalising.ROWS_TO_FIT', 10)
    rows = np.arange(1, 36)
    found = fit_normalisers(dataset, rows, branches)
    values = dataset.column('joints', rows[::4])
    np.testing.assert_allclose(found['joints'].offset, values.mean(axis=0), rtol=1e-4)

    within = dataset.column('joints', np.arange(len(dataset)))
    outside = np.flatnonzero((within < 0).any(axis=1) | (within > 1).any(axis=1))
    last = np.concatenate([np.setdiff1d(np.arange(len(dataset)), outside), outside[:1]])
    branches['joints'] = replace(
        branches['joints'], normalise=False, likelihood=Likelihood.BERNOULLI
    )
    with pytest.raises(TrainingError, match=r'joints: .*likelihood bernoulli needs'):
        fit_normalisers(dataset, last, branches)
