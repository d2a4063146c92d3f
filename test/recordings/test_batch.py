"""What is recorded at once is in the order of receipt, and what was missed is counted."""

from typing import Any

from mmvae_controller.control.window import NS
from mmvae_controller.recordings.batch import Batch, MOST
import pytest


def info(stamp_ns: int, number: int | None = None) -> dict[str, Any]:
    return {'received_timestamp': stamp_ns, 'publication_sequence_number': number}


def test_what_one_topic_kept_waiting_comes_before_what_came_later_on_another():
    batch = Batch(lambda topic: 1)
    for topic, stamps in (('/clock', (5, 6, 7)), ('/camera', (1, 6))):
        for stamp_ns in stamps:
            batch.add(topic, 'kind', b'', info(stamp_ns), 10)
    assert [(m.topic, m.stamp_ns) for m in batch.taken()] == [
        ('/camera', 1),
        ('/clock', 5),
        ('/clock', 6),
        ('/camera', 6),
        ('/clock', 7),
    ]
    assert batch.taken() == []


def test_how_late_it_was_taken_is_known_and_without_a_stamp_it_came_now():
    batch = Batch(lambda topic: 1)
    batch.add('/clock', 'kind', b'', info(NS), 3 * NS)
    batch.add('/clock', 'kind', b'', {'received_timestamp': 0}, 4 * NS)
    assert batch.latest_s == pytest.approx(2.0)
    assert [m.stamp_ns for m in batch.taken()] == [NS, 4 * NS]


def test_what_is_missing_in_the_numbers_of_one_publisher_was_lost():
    batch = Batch(lambda topic: 2 if topic == '/diagnostics' else 1)
    for topic in ('/clock', '/diagnostics'):
        for number in (7, 8, 12, 13, 1, 2, None):
            batch.add(topic, 'kind', b'', info(1, number), 1)
    assert batch.lost == {'/clock': 3}


def test_it_is_full_by_count_and_by_size():
    batch = Batch(lambda topic: 1)
    for _ in range(MOST):
        assert not batch.is_full
        batch.add('/clock', 'kind', b'', info(1), 1)
    assert batch.is_full
    batch.taken()
    batch.add('/camera', 'kind', bytes(1 << 26), info(1), 1)
    assert batch.is_full
