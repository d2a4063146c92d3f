"""Averages over windows, and how sure they are."""

from hypothesis import given
from hypothesis import strategies as st
from mmvae_controller.importance.summary import averaged, mean_interval, spreads
import numpy as np
import pytest

numbers = st.lists(st.floats(0, 1e5), min_size=2, max_size=30)


def test_a_spread_has_mean_median_and_quartiles_of_what_is_defined():
    values = np.array([[1.0, np.nan], [2.0, np.nan], [np.nan, np.nan], [3.0, np.nan], [10.0, 5]])
    one, two = spreads(values, np.arange(5), 0)
    assert (one.mean, one.median, one.rows) == (4.0, 2.5, 4)
    assert (one.q25, one.q75) == (1.75, 4.75)
    assert (two.mean, two.median, two.rows) == (5.0, 5.0, 1)


def test_what_is_never_defined_has_no_spread():
    assert spreads(np.full((3, 1), np.nan), np.arange(3), 0) == (None,)


@pytest.mark.parametrize('values', [[[1.0], [2.0]], [[1.0], [np.nan]]])
def test_from_one_block_there_is_no_interval(values):
    blocks = np.array([0, 0]) if np.isfinite(values).all() else np.array([0, 1])
    (found,) = spreads(np.array(values), blocks, 0)
    assert (found.low, found.high) == (None, None)


@given(numbers)
def test_the_interval_of_the_mean_holds_the_mean_and_lies_within_the_values(values):
    column = np.array(values)[:, None]
    (low,), (high,) = mean_interval(column, np.arange(len(values)), 0)
    assert column.min() - 1e-6 <= low <= high <= column.max() + 1e-6


def test_windows_of_a_block_count_as_one(random):
    """As many copies as one likes make no interval narrower; as new windows they would by 10."""
    values = random.normal(size=(200, 1))
    copies, blocks = np.repeat(values, 100, axis=0), np.repeat(np.arange(200), 100)
    (low,), (high,) = mean_interval(copies, blocks, 0)
    assert high - low == pytest.approx(2 * 1.96 / np.sqrt(200), rel=0.15)
    (low,), (high,) = mean_interval(copies, np.arange(len(copies)), 0)
    assert high - low == pytest.approx(0.2 * 1.96 / np.sqrt(200), rel=0.15)


def test_the_interval_holds_the_truth_as_often_as_it_says(random):
    held = 0
    for seed in range(200):
        values = np.repeat(random.normal(size=(40, 1)), 3, axis=0)
        (low,), (high,) = mean_interval(values, np.repeat(np.arange(40), 3), seed)
        held += low <= 0 <= high
    assert 0.88 <= held / 200 <= 0.99


def test_a_sense_that_is_missing_in_some_blocks_counts_where_it_is_there():
    values = np.full((30, 2), 4.0)
    values[5:, 1] = np.nan
    low, high = mean_interval(values, np.arange(30), 0)
    assert low.tolist() == high.tolist() == [4.0, 4.0]


def test_the_same_seed_gives_the_same_interval(random):
    values = random.normal(size=(50, 3))
    one, two, three = (mean_interval(values, np.arange(50) // 5, seed) for seed in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, three)


@pytest.mark.parametrize(('median', 'expected'), [(False, 4.0), (True, 3.0)])
def test_matrices_are_averaged_over_what_is_defined(median, expected):
    values = np.full((4, 2, 2), np.nan)
    values[:3, 0] = np.array([1.0, 3.0, 8.0])[:, None]
    found = averaged(values, median)
    assert found[0].tolist() == [expected] * 2
    assert np.isnan(found[1]).all()
