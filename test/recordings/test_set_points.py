"""Set-points as velocities: what the live window would have held, and what it could not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from mmvae_controller.control.gate import judge, Request, Sent
from mmvae_controller.control.window import NS
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.modality.shared_files import find_robot
from mmvae_controller.modality.spec import Quantity
from mmvae_controller.recordings.set_points import SetPoints
import numpy as np
import pytest

MS = 1_000_000
REST = np.zeros(2)


@pytest.fixture
def points(robot: Any) -> SetPoints:
    return SetPoints(robot, None)


def at(left: float) -> Any:
    return np.array([left, -left])


def test_the_first_starts_at_rest_where_the_arm_is_measured(points: SetPoints):
    # 10 rad/s2 for 20 ms.
    assert np.allclose(points.follow(at(0.003), 0, REST), at(0.15))


def test_of_a_first_one_that_cannot_have_begun_there_nothing_is_known(points: SetPoints):
    assert points.follow(at(0.01), 0, REST) is None
    assert np.allclose(points.follow(at(0.02), 20 * MS, REST), at(0.5))


def test_of_a_first_one_nothing_is_known_where_no_joint_was_measured(points: SetPoints):
    assert points.follow(at(0.0), 0, None) is None


def test_a_late_one_counts_for_one_period(points: SetPoints):
    points.follow(REST, 0, REST)
    assert np.allclose(points.follow(at(0.01), 35 * MS, REST), at(0.5))


def test_one_that_makes_up_for_lost_time_is_taken_over_that_time(points: SetPoints):
    points.follow(REST, 0, REST)
    # Within a period that would be 5 rad/s, and joints go at 1 and 2.
    assert np.allclose(points.follow(at(0.1), 200 * MS, REST), at(0.5))
    assert points.too_fast == 0


def test_one_that_comes_right_after_one_that_was_held_up_is_taken_over_a_period(
    points: SetPoints,
):
    points.follow(REST, 0, REST)
    # Each 20 ms another 0.018 rad, the second 15 ms late: at 1 rad/s that would be too fast.
    assert np.allclose(points.follow(at(0.018), 35 * MS, at(-0.01)), at(0.9))
    assert np.allclose(points.follow(at(0.036), 40 * MS, at(-0.01)), at(0.9))
    assert points.too_fast == 0


def test_one_far_from_the_last_and_near_the_arm_begins_anew(points: SetPoints):
    points.follow(REST, 0, REST)
    assert np.allclose(points.follow(at(0.802), 20 * MS, at(0.8)), at(0.1))


def test_one_that_is_too_fast_from_anywhere_is_limited_as_in_the_gate_and_counted(
    points: SetPoints,
):
    points.follow(REST, 0, REST)
    assert np.allclose(points.follow(at(0.8), 20 * MS, REST), [1, -2])
    assert points.too_fast == 1


def test_after_a_long_silence_the_last_one_is_forgotten(points: SetPoints):
    points.follow(REST, 0, REST)
    assert points.follow(at(0.5), 1500 * MS, None) is None


def test_one_repeated_at_the_same_moment_is_a_hold_and_another_one_replaces_it(points: SetPoints):
    points.follow(REST, 0, REST)
    points.follow(at(0.01), 20 * MS, REST)
    assert np.array_equal(points.follow(at(0.01), 20 * MS, REST), REST)
    assert np.allclose(points.follow(at(0.004), 20 * MS, REST), at(0.2))


def test_without_limits_anything_may_be(robot: Any):
    free = replace(robot, output=replace(robot.output, limits=None))
    points = SetPoints(free, None)
    assert np.allclose(points.follow(at(1.0), 0, REST), at(50))
    assert np.allclose(points.follow(at(3.0), 20 * MS, REST), at(100))


def test_a_position_stays_one(robot: Any):
    command = replace(robot.command, quantity=Quantity.POSITION, unit='rad')
    points = SetPoints(replace(robot, modalities=(*robot.modalities[:-1], command)), None)
    assert np.array_equal(points.follow(at(0.7), 0, None), at(0.7))


@given(seed=st.integers(0, 10**6), waits_ms=st.lists(st.integers(3, 60), min_size=1, max_size=30))
def test_what_the_gate_sent_is_found_again(seed: int, waits_ms: list[int]):
    """The velocities in the window of the controller, from the positions on the wire alone."""
    robot = load_robot(find_robot('iiwa_sim'))
    random = np.random.default_rng(seed)
    start = random.uniform(-1, 1, 7)
    points, period_s = SetPoints(robot, None), 1 / robot.rate_hz
    last, sent_ns, now_ns = Sent(start, np.zeros(7)), -round(period_s * NS), 0
    for wait_ms in waits_ms:
        elapsed_s = min((now_ns - sent_ns) / NS, period_s)
        request = Request(random.normal(0, 1, 7), np.zeros(7), Quantity.VELOCITY, True)
        decision = judge(request, last, robot.output.limits, elapsed_s, robot.output.certainty)
        found = points.follow(decision.sent.position, now_ns, start)
        assert np.allclose(found, decision.sent.velocity, rtol=0, atol=1e-9)
        last, sent_ns = decision.sent, now_ns
        now_ns += wait_ms * MS
