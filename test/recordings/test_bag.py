"""Bags of every kind, whole and damaged: what can be saved is saved, the rest is named."""

from __future__ import annotations

from binascii import crc32
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from random import Random
import sqlite3
import sys
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
import lz4.frame
from mmvae_controller.recordings.bag import files_of, read_bag
from mmvae_controller.recordings.errors import RecordingError
from mmvae_controller.recordings.mcap import read_mcap
from mmvae_controller.recordings.stored import Channel
import pytest
from rosbags.rosbag2 import CompressionFormat, CompressionMode, Reader, StoragePlugin, Writer
from rosbags.typesys import get_typestore, Stores
import yaml

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CLOCK = Channel('/clock', 'rosgraph_msgs/Clock')
COMPRESSIONS = ('', 'lz4', 'zstd')


def content(bag: Path) -> tuple[list[tuple[str, str, int, bytes]], list[str]]:
    """Return what is read of a bag, and what was told."""
    told: list[str] = []
    found = [
        (m.channel.topic, m.channel.kind, m.stamp_ns, m.data) for m in read_bag(bag, told.append)
    ]
    return found, told


def copied(
    source: Path,
    target: Path,
    plugin: StoragePlugin = StoragePlugin.SQLITE3,
    mode: CompressionMode = CompressionMode.NONE,
) -> Path:
    """Write a bag again with rosbags, as recorders would store it."""
    store = get_typestore(Stores.ROS2_JAZZY)
    writer = Writer(target, version=9, storage_plugin=plugin)
    writer.set_compression(mode, CompressionFormat.ZSTD)
    with Reader(source) as reader, writer:
        channels = {
            c.id: writer.add_connection(c.topic, c.msgtype, typestore=store)
            for c in reader.connections
        }
        for connection, stamp_ns, data in reader.messages():
            writer.write(channels[connection.id], stamp_ns, data)
    return target


@pytest.fixture
def whole(tapes: Any) -> Path:
    path: Path = tapes('whole').run(0, 1000).close()
    return path


def test_what_is_written_is_read_and_rosbags_reads_the_same(whole: Path):
    found, told = content(whole)
    with Reader(whole) as reader:
        wanted = [
            (c.topic, c.msgtype.replace('/msg/', '/'), stamp_ns, bytes(data))
            for c, stamp_ns, data in reader.messages()
        ]
        assert reader.message_count == len(found) == 250
    assert sorted(found) == sorted(wanted)
    assert told == []


@pytest.mark.parametrize(
    ('plugin', 'mode'),
    [
        (plugin, mode)
        for plugin in StoragePlugin
        for mode in CompressionMode
        # SQLite has no compression of its own.
        if (plugin, mode) != (StoragePlugin.SQLITE3, CompressionMode.STORAGE)
    ],
)
def test_every_storage_and_compression_is_read_alike(
    whole: Path, tmp_path: Path, plugin: StoragePlugin, mode: CompressionMode
):
    wanted, _ = content(whole)
    bag = copied(whole, tmp_path / 'copy', plugin, mode)
    assert content(bag) == (wanted, [])
    # Without its metadata, which a recorder writes last, nothing is missed.
    (bag / 'metadata.yaml').unlink()
    found, told = content(bag)
    assert found == wanted
    assert told == [
        'has no metadata.yaml: the recording was interrupted, or it was lost; it is not needed'
    ]


@pytest.mark.parametrize('compression', COMPRESSIONS)
def test_a_chunk_is_read_however_it_is_compressed(compression: str):
    file = mcap([chunk(messages(20), compression)], 20)
    told: list[str] = []
    assert [m.stamp_ns for m in read_mcap(file, told.append)] == list(range(20))
    assert told == []


def test_files_of_a_bag_come_in_the_order_of_their_numbers(tmp_path: Path):
    names = [f'run_{number}.mcap' for number in (0, 1, 2, 10, 11)]
    for name in sorted(names, reverse=True):
        (tmp_path / name).touch()
    (tmp_path / 'metadata.yaml').write_text(
        f'rosbag2_bagfile_information: {{relative_file_paths: [{", ".join(names)}, run_12.mcap]}}'
    )
    told: list[str] = []
    assert [p.name for p in files_of(tmp_path, told.append)] == names
    assert told == ['metadata.yaml names run_12.mcap, which is not there']


def test_files_that_the_metadata_names_come_in_its_order(tmp_path: Path):
    for name in ('evening.mcap', 'morning.mcap'):
        (tmp_path / name).touch()
    (tmp_path / 'metadata.yaml').write_text(
        'rosbag2_bagfile_information: {relative_file_paths: [bag/morning.mcap, evening.mcap]}'
    )
    assert [p.name for p in files_of(tmp_path, pytest.fail)] == ['morning.mcap', 'evening.mcap']


@pytest.mark.parametrize('plugin', StoragePlugin)
def test_a_file_that_was_being_compressed_when_the_recorder_died_is_read_once(
    whole: Path, tmp_path: Path, plugin: StoragePlugin
):
    bag = copied(whole, tmp_path / 'copy', plugin)
    wanted, _ = content(bag)
    (file,) = (p for p in bag.iterdir() if p.suffix != '.yaml')
    file.with_name(f'{file.name}.zstd').write_bytes(zstd.compress(file.read_bytes())[:-9])
    found, told = content(bag)
    assert found == wanted
    assert told == [f'{file.name}.zstd is not read: {file.name} is there as well']


def test_messages_that_the_metadata_counts_and_no_file_has_are_told(whole: Path):
    metadata = whole / 'metadata.yaml'
    about = yaml.safe_load(metadata.read_text())
    about['rosbag2_bagfile_information']['message_count'] = 260
    metadata.write_text(yaml.safe_dump(about))
    assert content(whole)[1] == ['metadata.yaml counts 260 messages, 250 of them are read']
    for damaged in ('rosbag2_bagfile_information: [1]', 'rosbag2_bagfile_information: 1', '{'):
        metadata.write_text(damaged)
        assert len(content(whole)[0]) == 250


def test_one_file_of_a_bag_can_be_named(whole: Path):
    assert content(whole / 'whole.mcap') == content(whole)


def test_what_is_no_bag_is_refused(tmp_path: Path):
    for path, why in (
        (tmp_path / 'absent', 'is no bag'),
        (tmp_path, 'holds no file that ends with .mcap, .db3'),
    ):
        with pytest.raises(RecordingError, match=why):
            content(path)
    (tmp_path / 'text.mcap').write_text('no bag')
    (tmp_path / 'text.db3').write_text('no bag')
    with pytest.raises(RecordingError, match='does not begin as an MCAP file'):
        content(tmp_path / 'text.mcap')
    with pytest.raises(RecordingError, match='cannot be read as a SQLite bag'):
        content(tmp_path / 'text.db3')


def test_an_empty_bag_holds_nothing(tapes: Any, tmp_path: Path):
    assert content(tapes('empty').close()) == ([], [])
    (tmp_path / 'nothing.mcap').touch()
    with pytest.raises(RecordingError, match='does not begin as an MCAP file'):
        content(tmp_path / 'nothing.mcap')


@pytest.mark.parametrize('compressed', [False, True])
def test_an_mcap_file_that_is_cut_off_anywhere_gives_what_comes_before(
    tapes: Any, tmp_path: Path, compressed: bool
):
    tape = tapes('long', compressed=compressed)
    for begin_ms in range(0, 400, 100):
        tape.run(begin_ms, begin_ms + 100).writer.flush()
    wanted, _ = content(tape.close())
    data = (tape.path / 'long.mcap').read_bytes()
    cut, counts = tmp_path / 'cut.mcap', []
    for size in range(60, len(data), 997):
        cut.write_bytes(data[:size])
        found, told = content(cut)
        assert found == wanted[: len(found)]
        if len(found) < len(wanted):
            assert 'cut.mcap has no end' in told[-1]
        counts.append(len(found))
    assert counts == sorted(counts)
    # Each chunk that is there is read, and of the last one what is.
    assert len(set(counts)) > (4 if compressed else 20)


@given(st.integers(9, 30000), st.binary(min_size=1, max_size=9))
def test_an_mcap_file_that_is_damaged_anywhere_gives_nothing_else_and_says_what_is_lost(
    place: int, noise: bytes
):
    whole = mcap(
        [chunk(messages(30, 50, 30 * n), c) for n, c in enumerate(COMPRESSIONS)], 90
    ).getvalue()
    place = max(9, place % (len(whole) - len(noise)))
    data = whole[:place] + noise + whole[place + len(noise) :]
    wanted = {(m.channel, m.stamp_ns, m.data) for m in read_mcap(BytesIO(whole), pytest.fail)}
    told: list[str] = []
    found = [(m.channel, m.stamp_ns, m.data) for m in read_mcap(BytesIO(data), told.append)]
    assert set(found) <= wanted
    assert len(found) == len(wanted) or told
    # Of three chunks, one or, across the border, two.
    assert len(found) >= 30


def test_what_is_defined_in_a_chunk_that_is_damaged_is_defined_at_the_end_as_well():
    first = bytearray(chunk(messages(5)))
    first[60] ^= 0xFF
    told: list[str] = []
    chunks = [bytes(first), chunk(messages(5, defined_here=False))]
    assert len(list(read_mcap(mcap(chunks, 10), told.append))) == 5
    assert 'wrong checksum' in told[0]
    assert told[1:] == ['counts 10 messages, 5 of them were found']
    # Without an end nobody knows what they are.
    told.clear()
    cut = BytesIO(mcap(chunks, 10).getvalue().split(record(15, bytes(4)))[0])
    assert list(read_mcap(cut, told.append)) == []
    assert told[2] == 'has 5 messages of topics that it does not name: left out'


@pytest.mark.parametrize('kind', [0x0F, 0x02, 0x00])
def test_after_a_chunk_that_does_not_look_like_one_the_next_is_read(kind: int):
    bad = bytes([kind]) + chunk(messages(5))[1:]
    told: list[str] = []
    file = mcap([chunk(messages(5)), bad, chunk(messages(5))], 15)
    assert len(list(read_mcap(file, told.append))) == 10
    assert told[-1] == 'counts 15 messages, 10 of them were found'


def test_after_a_length_that_is_damaged_the_next_chunk_is_found_by_the_index():
    bad = bytearray(chunk(messages(5)))
    bad[7] ^= 0xFF
    told: list[str] = []
    file = mcap([chunk(messages(5)), bytes(bad), chunk(messages(5))], 15)
    # Its own content is read by the length inside.
    assert len(list(read_mcap(file, told.append))) == 15
    assert told == [f'is damaged between its bytes {33 + len(bad)} and {33 + 2 * len(bad)}']


def test_a_stamp_that_no_clock_reaches_is_left_out_and_told():
    head = number(1, 2) + number(0, 4) + number(2**63, 8) + number(0, 8)
    records = [*messages(1), record(5, head + bytes(4)), *messages(1)]
    told: list[str] = []
    assert len(list(read_mcap(mcap([chunk(iter(records))], 3), told.append))) == 2
    assert 'its stamp is 9223372036854775808 ns' in told[0]


def test_a_chunk_with_a_wrong_checksum_is_left_out_and_the_others_are_read():
    good, bad = chunk(messages(5)), bytearray(chunk(messages(5)))
    bad[-1] ^= 0xFF
    told: list[str] = []
    assert len(list(read_mcap(mcap([good, bytes(bad), good], 15), told.append))) == 10
    assert told[1:] == ['counts 15 messages, 10 of them were found']
    assert 'wrong checksum' in told[0]


def test_a_sqlite_file_that_is_cut_off_gives_what_comes_before(tapes: Any, tmp_path: Path):
    bag = copied(tapes('long').run(0, 4000).close(), tmp_path / 'copy')
    wanted, _ = content(bag)
    data = (bag / 'copy.db3').read_bytes()
    cut, counts = tmp_path / 'cut.db3', []
    for share in (0.5, 0.7, 0.9, 0.99):
        cut.write_bytes(data[: round(len(data) * share)])
        found, told = content(cut)
        assert set(found) <= set(wanted)
        assert any('is damaged after message' in line for line in told)
        counts.append(len(found))
    assert counts == sorted(counts)
    assert counts[0] > 0.4 * len(wanted)


def test_a_sqlite_file_that_is_damaged_anywhere_never_fails_and_says_what_is_lost(
    whole: Path, tmp_path: Path
):
    bag = copied(whole, tmp_path / 'copy')
    wanted, _ = content(bag)
    data, random = (bag / 'copy.db3').read_bytes(), Random(5)
    cut, fewer = tmp_path / 'cut.db3', 0
    for damages in (0, 1, 3, 30) * 10:
        damaged = bytearray(data if damages else data[: random.randrange(len(data))])
        for _ in range(damages):
            damaged[random.randrange(len(damaged))] = random.randrange(256)
        cut.write_bytes(damaged)
        try:
            found, told = content(cut)
        except RecordingError:
            continue
        assert len(found) == len(wanted) or told
        fewer += len(found) < len(wanted)
    assert fewer > 8


def test_what_is_no_message_in_a_sqlite_file_is_left_out_and_counted(whole: Path, tmp_path: Path):
    bag = copied(whole, tmp_path / 'copy')
    wanted, _ = content(bag)
    with sqlite3.connect(bag / 'copy.db3') as database:
        database.execute('DELETE FROM messages WHERE id IN (9, 10)')
        # As a number it would be so many zeros.
        database.execute('UPDATE messages SET data = 5 WHERE id = 20')
        database.execute("UPDATE messages SET timestamp = 'now' WHERE id = 21")
        database.execute('UPDATE messages SET topic_id = 77 WHERE id = 22')
    found, told = content(bag)
    assert set(found) < set(wanted)
    assert len(found) == len(wanted) - 5
    assert 'copy.db3 lacks 2 of the messages up to 250, and 3 are damaged: left out' in told


def test_what_a_killed_recorder_left_in_a_journal_is_read(whole: Path, tmp_path: Path):
    bag = copied(whole, tmp_path / 'copy')
    wanted, _ = content(bag)
    database = sqlite3.connect(bag / 'copy.db3')
    database.execute('PRAGMA journal_mode=WAL')
    database.execute("INSERT INTO messages (topic_id, timestamp, data) VALUES (1, 2, x'00010000')")
    database.commit()
    # Copied while it is open: as if the recorder had been killed.
    killed = tmp_path / 'killed'
    killed.mkdir()
    for path in bag.iterdir():
        (killed / path.name).write_bytes(path.read_bytes())
    database.close()
    found, _ = content(killed)
    assert len(found) == len(wanted) + 1


def test_a_transaction_that_was_never_finished_is_lost_and_told(whole: Path, tmp_path: Path):
    bag = copied(whole, tmp_path / 'copy')
    wanted, _ = content(bag)
    database = sqlite3.connect(bag / 'copy.db3', isolation_level=None)
    database.execute('PRAGMA cache_size=1')
    database.execute('BEGIN')
    for _ in range(300):
        database.execute(
            'INSERT INTO messages (topic_id, timestamp, data) VALUES (1, 2, ?)', (bytes(2000),)
        )
    half = tmp_path / 'half'
    half.mkdir()
    for path in bag.iterdir():
        (half / path.name).write_bytes(path.read_bytes())
    database.close()
    assert (half / 'copy.db3-journal').exists()
    before = (half / 'copy.db3').read_bytes()
    found, told = content(half)
    assert set(wanted) <= set(found)
    assert any('in the middle of a transaction' in line for line in told)
    # It is only read.
    assert (half / 'copy.db3').read_bytes() == before


def test_a_file_of_several_that_cannot_be_read_is_told_and_the_others_are_read(whole: Path):
    wanted, _ = content(whole)
    (whole / 'whole_1.mcap').write_text('no bag')
    found, told = content(whole)
    assert found == wanted
    assert told == ['whole_1.mcap does not begin as an MCAP file']


def test_what_is_not_encoded_as_cdr_is_left_out_and_told(whole: Path, tmp_path: Path):
    bag = copied(whole, tmp_path / 'copy')
    with sqlite3.connect(bag / 'copy.db3') as database:
        database.execute("UPDATE topics SET serialization_format = 'json' WHERE name = '/touch'")
    found, told = content(bag)
    assert {topic for topic, *_ in found} == {
        '/camera/image_raw',
        '/joint_states',
        '/joint_command',
    }
    assert "/touch is encoded as 'json', expected 'cdr': left out" in told[0]


def defined() -> list[bytes]:
    """Return the records of a schema and a channel."""
    return [
        record(3, number(1, 2) + text('rosgraph_msgs/msg/Clock') + text('ros2msg') + text('')),
        record(4, number(1, 2) + number(1, 2) + text('/clock') + text('cdr') + number(0, 4)),
    ]


def messages(
    count: int, size: int = 4, first: int = 0, defined_here: bool = True
) -> Iterator[bytes]:
    """Yield messages, and before them what defines their channel."""
    yield from defined() if defined_here else []
    for stamp_ns in range(first, first + count):
        head = number(1, 2) + number(0, 4) + number(stamp_ns, 8) + number(stamp_ns, 8)
        yield record(5, head + bytes([stamp_ns % 256]) * size)


def chunk(records: Iterator[bytes], compression: str = '') -> bytes:
    """Return a chunk with its checksum."""
    raw = b''.join(records)
    packed = {'': bytes, 'lz4': lz4.frame.compress, 'zstd': zstd.compress}[compression](raw)
    head = number(0, 8) + number(0, 8) + number(len(raw), 8) + number(crc32(raw), 4)
    return record(6, head + text(compression) + number(len(packed), 8) + packed)


def mcap(chunks: list[bytes], count: int) -> Any:
    """Return a file of chunks, with a summary that counts their messages."""
    data = b'\x89MCAP0\r\n' + record(1, text('ros2') + text('test'))
    places = []
    for part in chunks:
        places.append(len(data))
        data += part
    data += record(15, bytes(4))
    summary = len(data)
    data += b''.join(defined())
    for place in places:
        data += record(8, bytes(16) + number(place, 8) + bytes(8))
    data += record(11, number(count, 8))
    return BytesIO(data + record(2, number(summary, 8) + bytes(12)) + data[:8])


def record(kind: int, data: bytes) -> bytes:
    return number(kind, 1) + number(len(data), 8) + data


def number(value: int, size: int) -> bytes:
    return value.to_bytes(size, 'little')


def text(value: str) -> bytes:
    return number(len(value), 4) + value.encode()
