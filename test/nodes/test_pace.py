"""The pace of simulated time and the smoothing of curves, with time given as an argument."""

from __future__ import annotations

import math

from mmvae_controller.control.pace import AtMost
from mmvae_controller.nodes.reporting.pace import MAX_CATCH_UP, Pace
from mmvae_controller.nodes.watch.smoothing import Smoother
import pytest

MS = 1_000_000
BATCH_NS = 10 * MS


def test_a_timer_that_jitters_gets_one_batch_each_time():
    pace = Pace(1.0, BATCH_NS)
    assert [pace.due(t * MS) for t in (0, 11, 19, 33, 38, 50)] == [1] * 6


def test_a_factor_of_two_needs_twice_as_many():
    pace = Pace(2.0, BATCH_NS)
    assert sum(pace.due(t * MS) for t in range(0, 1000, 5)) == 200
    assert pace.achieved() == pytest.approx(2.0, rel=0.02)


def test_after_a_pause_it_catches_up_a_little_and_gives_up_the_rest():
    pace = Pace(1.0, BATCH_NS)
    pace.due(0)
    assert pace.due(3_000 * MS) == MAX_CATCH_UP
    assert pace.due(3_010 * MS) == 1
    assert pace.achieved() < 0.1


def test_before_anything_ran_the_factor_is_as_wanted():
    assert Pace(0.5, BATCH_NS).achieved() == 0.5


def test_a_step_has_come_through_by_63_percent_after_the_smoothing_time():
    smoother: Smoother[str] = Smoother(0.5)
    smoother.smooth('a', 0.0, 0.1)
    assert smoother.smooth('a', 1.0, 0.5) == pytest.approx(1 - math.exp(-1))


def test_the_first_value_and_no_smoothing_time_are_passed_on():
    assert Smoother[str](0.5).smooth('a', 3.0, 0.0) == 3.0
    # Not even rounded: it is compared with the raw one.
    for value in (14.643952461089397, 923.0439877403575):
        for elapsed_ms in range(80, 120):
            assert Smoother[str](0.5).smooth('a', value, elapsed_ms / 1000) == value
    plain: Smoother[str] = Smoother(0.0)
    plain.smooth('a', 0.0, 0.1)
    assert plain.smooth('a', 1.0, 0.1) == 1.0


@pytest.mark.parametrize('bad', [math.nan, math.inf, -math.inf])
def test_after_what_is_not_finite_a_curve_begins_anew_and_no_old_value_comes_back(bad: float):
    smoother: Smoother[str] = Smoother(0.5)
    for key in 'ab':
        smoother.smooth(key, 30.0, 0.1)
    assert smoother.smooth('a', bad, 0.1) is None
    assert smoother.smooth('a', 2.0, 0.1) == 2.0
    assert smoother.smooth('b', 2.0, 0.1) > 20


def test_what_is_forgotten_counts_no_more_and_the_rest_does():
    smoother: Smoother[str] = Smoother(0.5)
    for key in 'ab':
        smoother.smooth(key, 30.0, 0.1)
    smoother.forget('a')
    smoother.forget('never seen')
    assert smoother.smooth('a', 2.0, 0.1) == 2.0
    assert smoother.smooth('b', 2.0, 0.1) > 20


def test_after_a_clear_the_past_counts_no_more():
    smoother: Smoother[str] = Smoother(0.5)
    smoother.smooth('a', 100.0, 0.1)
    smoother.clear()
    assert smoother.smooth('a', 1.0, 0.1) == 1.0


@pytest.mark.parametrize(
    ('loop_hz', 'rate_hz', 'happened'), [(50, 20, 20), (40, 20, 20), (10, 20, 10)]
)
def test_something_happens_at_most_so_often_on_average(loop_hz: int, rate_hz: int, happened: int):
    it = AtMost(rate_hz, loop_hz)
    assert sum(it.due(i * 1000 * MS // loop_hz) for i in range(loop_hz)) == happened


def test_what_could_not_happen_for_a_while_is_not_made_up_for():
    it = AtMost(20, 50)
    assert it.due(0)
    assert [it.due(t * MS) for t in (3000, 3020, 3040)] == [True, False, True]
