"""Writing a bag: complete when it is closed, readable when it is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import resource
from typing import Any

from mmvae_controller.recordings.bag import read_bag
from mmvae_controller.recordings.errors import RecordingError
from mmvae_controller.recordings.writer import BagWriter
import pytest

FULL_BYTES = 200_000


@pytest.fixture
def small_disk() -> Iterator[None]:
    """Let no file become larger, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_BYTES, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_bag_that_is_there_is_not_written_over(tape: Any):
    tape.close()
    with pytest.raises(RecordingError, match='bag: is there already; name another with --out'):
        BagWriter(tape.path)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path):
    (tmp_path / 'file').touch()
    with pytest.raises(RecordingError, match='cannot be written: Not a directory'):
        BagWriter(tmp_path / 'file' / 'bag')


@pytest.mark.parametrize('when', ['write', 'flush', 'close'])
def test_on_a_full_disk_it_says_so_and_what_was_written_stays_readable(
    tapes: Any, small_disk: None, when: str
):
    tape = tapes('full')
    with pytest.raises(RecordingError, match='what was written before can be imported'):
        _fill(tape, when)
    lost: list[str] = []
    found = list(read_bag(tape.path, lost.append))
    assert any('has no end' in line for line in lost)
    assert len(found) > (500 if when != 'write' else 0)
    assert [m.stamp_ns for m in found] == sorted(m.stamp_ns for m in found)


def _fill(tape: Any, when: str) -> None:
    with tape.writer:
        for ms in range(0, 20000, 200):
            tape.run(ms, ms + 200)
            if when == 'flush':
                tape.writer.flush()
            if when == 'close' and tape.writer.messages > 1500:
                break


def test_a_flushed_bag_can_be_read_while_it_is_written(tape: Any):
    tape.run(0, 100).writer.flush()
    count = tape.writer.messages
    tape.run(100, 200)
    assert len(list(read_bag(tape.path, lambda text: None))) == count
    tape.writer.flush()
    tape.writer.flush()
    assert len(list(read_bag(tape.path, lambda text: None))) == tape.writer.messages
    tape.close()
    assert len(list(read_bag(tape.path, lambda text: None))) == tape.writer.messages


@pytest.mark.parametrize('compressed', [False, True])
def test_what_is_damaged_later_is_noticed(tapes: Any, compressed: bool):
    tape = tapes('bag', compressed=compressed)
    for ms in (0, 100, 200):
        tape.run(ms, ms + 100).writer.flush()
    file = next(tape.close().glob('*.mcap'))
    whole = {m.data for m in read_bag(tape.path, pytest.fail)}
    data = bytearray(file.read_bytes())
    data[1000] ^= 1
    file.write_bytes(data)
    lost: list[str] = []
    found = [m.data for m in read_bag(tape.path, lost.append)]
    assert set(found) < whole
    assert len(found) == 50
    assert 'wrong checksum' in lost[0] or compressed


def test_an_error_of_somebody_else_does_not_leave_the_bag_without_its_end(tapes: Any):
    tape = tapes('bag')
    with pytest.raises(KeyError):
        _fail(tape)
    lost: list[str] = []
    assert len(list(read_bag(tape.path, lost.append))) == tape.writer.messages
    assert lost == []


def _fail(tape: Any) -> None:
    with tape.writer:
        tape.run(0, 100)
        raise KeyError


def test_a_type_of_which_a_part_is_not_defined_is_refused_each_time_it_is_asked_for(
    tmp_path: Path,
):
    texts = {'arm_msgs/Grip': 'arm_msgs/Finger[] fingers', 'arm_msgs/Wide': 'float64 width'}
    with BagWriter(tmp_path / 'bag', define=lambda kind: texts.get(kind, '')) as writer:
        for topic in ('/grip', '/other'):
            with pytest.raises(RecordingError, match='nobody defines arm_msgs/'):
                writer.require(topic, 'arm_msgs/Grip')
        writer.require('/wide', 'arm_msgs/Wide')
        writer.write('/wide', 'arm_msgs/Wide', 1, bytes(12))
    assert [m.channel.topic for m in read_bag(tmp_path / 'bag', pytest.fail)] == ['/wide']
