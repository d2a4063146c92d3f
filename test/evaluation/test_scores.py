"""Scores of predictions that are known beforehand."""

import math

from mmvae_controller.evaluation.scores import LEVELS, Tally
import numpy as np
import pytest

EVERYWHERE = np.ones((50, 2), dtype=bool)


def scores_of(truth, mean, std, present=None, calibrated=True):
    tally = Tally(calibrated)
    tally.add(truth, mean, std, np.ones(truth.shape[:2], bool) if present is None else present)
    return tally.scores()


@pytest.fixture
def truth(random):
    return random.normal(size=(50, 2, 3)).astype(np.float32)


def test_a_perfect_prediction_has_no_error_and_the_likelihood_of_its_spread(truth):
    scores = scores_of(truth, truth, np.full_like(truth, 0.01))
    floor = 0.5 * math.log(2 * math.pi) + math.log(0.01)
    for score, numbers in ((scores.previous, 3), (scores.current, 3), (scores.both, 6)):
        assert (score.mse, score.rmse) == (0, 0)
        assert score.nll == pytest.approx(numbers * floor, rel=1e-6)
        assert score.nll_per_dim == pytest.approx(floor, rel=1e-6)
        assert score.calibration.mean_squared_z == 0


def test_the_steps_are_told_apart(truth):
    mean = truth + np.array([1.0, 3.0])[None, :, None]
    scores = scores_of(truth, mean, np.ones_like(mean))
    found = [scores.previous.mse, scores.current.mse, scores.both.mse]
    assert found == pytest.approx([1, 9, 5], rel=1e-6)
    assert [s.samples for s in (scores.previous, scores.current, scores.both)] == [50, 50, 100]
    assert scores.both.nll == pytest.approx(scores.previous.nll + scores.current.nll)


def test_the_likelihood_is_that_of_a_gaussian(truth):
    mean, std = truth - 0.7, np.full_like(truth, 0.4)
    nll = 0.5 * math.log(2 * math.pi * 0.4**2) + 0.5 * (0.7 / 0.4) ** 2
    assert scores_of(truth, mean, std).current.nll_per_dim == pytest.approx(nll, rel=1e-5)


@pytest.mark.parametrize('shape', [(), (4, 4, 3)])
def test_a_calibrated_gaussian_covers_what_it_claims(random, shape):
    std = random.uniform(0.1, 10, (4000 if shape == () else 200, 2, *shape))
    truth = random.normal(size=std.shape) * std
    calibration = scores_of(truth, np.zeros_like(std), std).both.calibration
    assert calibration.mean_squared_z == pytest.approx(1, abs=0.1)
    assert calibration.expected_error < 0.02
    for level in LEVELS:
        assert calibration.coverage[level] == pytest.approx(level, abs=0.03)


def test_who_is_too_sure_covers_too_little_and_who_is_too_careful_too_much(random):
    truth = random.normal(size=(4000, 2, 1))
    sure, careful = (
        scores_of(truth, np.zeros_like(truth), np.full_like(truth, std)).both.calibration
        for std in (0.5, 2.0)
    )
    assert all(sure.coverage[p] < p < careful.coverage[p] for p in LEVELS)
    assert (sure.mean_squared_z, careful.mean_squared_z) == pytest.approx((4, 0.25), rel=0.1)
    assert min(sure.expected_error, careful.expected_error) > 0.15


def test_what_is_absent_is_never_read(truth):
    present = EVERYWHERE.copy()
    present[::2, 0] = False
    mean = np.where(present[:, :, None], truth + 1, np.nan)
    scores = scores_of(truth, mean, np.ones_like(truth), present)
    assert scores.previous.samples == 25
    assert scores.both.mse == pytest.approx(1, rel=1e-6)
    assert scores.both.samples == 75


def test_nothing_to_compare_is_no_number_rather_than_0(truth):
    present = EVERYWHERE.copy()
    present[:, 0] = False
    scores = scores_of(truth, truth, np.ones_like(truth), present)
    for score in (scores.previous, scores.both):
        assert math.isnan(score.mse)
        assert math.isnan(score.rmse)
        assert math.isnan(score.nll)
        assert score.calibration is None
    assert scores.current.mse == 0


def test_a_prediction_that_is_not_finite_shows(truth):
    mean = truth.copy()
    mean[3, 1, 2] = np.nan
    scores = scores_of(truth, mean, np.ones_like(truth))
    assert math.isnan(scores.current.mse)
    assert math.isnan(scores.current.nll)
    assert scores.previous.mse == 0


def test_batches_add_up_to_the_whole(truth, random):
    mean, std = random.normal(size=truth.shape), random.uniform(0.5, 1, truth.shape)
    tally = Tally(calibrated=True)
    for part in (slice(0, 7), slice(7, 7), slice(7, 50)):
        tally.add(truth[part], mean[part], std[part], EVERYWHERE[part])
    found, whole = tally.scores().both, scores_of(truth, mean, std).both
    assert found.mse == pytest.approx(whole.mse)
    assert found.nll == pytest.approx(whole.nll)
    assert found.calibration.coverage == whole.calibration.coverage


def test_one_mean_for_all_samples_is_enough(truth):
    mean, std = np.zeros((2, 3)), np.ones((2, 3))
    assert scores_of(truth, mean, std).both.mse == pytest.approx(np.mean(truth**2), rel=1e-6)


def test_the_masked_steps_can_be_told_from_the_known_ones(truth):
    scores = scores_of(truth, truth, np.ones_like(truth))
    assert scores.masked([False, False]) is scores.both
    assert scores.masked([True, False]) is scores.current
    assert scores.masked([False, True]) is scores.previous
    assert scores.masked([True, True]) is None


def test_what_is_no_gaussian_has_an_error_but_no_likelihood(truth):
    score = scores_of(truth, truth + 1, None).both
    assert score.mse == pytest.approx(1, rel=1e-6)
    assert math.isnan(score.nll)
    assert score.calibration is None
