"""Sums of evidence against one sense."""

import math

from hypothesis import given
from hypothesis import strategies as st
from mmvae_controller.control.cusum import Cusum, LARGEST_EVIDENCE, SoundRunning
from mmvae_controller.control.errors import ControlError
import pytest

SOUND = SoundRunning(level=1.0, scale=0.5, allowance=0.5, threshold=15.0)
SURE = math.exp(1.0)
RARE = math.exp(3.0)


def test_evidence_is_how_far_in_the_tail_a_surprise_lies():
    assert SOUND.evidence(SURE) == 0
    assert SOUND.evidence(0.0) == 0
    assert SOUND.evidence(RARE) == pytest.approx(4)
    assert SOUND.evidence(1e30) == LARGEST_EVIDENCE


@pytest.mark.parametrize('surprise', [math.nan, math.inf])
def test_what_is_no_number_is_as_rare_as_can_be(surprise):
    assert SOUND.evidence(surprise) == LARGEST_EVIDENCE


@pytest.mark.parametrize(
    'wrong', [{'scale': 0}, {'allowance': -1}, {'level': math.nan}, {'threshold': math.nan}]
)
def test_a_test_that_finds_nothing_or_everything_is_refused(wrong):
    numbers = {'level': 1.0, 'scale': 0.5, 'allowance': 0.5, 'threshold': 15.0} | wrong
    with pytest.raises(ControlError, match='expected finite numbers'):
        SoundRunning(**numbers)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=60))
def test_the_sum_is_never_below_0_and_begins_when_it_left_0(surprises):
    cusum = Cusum(SOUND)
    for number, surprise in enumerate(surprises):
        before = cusum.total
        cusum.add(surprise, number)
        assert cusum.total >= 0
        if cusum.total == 0:
            assert cusum.since_ns is None
        elif before == 0:
            assert cusum.since_ns == number
