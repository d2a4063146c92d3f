"""Linear regression on what is known."""

from mmvae_controller.evaluation.ridge import PENALTIES, Ridge
import numpy as np
import pytest

KNOWN = np.array([True, False, True, True, False, True])


@pytest.fixture
def bank(random):
    """Return windows whose masked numbers are noisy, and not linear alone."""
    bank = random.normal(size=(60, 6)) * [1, 1, 1, 100, 1, 1] + [0, 5, 3, 0, 0, -2]
    bank[:, 1] = bank[:, 0] - 0.03 * bank[:, 3] + random.normal(size=60)
    bank[:, 4] = bank[:, 2] ** 2 + 0.1 * random.normal(size=60)
    return bank


def every(rows, known=KNOWN):
    return np.broadcast_to(known, rows.shape)


def test_a_linear_map_without_noise_is_recovered(bank, random):
    bank[:, [1, 4]] = bank[:, KNOWN] @ random.normal(size=(4, 2)) + [7, -3]
    ridge = Ridge(bank[:40], bank.std(axis=0), KNOWN)
    found = ridge.predict(bank[40:], every(bank[40:]))
    assert np.allclose(found, bank[40:], rtol=1e-4, atol=1e-4)
    assert np.all(ridge.residuals < 1e-4 * bank.std(axis=0))


def test_a_penalty_of_next_to_nothing_is_least_squares(bank):
    ridge = Ridge(bank, bank.std(axis=0), KNOWN, penalties=(1e-14,))
    inputs = np.column_stack([np.ones(len(bank)), bank[:, KNOWN]])
    weights, *_ = np.linalg.lstsq(inputs, bank[:, ~KNOWN], rcond=None)
    found = ridge.predict(bank, every(bank))
    assert np.allclose(found[:, ~KNOWN], inputs @ weights)


@pytest.mark.parametrize('penalty', PENALTIES[::3])
def test_the_errors_on_rows_left_out_are_those_of_fits_without_them(bank, penalty):
    scale, penalties = bank.std(axis=0), (penalty,)
    ridge = Ridge(bank, scale, KNOWN, penalties)
    left_out = ridge.predict(bank, every(bank), np.arange(len(bank)))
    # It is multiplied by the rows, of which there is one fewer.
    more = (penalty * len(bank) / (len(bank) - 1),)
    for row in range(len(bank)):
        one = Ridge(np.delete(bank, row, axis=0), scale, KNOWN, more)
        expected = one.predict(bank[[row]], every(bank[[row]]))
        assert np.allclose(left_out[[row]], expected)
    errors = np.sqrt(np.mean((left_out - bank) ** 2, axis=0))
    assert np.allclose(ridge.residuals, errors)


def test_the_penalty_of_each_number_is_the_best_on_rows_left_out(bank):
    scale = bank.std(axis=0)
    each = [Ridge(bank, scale, KNOWN, (penalty,)).residuals for penalty in PENALTIES]
    assert np.array_equal(Ridge(bank, scale, KNOWN).residuals, np.min(each, axis=0))


def test_more_inputs_than_rows_and_one_that_never_changes_are_no_trouble(random):
    bank = random.normal(size=(8, 30))
    bank[:, 0] = 2.0
    known = np.arange(30) < 20
    ridge = Ridge(bank, np.maximum(bank.std(axis=0), 1e-3), known)
    assert np.all(np.isfinite(ridge.predict(bank, every(bank, known))))
    assert np.all(np.isfinite(ridge.residuals))


def test_what_is_unknown_is_never_read_and_who_knows_less_has_weights_of_his_own(bank):
    scale, penalty = bank.std(axis=0), (1e-3,)
    ridge = Ridge(bank, scale, KNOWN, penalty)
    less = KNOWN.copy()
    less[3] = False
    known = every(bank).copy()
    known[:7] = less
    found = ridge.predict(np.where(known, bank, np.nan), known)
    own = Ridge(bank, scale, less, penalty).predict(bank[:7], every(bank[:7], less))
    own[:, 3] = bank[:, 3].mean()  # Nobody asks for what the others know.
    assert np.allclose(found[:7], own)
    assert np.allclose(found[7:], ridge.predict(bank[7:], every(bank[7:])))


def test_a_difference_of_which_one_side_is_missing_is_no_difference_from_the_mean(random):
    before = 10 * random.normal(size=(50, 1))
    speed = random.normal(size=(50, 1))
    bank = np.hstack([before, before + 0.1 * speed, speed])
    ridge = Ridge(bank[:40], bank.std(axis=0), np.array([True, True, False]))
    found = ridge.predict(bank[40:], every(bank[40:], [False, True, False]))
    # With the mean for what was before, it would be some hundred: the way from there.
    assert np.abs(found[:, 2]).max() < 3


def test_who_knows_nothing_is_given_the_mean(bank):
    ridge = Ridge(bank, bank.std(axis=0), KNOWN)
    found = ridge.predict(bank[:3], np.zeros((3, 6), bool))
    assert np.allclose(found, bank.mean(axis=0))
