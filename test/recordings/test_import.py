"""What an import asks of a bag, what it tells of it, and what it leaves behind."""

from __future__ import annotations

from dataclasses import replace
import errno
import math
from pathlib import Path
import shutil
import sys
from typing import Any

from mmvae_controller.datasets import store
from mmvae_controller.datasets.errors import DatasetError
from mmvae_controller.modality.robot import InputMessage
from mmvae_controller.recordings import aside, importing
from mmvae_controller.recordings.bag import read_bag
from mmvae_controller.recordings.errors import NoRoomError, RecordingError
from mmvae_controller.recordings.importing import ImportSettings
from mmvae_controller.recordings.stored import Channel, Language, Stored
from mmvae_controller.recordings.topics import Names, read_remaps, topics_of
import numpy as np
import pytest

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MS = 1_000_000


def test_a_namespace_and_remaps_say_how_topics_are_called(tapes: Any, imported: Any, robot: Any):
    tape = tapes(namespace='/robot1').run(0, 1000)
    report = imported(tape.close(), names=Names(namespace='robot1'), dry=True)
    assert report.rows == 20
    named = {'camera/image_raw': 'front/image', 'joint_states': '/joints'}
    names = Names('/robot1/', named, command='/teach/command')
    topics = topics_of(robot, names)
    assert topics.senses == {
        '/robot1/front/image': ('camera',),
        '/joints': ('joints',),
        '/robot1/touch': ('touch',),
    }
    assert topics.command == '/teach/command'
    assert topics.episode == '/robot1/simulation/episode'


def test_private_topics_are_those_of_the_controller(robot: Any):
    sources = dict(robot.sources)
    sources['touch'] = replace(sources['touch'], topic='~/touch')
    topics = topics_of(replace(robot, sources=sources), Names(namespace='a/b'))
    assert '/a/b/controller/touch' in topics.senses


def test_two_senses_may_come_on_one_topic_but_not_in_two_types(robot: Any):
    sources = dict(robot.sources)
    sources['touch'] = replace(sources['joints'], part='velocity')
    topics = topics_of(replace(robot, sources=sources), Names())
    assert topics.senses['/joint_states'] == ('joints', 'touch')
    sources['touch'] = replace(robot.sources['touch'], topic='joint_states')
    with pytest.raises(RecordingError, match=r'/joint_states is asked for as .* and, by touch'):
        topics_of(replace(robot, sources=sources), Names())


def test_remaps_are_written_as_ros_writes_them():
    assert read_remaps(['a:=b', 'c/d:=/e']) == {'a': 'b', 'c/d': '/e'}
    for text in ('a', 'a:=', ':=b', 'a=b'):
        with pytest.raises(RecordingError, match='expected as'):
            read_remaps([text])


def test_what_is_missing_is_named_with_what_could_be_meant(
    tapes: Any, imported: Any, tmp_path: Path
):
    tape = tapes(namespace='/robot1').run(0, 500)
    report = imported(tape.close())
    assert report.rows == 0
    (bag,) = report.bags
    assert bag.missing[0] == (
        'no sensor_msgs/Image on /camera/image_raw (camera, without which the arm holds); of that '
        'type there is /robot1/camera/image_raw; --namespace, --remap and --command-topic say how '
        'topics are called'
    )
    assert len(bag.missing) == 3
    assert report.why_empty.startswith(f'{tape.path}: no sensor_msgs/Image')
    assert bag.others['/robot1/touch'] == 25
    assert not (tmp_path / 'data').exists()


def test_a_sense_that_is_not_recorded_is_masked_and_told(tape: Any, imported: Any, rows: Any):
    report = imported(tape.run(0, 1000, lambda what, ms: what == 'touch').close())
    assert not rows()['known']['touch'].any()
    assert report.bags[0].notes == ['/touch is not recorded: touch is masked throughout']


def test_a_message_of_another_type_is_told_and_not_guessed(tape: Any, imported: Any, rows: Any):
    tape.run(0, 1000, lambda what, ms: what == 'touch')
    tape.put('touch', tape.maker.flag(True), 1000)
    report = imported(tape.close())
    assert report.bags[0].notes == [
        '/touch carries std_msgs/Bool, expected geometry_msgs/WrenchStamped'
    ]
    touch = report.tallies['touch']
    assert (touch.used, touch.rejected) == (0, 1)
    assert touch.first_rejected == 'is a std_msgs/Bool, expected a geometry_msgs/WrenchStamped'


def test_what_is_no_sample_is_counted_with_the_first_reason(tape: Any, imported: Any):
    tape.run(0, 500)
    for ms, size in ((501, 4), (502, 5)):
        picture = np.zeros((size, size, 3), dtype=np.uint8)
        tape.put('camera/image_raw', tape.maker.image(picture, 'rgb8', 0, ''), ms)
    tape.put('joint_command', tape.maker.numbers(np.zeros(3)), 503)
    tape.put('joint_command', tape.maker.numbers(np.array([np.nan, 0])), 504)
    tape.put('joint_states', ('sensor_msgs/JointState', b'\0\1\0\0broken'), 505)
    tallies = imported(tape.close()).tallies
    assert tallies['camera'].rejected == 2
    assert tallies['camera'].first_rejected == 'size is 4 x 4 pixels, expected 8 x 8'
    assert tallies['motor'].rejected == 2
    assert tallies['motor'].first_rejected == 'data has 3 numbers, expected 2'
    assert tallies['joints'].rejected == 1
    assert tallies['joints'].first_rejected.startswith('10 bytes are no sensor_msgs/JointState')


def test_a_type_that_nobody_knows_is_read_by_the_definition_in_the_bag(
    tapes: Any, imported: Any, rows: Any, robot: Any
):
    contacts = 'test_msgs/msg/Anything[] states\n'
    defined = {
        'gazebo_msgs/ContactsState': contacts,
        'test_msgs/Anything': 'uint8 what\n',
    }
    tape = tapes(define=lambda kind: defined.get(kind, ''))
    for ms in range(0, 1000, 20):
        # A sequence of one.
        tape.put('touch', ('gazebo_msgs/ContactsState', b'\0\1\0\0\1\0\0\0\7'), ms)
        tape.run(ms, ms + 20, lambda what, at_ms: what == 'touch')
    sources = dict(robot.sources)
    sources['touch'] = replace(sources['touch'], message=InputMessage.GAZEBO_CONTACTS)
    touch = replace(robot.modalities[2], channels=('touching',), shape=(1,))
    modalities = (*robot.modalities[:2], touch, robot.modalities[3])
    imported(tape.close(), of=replace(robot, sources=sources, modalities=modalities))
    assert np.array_equal(rows()['touch'], np.ones((20, 1)))


OTHERWISE = {
    'sensor_msgs/JointState': 'string[] name\nfloat64 position\n',
    'std_msgs/Float64MultiArray': 'float64 numbers\n',
    'std_msgs/Bool': 'float64 truth\n',
    'rosgraph_msgs/Clock': 'float64 time\n',
}


@pytest.mark.parametrize('kind', OTHERWISE)
def test_a_known_type_that_the_bag_defines_otherwise_is_told_and_ends_nothing(
    tape: Any, imported: Any, monkeypatch: Any, kind: str
):
    topics = {'JointState': '/joint_states', 'Bool': '/episode', 'Clock': '/clock'}
    other = Channel(
        topics.get(kind.split('/')[1], '/joint_command'), kind, OTHERWISE[kind], Language.MSG
    )
    path = tape.run(0, 500).close()
    data = b'\0\1\0\0' + bytes(16 if kind == 'sensor_msgs/JointState' else 8)
    damaged = [Stored(other, tape.epoch_ns + ms * MS, data) for ms in (1, 300)]
    monkeypatch.setattr(importing, 'read_bag', lambda bag, tell: [*read_bag(bag, tell), *damaged])
    report = imported(path, names=Names(episode='episode'))
    assert report.rows == 10
    rejected = [t.first_rejected for t in report.tallies.values() if t.rejected]
    told = ' '.join((*rejected, *report.bags[0].notes))
    assert 'its definition in the bag has other fields' in told or kind.endswith('Clock')


def test_a_type_that_nobody_defines_cannot_be_written(tape: Any):
    with pytest.raises(RecordingError, match='nobody defines gazebo_msgs/ContactsState'):
        tape.put('touch', ('gazebo_msgs/ContactsState', b''), 0)


def test_a_bag_that_is_not_there_is_refused_before_anything_is_read(
    tape: Any, imported: Any, tmp_path: Path
):
    path = tape.run(0, 500).close()
    with pytest.raises(RecordingError, match='absent: is not there; nothing was imported'):
        imported(path, Path('absent'))
    assert not (tmp_path / 'data').exists()


@pytest.mark.parametrize('number', [math.inf, math.nan, 0.0])
@pytest.mark.parametrize('name', ['gap_s', 'record_hz'])
def test_what_cannot_be_counted_is_refused(name: str, number: float):
    with pytest.raises(RecordingError, match=f'{name} is .*, expected more than 0'):
        ImportSettings((), **{name: number})


def test_a_bag_that_lacks_something_is_told_and_the_others_are_read(
    tapes: Any, imported: Any, tmp_path: Path
):
    good = tapes('good').run(0, 500)
    poor = tapes('poor').run(1000, 1500, lambda what, ms: what == 'joints')
    (tmp_path / 'notes.txt').touch()
    report = imported(poor.close(), good.close(), tmp_path / 'notes.txt')
    assert report.rows == 10
    assert [bool(bag.missing) for bag in report.bags] == [True, False, True]
    assert report.bags[2].missing == [
        'is no bag: expected a folder, or a file that ends with .mcap, .db3, .mcap.zstd, .db3.zstd'
    ]


def test_a_bag_without_a_common_moment_has_no_row_and_leaves_no_folder(
    tape: Any, imported: Any, tmp_path: Path
):
    tape.run(0, 500, lambda what, ms: what == 'joints').run(
        5000, 5500, lambda what, ms: what != 'joints'
    )
    report = imported(tape.close())
    assert report.rows == 0
    assert report.why_empty.startswith('no row: at no moment')
    assert [p.name for p in tmp_path.iterdir() if 'data' in p.name] == []


def test_a_dry_run_reports_the_same_and_writes_nothing(tape: Any, imported: Any, tmp_path: Path):
    path = tape.run(0, 1000).close()
    before = sorted(tmp_path.rglob('*'))
    dry = imported(path, dry=True)
    assert sorted(tmp_path.rglob('*')) == before
    assert dry.data() == imported(path).data()


def test_a_folder_that_holds_something_is_not_written_to(tape: Any, imported: Any, tmp_path: Path):
    path = tape.run(0, 500).close()
    (tmp_path / 'data').mkdir()
    imported(path)
    before = (tmp_path / 'data' / 'dataset.yaml').read_bytes()
    with pytest.raises(DatasetError, match='data: is there already'):
        imported(path)
    assert (tmp_path / 'data' / 'dataset.yaml').read_bytes() == before


@pytest.mark.parametrize('packed', [False, True])
def test_without_room_for_a_copy_an_import_ends_and_does_not_go_on_with_less(
    tapes: Any, imported: Any, tmp_path: Path, monkeypatch: Any, packed: bool
):
    good = tapes('good').run(0, 500).close()
    # One that is cut off in the middle of a page is copied as well.
    file = tmp_path / ('cut.db3.zstd' if packed else 'cut.db3')
    head = b'SQLite format 3\0' + (4096).to_bytes(2, 'big') + bytes(6000)
    file.write_bytes(zstd.compress(head) if packed else head)

    def full(*about: Any) -> None:
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(shutil, 'copyfile', full)
    monkeypatch.setattr(shutil, 'copyfileobj', full)
    with pytest.raises(NoRoomError, match=r'no room for a copy of it in .* TMPDIR'):
        imported(good, file)
    assert not (tmp_path / 'data').exists()


def test_a_link_to_an_empty_folder_is_filled_where_it_leads(
    tape: Any, imported: Any, rows: Any, tmp_path: Path
):
    large = tmp_path / 'large' / 'disk'
    large.mkdir(parents=True)
    (tmp_path / 'data').symlink_to(large)
    imported(tape.run(0, 500).close())
    assert len(rows()['label']) == 10
    assert (tmp_path / 'data').is_symlink()
    assert (large / 'dataset.yaml').is_file()


def test_a_place_that_could_not_be_replaced_at_the_end_is_refused_at_the_beginning(
    tape: Any, imported: Any, tmp_path: Path, monkeypatch: Any
):
    path = tape.run(0, 500).close()
    (tmp_path / 'data').mkdir()
    with monkeypatch.context() as mounted:
        mounted.setattr(Path, 'is_mount', lambda place: place == tmp_path / 'data')
        with pytest.raises(DatasetError, match='data: is where a disk is mounted; name a folder'):
            imported(path)
    # An empty folder that is entered, as `--out .`, has a name all the same.
    monkeypatch.chdir(tmp_path / 'data')
    with aside.Aside(Path('.')):
        assert (tmp_path / '.data.part').is_dir()


def test_a_full_disk_is_told_and_leaves_no_half_data_set(
    tape: Any, imported: Any, tmp_path: Path, monkeypatch: Any
):
    path, written = tape.run(0, 1000).close(), []

    def save(file: Any, array: Any) -> None:
        written.append(file)
        if len(written) > 8:
            raise OSError(errno.ENOSPC, 'No space left on device')
        real(file, array)

    real = np.save
    monkeypatch.setattr(aside, 'SHARD_BYTES', 2000)
    monkeypatch.setattr(store.np, 'save', save)
    with pytest.raises(DatasetError, match='No space left on device'):
        imported(path)
    assert [p.name for p in tmp_path.iterdir() if 'data' in p.name] == []


def test_what_a_killed_import_left_aside_is_no_data_set_and_is_removed_by_the_next(
    tape: Any, imported: Any, tmp_path: Path, monkeypatch: Any
):
    path = tape.run(0, 1000).close()
    monkeypatch.setattr(aside, 'SHARD_BYTES', 2000)
    with monkeypatch.context() as killed:
        # Killed, it cleans nothing up; the system closes what it had open.
        killed.setattr(aside.Aside, '__exit__', lambda one, *about: one._alone._file.close())
        killed.setattr(aside, 'write_description', _die)
        with pytest.raises(KeyboardInterrupt):
            imported(path)
    assert (tmp_path / '.data.part' / 'shard-00000').exists()
    assert not (tmp_path / 'data').exists()
    assert imported(path).rows == 20
    assert not (tmp_path / '.data.part').exists()


def _die(*about: Any) -> None:
    raise KeyboardInterrupt


def test_an_interrupted_recording_is_imported_as_far_as_it_goes(tape: Any, imported: Any):
    tape.run(0, 1000).writer.flush()
    tape.run(1000, 2000)
    killed = tape.path.with_name('killed')
    # As the process dies: what was not flushed is gone, and there is no end and no metadata.
    shutil.copytree(tape.path, killed)
    tape.close()
    report = imported(killed)
    assert report.rows == 20
    assert report.bags[0].notes == [
        'has no metadata.yaml: the recording was interrupted, or it was lost; it is not needed',
        'bag.mcap has no end: the recording was interrupted, what is there is read',
    ]


def test_rows_have_to_divide_the_step_of_the_robot(tape: Any, imported: Any):
    with pytest.raises(DatasetError, match='no multiple of the recording period'):
        imported(tape.run(0, 500).close(), record_hz=15.0)
