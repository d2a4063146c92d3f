"""Where episodes begin, by the number that each row has."""

from hypothesis import given, strategies
from mmvae_controller.datasets.episodes import Episodes
import numpy as np

NUMBERS = np.repeat([7, 3, 9, 4, 12], [4, 1, 6, 2, 5])


@given(strategies.sets(strategies.integers(1, len(NUMBERS) - 1)))
def test_it_does_not_matter_in_which_shards_they_lie(cuts):
    whole = Episodes([NUMBERS])
    parts = Episodes(np.split(NUMBERS, sorted(cuts)))
    rows = np.arange(len(NUMBERS))
    assert np.array_equal(parts.begin(rows), whole.begin(rows))
    assert np.array_equal(whole.begin(rows), np.repeat([0, 4, 5, 11, 13], [4, 1, 6, 2, 5]))
    assert np.array_equal(parts.number_of_each_row(), NUMBERS)


def test_what_is_split_is_whole_episodes_and_all_of_them():
    train, held = Episodes([NUMBERS]).split(0.4, seed=2)
    assert sorted([*train[:], *held[:]]) == list(range(len(NUMBERS)))
    assert len(set(NUMBERS[held[:]])) == 2
    assert not set(NUMBERS[held[:]]) & set(NUMBERS[train[:]])
