"""When messages came, with every clock given as an argument."""

from __future__ import annotations

from mmvae_controller.nodes.wire.receipt import Receipts, waited_ns
import pytest

MS = 1_000_000
PERIOD_NS = 20 * MS
STANDSTILL_NS = 200 * MS


@pytest.fixture
def steady() -> Receipts:
    return Receipts(False, PERIOD_NS, STANDSTILL_NS)


@pytest.fixture
def simulated() -> Receipts:
    return Receipts(True, PERIOD_NS, STANDSTILL_NS)


@pytest.mark.parametrize(
    ('info', 'waited'),
    [
        ({'received_timestamp': 1000}, 500),
        ({'received_timestamp': 2000}, 0),  # the system clock was set back
        ({'received_timestamp': 0}, None),
        ({'received_timestamp': -1}, None),
        ({'received_timestamp': None}, None),
        ({}, None),
    ],
)
def test_a_wait_is_never_negative_and_may_be_unknown(info: dict[str, int], waited: int | None):
    assert waited_ns(info, 1500) == waited


def test_a_message_that_waited_is_as_old_as_it_is(steady: Receipts):
    assert steady.stamp_ns('joints', 5000 * MS, 2000 * MS, 0) == 3000 * MS
    assert steady.stamp_ns('joints', 5020 * MS, 1 * MS, 0) == 5019 * MS


def test_two_clocks_read_at_two_moments_do_not_turn_the_order_round(steady: Receipts):
    assert steady.stamp_ns('joints', 5000 * MS, 0, 0) == 5000 * MS
    assert steady.stamp_ns('joints', 5001 * MS, 9 * MS, 0) == 5000 * MS
    assert steady.stamp_ns('camera', 5001 * MS, 9 * MS, 0) == 4992 * MS


def test_a_clock_that_is_set_back_is_passed_on_for_the_window_to_see(simulated: Receipts):
    simulated.stamp_ns('joints', 5000 * MS, 0, 0)
    assert simulated.stamp_ns('joints', 100 * MS, 0, 0) == 100 * MS


def test_in_simulated_time_only_a_pause_makes_a_message_older(simulated: Receipts):
    assert simulated.stamp_ns('joints', 5000 * MS, PERIOD_NS, 0) == 5000 * MS
    assert simulated.stamp_ns('joints', 9000 * MS, 2000 * MS, 0) == 7000 * MS


def test_where_the_middleware_tells_nothing_the_first_message_after_a_pause_is_dropped(
    steady: Receipts,
):
    steady.beat(0)
    assert steady.stamp_ns('joints', 0, None, 0) is None
    assert steady.stamp_ns('joints', 20 * MS, None, 20 * MS) == 20 * MS
    steady.beat(2000 * MS)
    steady.beat(2020 * MS)
    assert steady.stamp_ns('joints', 2020 * MS, None, 2020 * MS) is None
    assert steady.stamp_ns('camera', 2020 * MS, None, 2020 * MS) is None
    assert steady.stamp_ns('joints', 2030 * MS, None, 2030 * MS) == 2030 * MS


def test_where_the_middleware_tells_nothing_what_comes_before_the_next_tick_is_dropped_too(
    steady: Receipts,
):
    steady.beat(0)
    steady.stamp_ns('joints', 0, None, 0)
    assert steady.stamp_ns('joints', 2000 * MS, None, 2000 * MS) is None
