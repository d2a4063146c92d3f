"""The schedules of the KL weight."""

from hypothesis import given
from hypothesis import strategies as st
from mmvae_controller.vae.errors import VaeError
from mmvae_controller.vae.schedule import KlSchedule
import pytest


@given(
    plateau=st.floats(0, 2), above=st.floats(0, 5), epochs=st.integers(1, 50),
    epoch=st.integers(0, 100),
)  # fmt: skip
def test_the_weight_is_the_published_formula(plateau, above, epochs, epoch):
    start = plateau + above
    expected = max(plateau, start - (start - plateau) * epoch / epochs)
    found = KlSchedule(start, plateau, epochs).weight(epoch)
    assert found == pytest.approx(expected)
    assert plateau <= found <= start


@pytest.mark.parametrize(
    ('start', 'plateau', 'weights'),
    [(1, 1, [1, 1, 1]), (0, 0, [0, 0, 0]), (1, 0, [1, 0.5, 0]), (3, 1, [3, 2, 1])],
)
def test_the_four_published_schedules_can_be_had(start, plateau, weights):
    schedule = KlSchedule(start, plateau, 2)
    assert [schedule.weight(e) for e in range(3)] == weights
    assert schedule.weight(1000) == plateau


@pytest.mark.parametrize(
    ('start', 'plateau', 'epochs', 'words'),
    [
        (0.5, 1, 10, 'start is 0.5 and plateau 1'), (1, -1, 10, 'plateau -1'),
        (float('nan'), 0, 10, 'nan'), (1, 0, 0, 'epochs is 0'),
    ],
)  # fmt: skip
def test_a_schedule_that_would_grow_or_never_end_is_refused(start, plateau, epochs, words):
    with pytest.raises(VaeError, match=words):
        KlSchedule(start, plateau, epochs)
