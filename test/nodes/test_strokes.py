"""A recorded stroke as goals in time."""

from __future__ import annotations

from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.nodes.strokes import Phase, read_stroke, Strokes
from mmvae_controller.simulation.tasks.trajectories import recorded
import numpy as np
import pytest

STROKE = np.array([[40.0, 40.0], [60.0, 40.0]])
AHEAD_S = 0.1
HAND = np.array([10.0, 40.0])


def strokes(repeat=False):
    return Strokes(recorded(STROKE, 2.0), lead_px_s=20.0, max_apart_px=12.0, repeat=repeat)


def obey(shown, until_s, began_s=0.0, hand=HAND, step_s=0.05):
    """Let the hand be where it should be, and return what was asked for."""
    goals = []
    for now_s in np.arange(began_s, until_s, step_s):
        goal = shown.goal(hand, float(now_s), AHEAD_S)
        goals.append(goal)
        hand = hand if goal is None else goal
    return goals


def test_nothing_is_asked_for_while_nobody_knows_where_the_hand_is():
    shown = strokes()
    assert shown.goal(None, 0.0, AHEAD_S) is None
    assert shown.phase is Phase.WAITING


def test_the_hand_is_led_to_the_beginning_and_then_along_the_stroke_and_no_farther():
    shown = strokes()
    goals = obey(shown, 10.0)
    assert shown.phase is Phase.ENDED
    asked = np.array([g for g in goals if g is not None])
    np.testing.assert_allclose(asked[0], HAND, atol=0.5)
    assert np.linalg.norm(asked - STROKE[0], axis=1).min() < 0.5
    np.testing.assert_allclose(asked[-1], STROKE[1], atol=0.1)
    assert goals[-1] is None


def test_goals_make_no_jump_not_even_from_leading_to_showing():
    asked = np.array([g for g in obey(strokes(), 10.0) if g is not None])
    assert np.abs(np.diff(asked, axis=0)).max() < 20.0 * 2 * 0.05


def test_a_hand_that_is_elsewhere_is_led_anew_from_where_it_is():
    shown = strokes()
    obey(shown, 4.0)
    assert shown.phase is Phase.SHOWING
    elsewhere = np.array([90.0, 10.0])
    goal = shown.goal(elsewhere, 4.0, AHEAD_S)
    assert shown.phase is Phase.LEADING
    np.testing.assert_allclose(goal, elsewhere, atol=1.0)


def test_a_hand_that_is_lost_stops_the_stroke_until_it_is_seen():
    shown = strokes()
    obey(shown, 3.0)
    assert shown.goal(None, 3.0, AHEAD_S) is None
    assert shown.phase is Phase.WAITING
    assert shown.goal(HAND, 3.1, AHEAD_S) is not None
    assert shown.phase is Phase.LEADING


def test_a_clock_that_is_set_back_begins_anew():
    shown = strokes()
    obey(shown, 6.0, began_s=4.0)
    goal = shown.goal(HAND, 1.0, AHEAD_S)
    np.testing.assert_allclose(goal, HAND, atol=1.0)
    assert shown.phase is Phase.LEADING


@pytest.mark.parametrize('hand', [None, HAND])
def test_a_stroke_that_has_ended_stays_ended_whatever_becomes_of_hand_and_clock(hand):
    shown = strokes()
    obey(shown, 10.0)
    assert shown.phase is Phase.ENDED
    assert shown.goal(hand, 1.0, AHEAD_S) is None
    assert not any(g is not None for g in obey(shown, 110.0, began_s=100.0))


def test_a_stroke_that_repeats_leads_back_to_its_beginning():
    shown = strokes(repeat=True)
    goals = obey(shown, 20.0)
    assert all(g is not None for g in goals)
    near = np.linalg.norm(np.array(goals) - STROKE[0], axis=1) < 0.5
    assert np.flatnonzero(near)[-1] - np.flatnonzero(near)[0] > 100
    assert np.abs(np.diff(np.array(goals), axis=0)).max() < 20.0 * 2 * 0.05


def test_a_file_of_strokes_is_read_row_by_row(tmp_path):
    path = tmp_path / 'stroke.csv'
    path.write_text('1, 2\n3, 4\n', encoding='utf-8')
    stroke = read_stroke(path, 2, 2.0)
    assert stroke.at(0.0).tolist() == [1, 2]
    assert stroke.at(2.0).tolist() == [3, 4]


@pytest.mark.parametrize(
    ('text', 'why'),
    [
        ('1,2\n', 'two or more'),
        ('1,2\n3,nan\n', 'finite'),
        ('1,2,3\n4,5,6\n', '3 numbers in a row, expected 2'),
        ('one,two\n', 'is no stroke'),
    ],
)
def test_a_file_that_is_no_stroke_is_refused(tmp_path, text, why):
    path = tmp_path / 'stroke.csv'
    path.write_text(text, encoding='utf-8')
    with pytest.raises(ModalityError, match=why):
        read_stroke(path, 2, 2.0)
    with pytest.raises(ModalityError, match='is no stroke'):
        read_stroke(tmp_path / 'absent.csv', 2, 2.0)
