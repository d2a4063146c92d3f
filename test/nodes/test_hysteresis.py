"""Levels that rise late and fall later, with time given as an argument."""

from __future__ import annotations

import math

from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.nodes.reporting.hysteresis import Hysteresis
from mmvae_controller.nodes.reporting.status import Level, Status
import pytest

OK, WARN, ERROR, STALE = Level.OK, Level.WARN, Level.ERROR, Level.STALE


def shown(hysteresis: Hysteresis, *seen: tuple[float, Level], name: str = 'x') -> list[Level]:
    """Return the levels shown at moments at which these were seen."""
    return [hysteresis.show(Status(name, level, 'so'), now_s).level for now_s, level in seen]


def test_the_first_level_is_shown_at_once():
    assert shown(Hysteresis(5.0, 5.0), (0.0, ERROR)) == [ERROR]


def test_without_delay_a_level_rises_at_once_and_falls_late():
    levels = shown(Hysteresis(0.0, 1.0), (0, OK), (0.1, WARN), (0.2, OK), (1.1, OK), (1.2, OK))
    assert levels == [OK, WARN, WARN, WARN, OK]


def test_a_level_rises_only_once_it_has_lasted():
    levels = shown(Hysteresis(0.1, 1.0), (0, OK), (1, WARN), (1.09, WARN), (1.1, WARN))
    assert levels == [OK, OK, OK, WARN]


def test_trouble_shorter_than_a_delay_that_was_asked_for_is_not_shown():
    seen = [(i / 20, WARN if i % 2 else OK) for i in range(100)]
    assert set(shown(Hysteresis(0.1, 1.0), *seen)) == {OK}


def test_without_delay_trouble_that_comes_and_goes_is_shown_all_the_time():
    seen = [(i / 20, OK if i % 2 else WARN) for i in range(100)]
    assert set(shown(Hysteresis(0.0, 1.0), *seen)) == {WARN}


def test_trouble_that_comes_again_keeps_the_level_up():
    seen = [(i * 0.6, OK if i % 2 else WARN) for i in range(20)]
    assert set(shown(Hysteresis(0.0, 1.0), *seen)) == {WARN}


def test_an_error_that_becomes_a_warning_falls_to_the_warning_first():
    hysteresis = Hysteresis(0.0, 1.0)
    seen = [(0, ERROR), (0.5, WARN), (1.4, WARN), (1.5, WARN), (1.6, OK), (2.5, OK), (2.6, OK)]
    assert shown(hysteresis, *seen) == [ERROR, ERROR, ERROR, WARN, WARN, WARN, OK]


def test_the_time_of_ok_counts_from_where_ok_began_and_not_from_the_shown_level():
    hysteresis = Hysteresis(0.0, 1.0)
    assert shown(hysteresis, (0, ERROR), (0.5, OK), (1.5, OK)) == [ERROR, ERROR, OK]


def test_a_warning_on_the_way_to_an_error_counts_as_trouble_from_its_beginning():
    hysteresis = Hysteresis(0.1, 1.0)
    seen = [(0, OK), (1, WARN), (1.05, ERROR), (1.1, ERROR), (1.2, ERROR)]
    assert shown(hysteresis, *seen) == [OK, OK, OK, WARN, ERROR]


def test_stale_is_entered_and_left_at_once_and_nothing_before_it_counts():
    hysteresis = Hysteresis(5.0, 5.0)
    seen = [(0, OK), (1, STALE), (1.1, OK), (2, ERROR), (2.1, STALE), (2.2, WARN)]
    assert shown(hysteresis, *seen) == [OK, STALE, OK, OK, STALE, WARN]


def test_each_status_is_judged_by_itself():
    hysteresis = Hysteresis(0.0, 1.0)
    assert shown(hysteresis, (0, WARN), name='one') == [WARN]
    assert shown(hysteresis, (0.1, OK), name='other') == [OK]
    assert shown(hysteresis, (0.1, OK), name='one') == [WARN]


def test_a_level_that_is_held_up_says_so_beside_the_present_reason_and_values():
    hysteresis = Hysteresis(0.0, 1.0)
    hysteresis.show(Status('camera', WARN, 'masked', {'age_s': 3}), 0.0)
    held = hysteresis.show(Status('camera', OK, 'known', {'age_s': 0}), 0.1)
    message = 'known (WARN until 1 s without trouble)'
    assert held == Status('camera', WARN, message, {'age_s': 0}, held=OK)


def test_a_message_that_reads_as_if_the_level_were_held_up_does_not_make_it_so():
    text = 'the lens cap is off (WARN until 1 s without trouble)'
    assert Hysteresis(0.0, 1.0).show(Status('camera', WARN, text), 0.0).held is None


def test_a_level_that_is_not_held_up_tells_its_reason_alone():
    hysteresis = Hysteresis(0.5, 1.0)
    for now_s, level in ((0.0, OK), (0.1, WARN), (0.7, WARN), (2.0, OK), (3.0, OK)):
        told = hysteresis.show(Status('gate', level, f'at {now_s}'), now_s)
        assert told.message == f'at {now_s}' + (' (WARN until 1 s without trouble)' * (now_s == 2))


@pytest.mark.parametrize('bad', [-0.1, math.nan, math.inf])
@pytest.mark.parametrize('name', ['raise_after_s', 'clear_after_s'])
def test_a_time_that_is_no_time_is_refused_by_name(name: str, bad: float):
    times = {'raise_after_s': 0.0, 'clear_after_s': 0.0, name: bad}
    with pytest.raises(ModalityError, match=f'parameter {name} is {bad}, expected 0 or above'):
        Hysteresis(**times)
