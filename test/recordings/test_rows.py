"""Rows of a data set: what the robot sensed at a moment, what was sent, and what was right."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mmvae_controller.datasets.store import Dataset
from mmvae_controller.modality.robot_file import robot_checksum
from mmvae_controller.modality.spec import Quantity
from mmvae_controller.recordings.topics import Names
import numpy as np
import pytest


def test_rows_are_a_period_apart_and_hold_what_was_newest_then(
    tape: Any, imported: Any, rows: Any
):
    report = imported(tape.run(0, 1000).close())
    found = rows()
    # The first row is at the first set-point, 5 ms after the beginning.
    at_ms = 5 + 50 * np.arange(20)
    assert report.rows == len(found['joints']) == 20
    assert np.allclose(found['joints'][:, 2], at_ms // 10 * 10 / 1000)
    assert np.allclose(found['touch'][:, 0], (at_ms - 2) // 20 * 20 / 1000)
    assert np.array_equal(found['camera'][:, 0, 0, 0], (at_ms - 1) // 20 * 20 // 5)
    assert all(found['known'][name].all() for name in ('camera', 'joints', 'touch'))
    assert found['episode'].tolist() == [0] * 20


def test_a_row_holds_what_came_at_its_very_moment(tape: Any, imported: Any, rows: Any):
    for ms in range(0, 1000, 10):
        if ms % 20 == 0:
            tape.camera(9, ms)
        tape.joints((ms + 5) / 1000, ms + 5)
        if ms % 20 == 0:
            tape.command(ms / 1000, ms + 5)
    imported(tape.close())
    # Every other row is at no set-point.
    assert np.allclose(rows()['joints'][:, 2], (5 + 50 * np.arange(20)) / 1000)


def test_a_data_set_says_what_it_was_made_from(
    tape: Any, imported: Any, tmp_path: Any, robot: Any
):
    imported(tape.run(0, 500).close(), names=Names(namespace=''), gap_s=0.7)
    dataset = Dataset(tmp_path / 'data')
    assert dataset.description.step_s == 0.1
    assert dataset.description.period_s == 0.05
    provenance = dataset.description.provenance
    assert provenance['bags'] == ['bag']
    assert provenance['robot_file'] == 'robot.yaml'
    assert provenance['robot_sha256'] == robot_checksum(robot.path)
    assert provenance['gap_s'] == 0.7


def test_a_position_is_the_set_point_itself(tape: Any, imported: Any, rows: Any, robot: Any):
    position = replace(robot.command, quantity=Quantity.POSITION, unit='rad')
    of = replace(robot, modalities=(*robot.modalities[:-1], position))
    imported(tape.run(0, 1000).close(), of=of)
    at_ms = 5 + 50 * np.arange(20)
    sent = (at_ms - 5) // 20 * 20 / 1000 + 0.02
    # Sent: the last up to the moment. Right: the first from the moment on.
    assert np.allclose(rows()['motor'][:, 0], sent)
    right = -(-(at_ms - 5) // 20) * 20 / 1000 + 0.02
    assert np.allclose(rows()['label'][:, 0], right)


def test_a_velocity_is_the_way_since_the_last_set_point(tape: Any, imported: Any, rows: Any):
    imported(tape.run(0, 1000).close())
    found = rows()
    assert np.allclose(found['label'], [1, -1])
    # The recording begins in motion: from where the first one came is not known.
    assert found['known']['motor'].tolist() == [False] + [True] * 19
    assert np.allclose(found['motor'], [[0, 0]] + [[1, -1]] * 19)


def test_after_a_late_tick_a_velocity_counts_for_one_period_as_in_the_gate(
    tape: Any, imported: Any, rows: Any
):
    for number in range(30):
        # The tick at 205 ms comes 15 ms late, and makes the step of one period.
        late_ms = 15 if number == 10 else 0
        tape.joints(0.02 * number, 20 * number)
        tape.camera(9, 20 * number + 1)
        tape.command(0.02 * (number + 1), 20 * number + 5 + late_ms)
    imported(tape.close())
    assert np.allclose(rows()['label'][:, 0], 1)


def test_set_points_of_somebody_slower_than_the_loop_are_taken_over_their_own_time(
    tape: Any, imported: Any, rows: Any
):
    tape.run(0, 2000, lambda what, ms: what == 'command' and ms % 40 != 0)
    imported(tape.close())
    # Each moves on by 40 ms of 1 rad/s; over the loop's 20 ms that would be 2 rad/s.
    assert np.allclose(rows()['label'][1:, 0], 1)


def test_the_first_velocity_starts_where_the_arm_was_measured(tape: Any, imported: Any, rows: Any):
    tape.joints(0.5, 0)
    tape.camera(9, 1)
    tape.command(0.504, 5)
    tape.joints(0.5, 10)
    tape.command(0.504, 25)
    imported(tape.close())
    assert np.allclose(rows()['label'][0], [0.2, -0.2])


def test_what_a_demonstrator_wanted_is_right_and_what_was_sent_is_what_was_sent(
    tape: Any, imported: Any, rows: Any
):
    for ms in range(5, 1000, 20):
        tape.joints(ms / 1000, ms - 3)
        tape.camera(9, ms - 2)
        # Wanted at 0.25 rad/s, disturbed to 1.
        tape.command(0.25, ms - 1, 'wanted')
        tape.command(ms / 1000, ms)
    report = imported(tape.close(), names=Names(label='wanted'))
    found = rows()
    assert report.rows > 15
    assert np.allclose(found['label'], [0.25, -0.25])
    assert np.allclose(found['motor'][1:], [1, -1])


def test_a_sense_that_is_too_old_is_masked_and_zero_and_the_episode_goes_on(
    tape: Any, imported: Any, rows: Any
):
    tape.run(0, 2000, lambda what, ms: what == 'camera' and 500 <= ms < 1300)
    report = imported(tape.close())
    found = rows()
    known = found['known']['camera']
    at_ms = 5 + 50 * np.arange(40)
    # The last picture came at 481 ms and is good for 200 ms; the next came at 1301.
    assert np.array_equal(known, (at_ms <= 681) | (at_ms >= 1301))
    assert not found['camera'][~known].any()
    assert found['known']['joints'].all()
    assert len(report.episodes) == 1
    camera = report.tallies['camera']
    assert camera.masked_s == [(pytest.approx(0.681), pytest.approx(1.301))]
    assert camera.largest_gap_s == pytest.approx(0.82)
    assert report.known['camera'] == known.sum()


def test_nothing_that_is_predicted_or_assumed_is_recorded(
    tape: Any, imported: Any, rows: Any, robot: Any
):
    sources = {n: replace(s, max_prediction_s=3.0) for n, s in robot.sources.items()}
    tape.run(0, 2000, lambda what, ms: what == 'joints' and 500 <= ms < 1300)
    imported(tape.close(), of=replace(robot, sources=sources))
    at_ms = 5 + 50 * np.arange(40)
    assert np.array_equal(rows()['known']['joints'], (at_ms <= 590) | (at_ms >= 1300))


def test_a_black_picture_is_masked_as_on_the_robot_and_told(
    tape: Any, imported: Any, rows: Any, robot: Any
):
    sources = dict(robot.sources)
    sources['camera'] = replace(sources['camera'], min_contrast=6.0)
    report = imported(tape.run(0, 500).close(), of=replace(robot, sources=sources))
    assert not rows()['known']['camera'].any()
    assert report.tallies['camera'].unsound == 25
    assert (
        report.tallies['camera'].first_unsound == 'no contrast (0.0 grey levels, min_contrast 6)'
    )


def test_a_row_without_a_set_point_is_none_and_those_after_it_are_another_episode(
    tape: Any, imported: Any, rows: Any
):
    # 485 to 605 ms without one: for the row at 505 ms none comes in time.
    tape.run(0, 1000, lambda what, ms: what == 'command' and 490 <= ms < 590)
    report = imported(tape.close())
    assert report.dropped == {'no set-point within 0.05 s': 1}
    assert report.rows == 19
    first, second = report.episodes
    assert (first.rows, second.rows) == (10, 9)
    assert first.ended == 'no set-point within 0.05 s'
    assert second.began == 'set-points come again'
    assert np.array_equal(rows()['episode'], [0] * 10 + [1] * 9)


def test_rows_are_written_in_shards_and_an_episode_may_go_over_several(
    tape: Any, imported: Any, rows: Any, monkeypatch: Any, tmp_path: Any
):
    from mmvae_controller.recordings import aside

    monkeypatch.setattr(aside, 'SHARD_BYTES', 2000)
    imported(tape.run(0, 1000).close())
    assert len(list((tmp_path / 'data').glob('shard-*'))) == 3
    assert np.allclose(np.diff(rows()['joints'][:, 2]), 0.05, atol=0.011)
    batch = Dataset(tmp_path / 'data').batch(np.arange(20))
    assert batch.known[3:].all()
    assert not batch.known[:2, :, 0].any()
