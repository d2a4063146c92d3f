"""The nearest training windows."""

from mmvae_controller.evaluation.neighbours import Neighbours
import numpy as np
import pytest


@pytest.fixture
def bank(random):
    return random.normal(size=(300, 6)) * [1, 1, 1, 100, 1, 1]


@pytest.fixture
def scale(bank):
    return bank.std(axis=0)


def test_the_nearest_row_of_the_bank_to_a_row_of_it_is_itself(bank, scale):
    known = np.ones(bank.shape, bool)
    assert np.array_equal(Neighbours(bank, scale, count=1).predict(bank, known), bank)


def test_a_row_left_out_is_not_its_own_neighbour(bank, scale):
    known = np.ones(bank.shape, bool)
    own = np.arange(len(bank))
    found = Neighbours(bank, scale, count=1).predict(bank, known, own)
    assert not np.any(np.all(found == bank, axis=1))
    own[1:] = -1
    found = Neighbours(bank, scale, count=1).predict(bank, known, own)
    assert not np.array_equal(found[0], bank[0])
    assert np.array_equal(found[1:], bank[1:])


def test_the_neighbours_are_those_of_a_search_one_by_one(bank, scale, random):
    queries = random.normal(size=(20, 6)) * scale
    known = random.random((20, 6)) < 0.5
    known[:, 0] = True
    found = Neighbours(bank, scale, count=5).predict(queries, known)
    for query, mask, prediction in zip(queries, known, found, strict=True):
        distance = np.sum(((bank - query) / scale)[:, mask] ** 2, axis=1)
        nearest = np.argsort(distance)[:5]
        assert np.allclose(prediction, bank[nearest].mean(axis=0))


def test_what_is_unknown_is_never_read(bank, scale):
    known = np.ones(bank.shape, bool)
    known[:, 2] = False
    spoilt = bank.copy()
    spoilt[:, 2] = np.nan
    found = Neighbours(bank, scale, count=1).predict(spoilt, known)
    assert np.array_equal(found, bank)


def test_who_knows_nothing_is_given_the_mean(bank, scale):
    found = Neighbours(bank, scale).predict(bank[:3], np.zeros((3, 6), bool))
    assert np.allclose(found, bank.mean(axis=0))


def test_the_residual_is_that_of_rows_left_out(bank, scale):
    known = np.array([True, True, False, True, False, True])
    neighbours = Neighbours(bank, scale, count=5)
    squares = []
    for row in range(len(bank)):
        rest = np.delete(bank, row, axis=0)
        one = Neighbours(rest, scale, count=5)
        squares.append((one.predict(bank[[row]], known[None])[0] - bank[row]) ** 2)
    assert np.allclose(neighbours.residuals(known), np.sqrt(np.mean(squares, axis=0)))
