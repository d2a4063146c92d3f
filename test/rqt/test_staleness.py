"""How long what was heard counts as present."""

from __future__ import annotations

from mmvae_controller.nodes.reporting.staleness import Rhythm, stale_after_s, TOLD_STALE_S, worst
from mmvae_controller.nodes.reporting.status import Level
import pytest


def rhythm(*came_s: float) -> Rhythm:
    made = Rhythm()
    for now_s in came_s:
        made.came(now_s)
    return made


def test_what_never_came_is_stale():
    assert rhythm().is_stale(0.0)


@pytest.mark.parametrize(
    ('came_s', 'lasts_s'),
    [
        ((5.0,), 1.0),
        ((4.8, 4.9, 5.0), 1.0),
        ((3.0, 5.0), 5.0),
        ((4.2, 4.6, 5.0), 1.0),
        ((4.0, 4.5, 5.0), 1.25),
        ((1.0, 5.0), 10.0),
    ],
)
def test_it_lasts_two_and_a_half_times_as_long_as_usual_and_at_least_a_second(
    came_s: tuple[float, ...], lasts_s: float
):
    made = rhythm(*came_s)
    assert not made.is_stale(5.0 + lasts_s - 0.01)
    assert made.is_stale(5.0 + lasts_s + 0.01)


def test_one_late_message_changes_no_rhythm():
    assert rhythm(0.0, 0.1, 0.2, 3.2, 3.3).is_stale(4.4)


def test_a_robot_that_was_off_is_not_trusted_for_as_long():
    assert rhythm(0.0, 2.0, 4.0, 3600.0).is_stale(3601.1)


def test_a_rhythm_that_becomes_faster_is_followed():
    assert rhythm(0.0, 2.0, 4.0, 4.1, 4.2, 4.3).is_stale(5.4)


def test_statuses_outlive_one_that_is_missing():
    assert 2 * 0.5 < TOLD_STALE_S < 3 * 0.5


@pytest.mark.parametrize('period_s', [None, 4.1, 3600.0])
def test_no_rhythm_is_that_of_what_comes_often(period_s: float | None):
    assert stale_after_s(period_s) == 1.0


def test_a_known_trouble_is_worse_than_not_knowing():
    assert worst([]) is Level.OK
    assert worst([Level.OK, Level.STALE]) is Level.STALE
    assert worst([Level.STALE, Level.WARN]) is Level.WARN
    assert worst([Level.ERROR, Level.STALE]) is Level.ERROR
