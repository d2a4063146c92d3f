"""What is shown and what is stale: decided without a window."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mmvae_controller.nodes.reporting.status import Level
from mmvae_controller.rqt.board import Board
from mmvae_controller.rqt.contents import Told
from mmvae_controller.rqt.robot import pin
import numpy as np
import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros


def told(board: Any, now_s: float, array: Any) -> None:
    pin(board, now_s, ('told', ''), array)


def test_live_numbers_are_shown_with_what_the_command_leans_on(board: Any):
    view = board.view(10.5)
    assert view.level is Level.OK
    assert view.headline == 'The command leans on camera (35.2 nats), then joints (12.1 nats)'
    assert view.matrices['without'].live
    assert view.matrices['without'].matrix.nats[0][3] == 35.2
    assert np.isnan(view.matrices['alone'].matrix.nats[2]).all()


def test_the_command_is_the_one_that_has_no_input(board: Any):
    assert board.view(10.5).matrices['without'].command == 'motor'


def test_before_anything_came_it_says_what_is_awaited():
    view = Board('/robot1').view(0.0)
    assert view.level is Level.STALE
    assert view.headline == '/robot1: importance/matrix: nothing came yet'
    assert not view.matrices['without'].live
    assert view.senses == ()


def test_a_matrix_older_than_a_second_has_labels_but_no_numbers(board: Any):
    view = board.view(13.2)
    matrix = view.matrices['without']
    assert (matrix.live, matrix.note) == (False, 'STALE, last 3.2 s ago')
    assert matrix.matrix.rows == ('camera', 'joints', 'touch', 'motor')
    assert matrix.matrix.nats == ()
    assert view.level is Level.STALE
    assert view.headline.startswith('STALE, last 3.2 s ago')


def test_a_fresh_matrix_is_stale_when_the_node_says_so(board: Any, messages: Any):
    array = messages.diagnostics()
    array.status[0].level = b'\3'
    told(board, 10.2, array)
    assert not board.view(10.3).matrices['without'].live


def test_what_the_node_said_before_the_matrix_came_does_not_count(board: Any, messages: Any):
    array = messages.diagnostics()
    array.status[0].level = b'\3'
    told(board, 10.2, array)
    pin(board, 10.4, ('importance/matrix', 'without'), messages.matrix())
    view = board.view(10.5)
    assert view.matrices['without'].live
    assert view.level is Level.OK
    assert view.headline.startswith('The command leans on')


def test_senses_that_nobody_tells_of_any_more_lose_their_numbers(board: Any):
    fresh, old = board.view(11.0).senses[0], board.view(13.0).senses[0]
    assert (fresh.level, fresh.state, fresh.nats) == (Level.OK, 'known, 0.02 s old', 35.2)
    assert (old.level, old.state, old.nats) == (Level.STALE, 'STALE', None)
    assert old.message == 'nothing is told any more; last 3.0 s ago'


def test_a_sense_that_is_told_stale_has_no_number(board: Any, messages: Any):
    told(board, 10.2, messages.diagnostics(touch=3))
    touch = board.view(10.3).senses[2]
    assert (touch.name, touch.level, touch.nats) == ('touch', Level.STALE, None)


def test_a_lost_sense_is_named_in_the_headline(board: Any, messages: Any):
    told(board, 10.2, messages.diagnostics(camera=2))
    view = board.view(10.3)
    assert view.level is Level.ERROR
    assert view.headline.startswith('camera: missing at t for 1.2 s, masked\n')


def test_that_the_gate_holds_is_said_as_long_as_it_is_told(board: Any):
    holding = Told('controller: gate', Level.WARN, 'holding: stale')
    board.told(10.2, [holding])
    view = board.view(10.3)
    assert view.level is Level.WARN
    assert view.headline.startswith('gate: holding: stale\nThe command would lean on')
    board.told(10.2, [replace(holding, level=Level.OK)])
    assert 'gate' not in board.view(10.3).headline
    board.told(10.4, [holding])
    assert 'gate' in board.view(11.6).headline
    assert 'gate' not in board.view(11.7).headline


@pytest.mark.parametrize(
    ('name', 'level', 'shown'),
    [
        ('controller: loop', Level.ERROR, Level.ERROR),
        ('controller: loop', Level.WARN, Level.WARN),
        ('controller: gate', Level.ERROR, Level.ERROR),
        ('diagnostics: model', Level.WARN, Level.WARN),
        ('diagnostics: model', Level.ERROR, Level.ERROR),
    ],
)
def test_a_controller_or_a_model_in_trouble_is_no_robot_that_is_well(
    board: Any, name: str, level: Level, shown: Level
):
    board.told(10.2, [Told(name, level, 'is in trouble')])
    view = board.view(10.3)
    assert view.level is shown
    part = name.partition(': ')[2]
    assert view.headline.startswith(f'{part}: is in trouble\nThe command leans on')


def test_an_error_outweighs_a_sense_that_is_stale(board: Any, messages: Any):
    told(board, 10.2, messages.diagnostics(touch=3))
    board.told(10.2, [Told('controller: loop', Level.ERROR, 'no tick for 3 s')])
    assert board.view(10.3).level is Level.ERROR


def test_what_stands_still_is_said_also_where_nothing_is_known_any_more(board: Any):
    board.told(13.0, [Told('controller: loop', Level.ERROR, 'no tick for 3 s')])
    board.told(13.0, [Told('diagnostics: model', Level.STALE, 'no observation for 3 s')])
    view = board.view(13.2)
    assert view.level is Level.ERROR
    assert view.headline.split('\n')[:2] == [
        'loop: no tick for 3 s',
        'model: no observation for 3 s',
    ]
    assert view.headline.split('\n')[2].startswith('STALE, last 3.2 s ago')


def test_a_matrix_that_comes_every_two_seconds_does_not_flap(board: Any, messages: Any):
    levels = []
    for tenth in range(200):
        now_s = 20 + tenth / 10
        if tenth % 20 == 0:
            pin(board, now_s, ('importance/matrix', 'without'), messages.matrix())
            pin(board, now_s, ('seen', 'camera'), messages.picture())
        if tenth % 5 == 0:
            told(board, now_s, messages.diagnostics())
        view = board.view(now_s + 0.05)
        levels.append((view.level, view.pictures['camera'][0].picture is not None))
    assert set(levels[20:]) == {(Level.OK, True)}
    told(board, 41.0, messages.diagnostics())
    assert board.view(43.1).level is Level.STALE


def test_what_the_node_takes_back_is_not_drawn_however_seldom_it_comes(board: Any, messages: Any):
    for now_s in (12.0, 14.0, 16.0):
        pin(board, now_s, ('importance/matrix', 'without'), messages.matrix())
        pin(board, now_s, ('seen', 'camera'), messages.picture())
    array = messages.diagnostics()
    array.status[0].level = b'\3'
    told(board, 16.2, array)
    view = board.view(16.3)
    assert not view.matrices['without'].live
    assert view.pictures['camera'][0].picture is None


def test_a_black_picture_that_is_taken_for_one_is_told_from_a_masked_one(
    board: Any, messages: Any
):
    pin(board, 10.1, ('seen', 'camera'), messages.picture((0, 0, 0)))
    view = board.view(10.2)
    assert view.pictures['camera'][0].note == 'black: covered or dark?'
    assert view.headline.startswith('camera is black\nThe command leans on')
    assert view.level is Level.WARN
    told(board, 10.2, messages.diagnostics(camera=2))
    view = board.view(10.3)
    assert view.pictures['camera'][0].note == 'masked: it sees nothing'
    assert 'is black' not in view.headline


def test_an_imagined_black_picture_is_no_trouble(board: Any, messages: Any):
    pin(board, 10.1, ('imagined', 'camera'), messages.picture((0, 0, 0)))
    assert board.view(10.2).pictures['camera'][1].note == ''


def test_an_old_picture_is_not_shown(board: Any):
    seen, imagined = board.view(11.5).pictures['camera']
    assert (seen.picture, seen.note) == (None, 'STALE, last 1.5 s ago')
    assert imagined.picture is None


def test_a_broken_message_replaces_the_good_one_by_a_sentence(board: Any, messages: Any):
    matrix = messages.matrix()
    matrix.data = matrix.data[:-1]
    pin(board, 10.1, ('importance/matrix', 'without'), matrix)
    picture = messages.picture()
    picture.encoding = 'yuv422'
    pin(board, 10.1, ('seen', 'camera'), picture)
    view = board.view(10.2)
    assert view.matrices['without'].matrix is None
    assert view.headline == '/: importance/matrix: the matrix has 15 numbers, expected 4 x 4'
    assert "encoding 'yuv422'" in view.pictures['camera'][0].note


def test_other_robots_are_left_out(messages: Any):
    board = Board('/robot1')
    for prefix, level in (('robot1/', 2), ('', 0), ('robot1/arm/', 0), ('robot2/', 0)):
        told(board, 10.0, messages.diagnostics(prefix, camera=level))
    assert [s.name for s in board.view(10.1).senses] == ['camera', 'joints', 'touch', 'motor']
    assert board.view(10.1).senses[0].level is Level.ERROR


def test_the_root_namespace_leaves_out_robots_with_a_name(messages: Any):
    board = Board('/')
    told(board, 10.0, messages.diagnostics('robot1/'))
    assert board.view(10.1).senses == ()


def test_without_a_word_on_diagnostics_nothing_is_said_to_steer(messages: Any):
    board = Board('/')
    pin(board, 10.0, ('importance/matrix', 'without'), messages.matrix())
    view = board.view(10.1)
    assert view.matrices['without'].live
    assert (view.level, view.headline) == (
        Level.STALE,
        'No importance of the command on /diagnostics of /',
    )


def test_a_missing_sense_is_not_shown_as_one_that_does_not_matter(board: Any, messages: Any):
    told(board, 10.2, messages.diagnostics(camera=2))
    view = board.view(10.3)
    assert view.senses[0].nats is None
    assert np.isnan(view.matrices['without'].matrix.nats[0]).all()
    assert view.matrices['without'].matrix.nats[1][3] == 12.1
    assert view.headline.endswith('leans on joints (12.1 nats), then motor (9.00 nats)')
