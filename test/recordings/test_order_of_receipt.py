"""A bag is read in the order in which its messages were received, however it is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from mmvae_controller.control.window import NS
from mmvae_controller.recordings import order as order_module
from mmvae_controller.recordings.bag import read_bag
from mmvae_controller.recordings.errors import RecordingError
from mmvae_controller.recordings.order import MOST_SET_BACK, Noted, Order, REORDER_NS
from mmvae_controller.recordings.receipt import ClockChoice
from mmvae_controller.recordings.stored import Channel, Stored
from mmvae_controller.recordings.writer import BagWriter
import numpy as np
import pytest

MS = NS // 1000
TOPICS = ('/camera', '/joints', '/touch', '/marks')
Backlog = Callable[[Sequence[Stored], Random], list[Stored]]


def stored(topic: str, stamp_ns: int, data: bytes = b'') -> Stored:
    return Stored(Channel(topic, 'std_msgs/Empty'), stamp_ns, data)


def found(messages: Iterable[Stored], telling: Sequence[str] = TOPICS) -> Order:
    noted = Noted(telling)
    for _ in noted.taking(messages):
        pass
    return noted.order()


def read(messages: Sequence[Stored], telling: Sequence[str] = TOPICS) -> list[Stored]:
    return list(found(messages, telling).put(messages))


def late(messages: Sequence[Stored], random: Random, most_ms: int = 4000) -> list[Stored]:
    """Store each message up to so much later, those of a topic in their order."""
    at: dict[str, int] = {}
    places = []
    for place, message in enumerate(messages):
        topic = message.channel.topic
        at[topic] = max(at.get(topic, 0), place * 10 * MS + random.randrange(most_ms) * MS)
        places.append((at[topic], place))
    return [messages[place] for _, place in sorted(places)]


def takes(begin_ms: int, end_ms: int) -> list[Stored]:
    """Return what three topics told at 100, 50 and 20 Hz, in order."""
    told = []
    for ms in range(begin_ms, end_ms, 10):
        told.append(stored('/joints', ms * MS))
        if ms % 20 == 0:
            told.append(stored('/touch', ms * MS + 1))
        if ms % 50 == 0:
            told.append(stored('/camera', ms * MS + 2))
    return told


@given(st.randoms(use_true_random=False))
def test_messages_that_are_stored_late_are_read_when_they_were_received(random: Random):
    wanted = takes(0, 2000)
    shuffled = late(wanted, random)
    order = found(shuffled)
    assert order.times_back == 0
    assert list(order.put(shuffled)) == wanted


@given(st.randoms(use_true_random=False), st.integers(200, 5000))
def test_a_clock_that_was_set_back_stays_so_though_what_surrounds_it_is_stored_late(
    random: Random, back_ms: int
):
    wanted = [*takes(5000, 7000), *takes(7000 - back_ms // 50 * 50, 9000)]
    shuffled = late(wanted, random, 500)
    order = found(shuffled)
    assert order.times_back == 1
    assert list(order.put(shuffled)) == wanted


def test_a_well_ordered_bag_waits_for_nothing_and_keeps_equal_stamps_as_they_are():
    wanted = [stored(topic, n // 3 * MS) for n in range(9) for topic in TOPICS]
    assert found(wanted).ranks is None
    assert read(wanted) == wanted
    assert read([*wanted[12:], *wanted[:12]], ()) == wanted


def test_what_one_topic_tells_a_little_out_of_order_is_sorted():
    stamps = [10, 30, 20, 40, 30 + 10]
    slack = REORDER_NS // (10 * MS)
    assert slack > 1
    wanted = sorted(s * MS for s in stamps)
    assert [m.stamp_ns for m in read([stored('/joints', s * MS) for s in stamps])] == wanted


def test_a_topic_that_is_no_part_of_the_robot_does_not_say_that_the_clock_was_set_back():
    wanted = takes(0, 1000)
    odd = [stored('/tf', 500 * MS + 5), stored('/tf', 100 * MS + 5)]
    order = found([*wanted, *odd])
    assert order.times_back == 0
    assert [m.stamp_ns for m in order.put([*wanted, *odd])] == sorted(
        m.stamp_ns for m in [*wanted, *odd]
    )


def test_a_topic_that_is_too_slow_to_notice_that_the_clock_was_set_back_follows_the_others():
    before, after = takes(1000, 2000), takes(1500, 2500)
    # The second mark came after the clock had been set back, and is newer than the first.
    marks = [stored('/marks', ms * MS + 3) for ms in (1400, 1900)]
    wanted = [
        *sorted([*before, marks[0]], key=lambda m: m.stamp_ns),
        *sorted([*after, marks[1]], key=lambda m: m.stamp_ns),
    ]
    assert read(wanted) == wanted


def test_several_times_that_the_clock_was_set_back_are_told_apart():
    wanted = [m for begin_ms in (9000, 6000, 3000, 5000, 1000) for m in takes(begin_ms, 10000)]
    assert found(wanted).times_back == 4
    assert read(wanted) == wanted


def test_what_is_stored_late_is_told_and_a_little_is_not():
    wanted = takes(0, 2000)
    moved = [*wanted[1:150], wanted[0], *wanted[150:]]
    order = found(moved, ())
    assert order.late == 1
    assert 'by up to 0.87 s: the recorder was too busy' in order.notes[0]
    assert found([*wanted[1:3], wanted[0], *wanted[3:]], ()).notes == []


def test_stamps_that_go_back_a_little_within_a_topic_are_told_with_how_often_and_how_far():
    """A clock that was set back by so little is not cut: a reader has to see it."""
    wanted = [*takes(0, 1000), *takes(910, 2000)]
    order = found(wanted)
    assert order.times_back == 0
    assert order.went_back['/joints'] == (8, 80 * MS)
    assert order.went_back['/touch'] == (3, 60 * MS)
    assert '/joints 8 times by up to 0.08 s, /touch 3 times' in order.notes[0]
    assert 'or the clock was set back' in order.notes[0]
    # Who is no part of the robot has a clock of his own.
    assert found(wanted, ()).notes == []


def test_what_waits_is_what_was_foreseen():
    wanted = takes(0, 1000)
    shuffled = [
        stored(m.channel.topic, m.stamp_ns, bytes(10)) for m in late(wanted, Random(3), 600)
    ]
    order, counts, most = found(shuffled), [], 0
    for given_away, _ in enumerate(order.put(_counting(shuffled, counts))):
        most = max(most, len(counts) - given_away)
    assert order.held_bytes < most * 10 <= order.held_bytes + 10


def _counting(messages: Iterable[Stored], counts: list[int]) -> Iterable[Stored]:
    for message in messages:
        counts.append(1)
        yield message


def test_a_bag_that_would_have_to_be_held_in_memory_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(order_module, 'MOST_HELD', 1 << 20)
    big = bytes(1 << 18)
    by_topic = [stored(topic, ms * MS, big) for topic in TOPICS for ms in range(10)]
    with pytest.raises(RecordingError, match=r'7 MiB of them have to wait .* at most 1; write'):
        found(by_topic)


def test_stamps_of_no_clock_are_refused():
    stamps = [n % 2 * NS for n in range(2 * MOST_SET_BACK + 10)]
    with pytest.raises(RecordingError, match=r'its stamps go back 1004 times by more than 0\.1 s'):
        found([stored('/joints', s) for s in stamps])


def again(source: Path, target: Path, change: Backlog) -> Path:
    """Write a bag again in another order."""
    messages = list(read_bag(source, pytest.fail))
    with BagWriter(target) as writer:
        for m in change(messages, Random(4)):
            writer.write(m.channel.topic, m.channel.kind, m.stamp_ns, m.data)
    return target


def by_topic(messages: Sequence[Stored], random: Random) -> list[Stored]:
    return sorted(messages, key=lambda m: m.channel.topic)


@pytest.mark.parametrize('change', [late, by_topic])
@pytest.mark.parametrize('clock', ['bag', 'sim'])
@pytest.mark.parametrize('set_back', [False, True])
def test_a_bag_that_is_stored_out_of_order_gives_the_same_rows(
    tapes: Any,
    imported: Any,
    rows: Any,
    tmp_path: Path,
    change: Backlog,
    clock: str,
    set_back: bool,
):
    tape = tapes()
    for ms in range(0, 3000, 10):
        if ms == 1500 and set_back:
            tape.epoch_ns -= 30 * NS
        tape.clock(2 * ms + 1000, ms - 1)
        tape.run(ms, ms + 10)
    path = tape.close()
    options = {'clock': ClockChoice(clock)}
    report = imported(path, **options)
    wanted, ends = rows(), [e.ended for e in report.episodes]
    (tmp_path / 'data').rename(tmp_path / 'wanted')
    other = imported(again(path, tmp_path / 'again', change), **options)
    assert [e.ended for e in other.episodes] == ends
    assert any('30 s' in why or '29.99' in why for why in ends) == (set_back and clock == 'bag')
    found_rows = rows()
    assert len(wanted['label']) > 50
    for name in ('camera', 'joints', 'touch', 'motor', 'label', 'episode'):
        assert np.array_equal(found_rows[name], wanted[name]), name
    for name, known in wanted['known'].items():
        assert np.array_equal(found_rows['known'][name], known), name
    assert report.bags[0].notes == []
    notes = other.bags[0].notes
    assert 'read in the order of receipt' in notes[0]
    assert ('the clock was set back as well' in notes[-1]) == set_back
