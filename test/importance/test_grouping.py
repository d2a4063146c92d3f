"""Which windows belong together."""

from mmvae_controller.datasets.store import Dataset
from mmvae_controller.importance.errors import ImportanceError
from mmvae_controller.importance.grouping import (
    BLOCK_ROWS,
    blocks_of,
    OUTSIDE,
    periods_of,
    Phase,
    phases_of,
    read_phase,
)
import numpy as np
import pytest


@pytest.fixture
def world(write_world):
    """Return 6 episodes of 12 rows."""
    return Dataset(write_world())


def test_a_block_of_a_recording_is_an_episode(world):
    rows = np.arange(6, 40)
    blocks = blocks_of(world, rows)
    assert blocks.of.tolist() == (rows // 12).tolist()
    assert (blocks.count, blocks.what) == (4, 'an episode')


def test_a_block_of_other_data_is_a_stretch_in_the_order_of_time(icub_windows):
    icub_windows.order = icub_windows.order[::-1].copy()
    blocks = blocks_of(icub_windows, np.arange(60))
    expected = (59 - np.arange(60)) // BLOCK_ROWS
    assert blocks.of.tolist() == expected.tolist()
    assert blocks.count == 2


def test_parts_of_an_episode_are_counted_from_its_own_beginning(world):
    groups = periods_of(world, np.arange(12, 36))
    assert groups.of.tolist() == (np.arange(12) * 8 // 12).tolist() * 2
    assert len(groups.labels) == 8
    assert groups.what == 'part of an episode'


def test_parts_of_other_data_follow_the_order_of_time(icub_windows):
    icub_windows.order = icub_windows.order[::-1].copy()
    groups = periods_of(icub_windows, np.arange(20, 60))
    assert groups.of.tolist() == (np.arange(40)[::-1] * 8 // 40).tolist()
    assert groups.what == 'part of the trajectory'


def test_a_phase_is_when_any_number_at_t_is_larger_either_way(draw):
    windows = draw(4)
    skin = windows.values['skin']
    skin[:] = 0
    skin[0, 1] = [0.6, 0]
    skin[1, 1] = [0, -0.6]
    skin[2, 0] = [9, 9]
    skin[3, 1] = [0.5, 0.5]
    groups = phases_of(windows, np.arange(4), Phase('skin', 0.5))
    assert [groups.labels[g] for g in groups.of] == ['above', 'above', 'below', 'below']


def test_a_window_in_which_the_sense_is_missing_is_in_no_phase(draw):
    known = np.ones((3, 3, 2), bool)
    known[0, 1, 1] = False
    windows = draw(3, known=known)
    windows.values['skin'][:, 1] = np.array([[np.nan] * 2, [2, 2], [0, 0]])
    assert phases_of(windows, np.arange(3), Phase('skin', 1)).of.tolist() == [OUTSIDE, 0, 1]


@pytest.mark.parametrize(('threshold', 'empty'), [(1000, 'above'), (0, 'below')])
def test_a_threshold_that_tells_nothing_apart_is_refused(draw, threshold, empty):
    with pytest.raises(
        ImportanceError, match=f'phase skin:{threshold:g}.*no window is {empty} it'
    ):
        phases_of(draw(), np.arange(40), Phase('skin', threshold))


def test_a_phase_of_what_is_not_there_is_refused(draw):
    with pytest.raises(ImportanceError, match=r"no modality 'nose', there are .*'skin'"):
        phases_of(draw(), np.arange(40), Phase('nose', 1))


def test_a_phase_is_read_as_it_is_written():
    assert str(read_phase('touch:0.5')) == 'touch:0.5'
    assert read_phase('touch:0.5') == Phase('touch', 0.5)


@pytest.mark.parametrize('text', ['touch', 'touch:', ':1', 'touch:much', 'touch:nan', 'touch:-1'])
def test_what_is_no_phase_is_refused(text):
    with pytest.raises(ImportanceError, match=f"phase '{text}': expected MODALITY:THRESHOLD"):
        read_phase(text)
