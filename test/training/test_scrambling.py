"""Scrambled rows: each modality whole, from a row of its own."""

from mmvae_controller.datasets.store import Batch
from mmvae_controller.training.scrambling import draw_scramble, learnable, recompose, Scramble
import numpy as np
import pytest

COUNT = 40


@pytest.fixture
def batch(robot):
    """Return a batch in which every value says from which row it is."""
    rows = np.arange(COUNT)
    values = {}
    for modality in robot.modalities:
        whole = np.zeros((COUNT, 2, *modality.shape), modality.dtype)
        values[modality.name] = (whole.T + rows.astype(modality.dtype)).T
    known = np.ones((COUNT, 4, 2), dtype=bool)
    known[rows % 3 == 0, 2, 0] = False
    return Batch(values, known, np.repeat(rows[:, None], 2, axis=1).astype('f4'))


@pytest.mark.parametrize(('share', 'expected'), [(0.0, 0), (0.3, 12), (0.01, 0), (1.0, COUNT)])
def test_the_share_is_rounded_to_whole_rows(random, share, expected):
    scramble = draw_scramble(4, COUNT, share, random)
    assert scramble.rows.sum() == expected
    own = np.arange(COUNT)[:, None]
    assert np.all(scramble.sources[~scramble.rows] == own[~scramble.rows])


def test_modalities_are_taken_from_rows_of_their_own(random):
    scramble = draw_scramble(4, COUNT, 1.0, random)
    for column in scramble.sources.T:
        assert sorted(column) == list(range(COUNT))
    assert len({tuple(column) for column in scramble.sources.T}) == 4


def test_scrambled_rows_are_anywhere_in_the_batch(random):
    drawn = [draw_scramble(4, COUNT, 0.25, random).rows for _ in range(400)]
    np.testing.assert_allclose(np.mean(drawn, axis=0), 0.25, atol=0.09)


def test_a_modality_comes_with_both_steps_its_mask_and_the_command_with_its_label(
    robot, batch, random
):
    scramble = draw_scramble(4, COUNT, 0.5, random)
    found = recompose(batch, robot.modalities, scramble)
    for row, modality in enumerate(robot.modalities):
        sources = scramble.sources[:, row]
        values = found.values[modality.name].reshape(COUNT, -1)
        assert np.all(values == sources[:, None])
        assert np.array_equal(found.known[:, row], batch.known[sources, row])
    assert np.array_equal(found.label[:, 0], scramble.sources[:, 3])


def test_the_batch_itself_stays_as_it_was(robot, batch, random):
    recompose(batch, robot.modalities, draw_scramble(4, COUNT, 1.0, random))
    assert np.array_equal(batch.label[:, 0], np.arange(COUNT))


def test_what_counts_is_what_the_data_has_and_in_scrambled_rows_what_is_known():
    known = np.array([True, True, False])[None, :, None] & np.ones((2, 3, 2), dtype=bool)
    mask = np.array([True, False, True])[None, :, None] & np.ones((2, 3, 2), dtype=bool)
    scramble = Scramble(np.array([False, True]), np.zeros((2, 3), dtype=np.int64))
    assert np.array_equal(learnable(known, mask, None), known)
    assert learnable(known, mask, scramble)[:, :, 0].tolist() == [
        [True, True, False],
        [True, False, False],
    ]
