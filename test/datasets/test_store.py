"""The data set on disk: out as it went in, or refused by file."""

from dataclasses import replace
import errno
import os

from mmvae_controller.datasets.errors import DatasetError
from mmvae_controller.datasets.store import (
    Dataset,
    DATASET_FILE,
    Description,
    shard_path,
    write_description,
    write_shard,
)
from mmvae_controller.modality.errors import ModalityError
import numpy as np
import pytest
import yaml

LENGTH, EPISODES = 12, 6
ALL = np.arange(LENGTH * EPISODES)


@pytest.fixture
def folder(write_world):
    return write_world(EPISODES, LENGTH)


@pytest.fixture
def columns(folder):
    """Return what was written, both shards joined."""
    names = [p.stem for p in shard_path(folder, 0).glob('*.npy')]
    return {
        n: np.concatenate([np.load(shard_path(folder, s) / f'{n}.npy') for s in (0, 1)])
        for n in names
    }


def test_rows_come_out_as_they_went_in_across_shards(folder, columns, random):
    dataset = Dataset(folder)
    assert len(dataset) == LENGTH * EPISODES
    rows = random.permutation(ALL)
    batch = dataset.batch(rows)
    for modality in dataset.modalities:
        assert batch.values[modality.name].dtype == modality.dtype
        assert np.array_equal(batch.values[modality.name][:, 1], columns[modality.name][rows])
    assert np.array_equal(batch.label, columns['label'][rows])


def test_the_earlier_step_is_dt_before_in_the_same_episode(folder, columns):
    dataset = Dataset(folder)
    assert dataset.description.stride == 2
    rows = np.array([r for r in ALL if r % LENGTH >= 2])
    batch = dataset.batch(rows)
    assert batch.known.all()
    assert np.array_equal(batch.values['joints'][:, 0], columns['joints'][rows - 2])
    assert np.array_equal(batch.values['camera'][:, 0], columns['camera'][rows - 2])


def test_at_the_start_of_an_episode_the_earlier_step_is_missing(folder):
    batch = Dataset(folder).batch(ALL)
    starts = ALL % LENGTH < 2
    assert not batch.known[starts][:, :, 0].any()
    assert batch.known[starts][:, :, 1].all()
    assert batch.known[~starts].all()


def test_what_was_not_known_when_recorded_is_known_at_neither_step(folder):
    path = shard_path(folder, 0) / 'known.npy'
    known = np.load(path)
    known[5, 2] = False
    np.save(path, known)
    batch = Dataset(folder).batch(np.array([5, 7]))
    assert batch.known[0, 2].tolist() == [True, False]
    assert batch.known[1, 2].tolist() == [False, True]


@pytest.mark.parametrize('held_out', [0.0, 0.3, 0.5])
def test_a_split_never_divides_an_episode(folder, held_out):
    dataset = Dataset(folder)
    train, validation = dataset.split(held_out, seed=1)
    assert sorted([*train, *validation]) == ALL.tolist()
    shared = set(dataset.episode[train]) & set(dataset.episode[validation])
    assert shared == set()
    assert len(set(dataset.episode[validation])) == round(EPISODES * held_out)


def test_a_split_keeps_together_what_is_continued(folder):
    written = Dataset(folder).description
    write_description(folder, replace(written, continued=(1, 2, 5)))
    dataset = Dataset(folder)
    assert dataset.description.continued == (1, 2, 5)
    sides = set()
    for seed in range(20):
        train, validation = dataset.split(1 / 3, seed)
        held = set(dataset.episode[validation].tolist())
        assert held | set(dataset.episode[train].tolist()) == set(range(EPISODES))
        sides.add(frozenset(held))
    # One of three recorded episodes, whole.
    assert sides == {frozenset({0, 1, 2}), frozenset({3}), frozenset({4, 5})}


def test_what_is_continued_without_a_beginning_is_one(folder):
    written = Dataset(folder).description
    write_description(folder, replace(written, continued=(0, 1, 2, 3, 4, 5)))
    train, validation = Dataset(folder).split(0.3, 0)
    assert (len(train), len(validation)) == (len(ALL), 0)


def test_a_split_is_the_same_for_the_same_seed_only(folder):
    dataset = Dataset(folder)
    first, again, other = (dataset.split(0.5, seed)[1].tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_shard_that_is_half_written_is_not_seen(folder):
    before = len(Dataset(folder))
    part = folder / '.shard-00002.99.part'
    part.mkdir()
    np.save(part / 'joints.npy', np.zeros((1, 3)))
    assert len(Dataset(folder)) == before


FULL = [
    OSError(errno.ENOSPC, 'No space left on device'),
    # What NumPy itself says when the disk is full: without number and words of the system.
    OSError('393216 requested and 0 written'),
]


@pytest.mark.parametrize('error', FULL, ids=['write', 'numpy'])
def test_a_full_disk_leaves_no_part_of_a_shard(tmp_path, monkeypatch, error):
    save, written = np.save, []

    def fail_on_the_second(path, array):
        if written:
            raise error
        written.append(path)
        save(path, array)

    monkeypatch.setattr(np, 'save', fail_on_the_second)
    with pytest.raises(DatasetError) as refused:
        write_shard(tmp_path / 'data', 0, {'a': np.zeros(3), 'b': np.zeros(3)})
    assert 'shard-00000: cannot be written: ' in str(refused.value)
    assert (error.strerror or str(error)) in str(refused.value)
    assert list((tmp_path / 'data').iterdir()) == []


def test_an_interrupt_leaves_no_part_of_a_shard(tmp_path, monkeypatch):
    def interrupt(path, array):
        raise KeyboardInterrupt

    monkeypatch.setattr(np, 'save', interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_shard(tmp_path, 0, {'a': np.zeros(3)})
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_in_nobodys_way(tmp_path):
    left = tmp_path / f'.shard-00000.{os.getpid()}.part'
    left.mkdir()
    (left / 'junk.npy').touch()
    write_shard(tmp_path, 0, {'a': np.zeros(3)})
    assert [p.name for p in shard_path(tmp_path, 0).iterdir()] == ['a.npy']


def test_a_shard_that_is_there_is_never_overwritten(folder):
    with pytest.raises(DatasetError, match='shard-00000: cannot be written'):
        write_shard(folder, 0, {'a': np.zeros(3)})
    Dataset(folder)


def test_a_place_that_cannot_be_written_is_named(tmp_path, robot):
    (tmp_path / 'file').touch()
    with pytest.raises(DatasetError, match='shard-00000: cannot be written'):
        write_shard(tmp_path / 'file', 0, {'a': np.zeros(3)})
    description = Description(robot.modalities, 0.1, 0.05, {})
    with pytest.raises(DatasetError, match=r'dataset\.yaml: cannot be written'):
        write_description(tmp_path / 'nowhere', description)


def test_a_folder_without_description_is_incomplete(folder):
    (folder / DATASET_FILE).unlink()
    with pytest.raises(DatasetError, match='is no complete data set'):
        Dataset(folder)


def test_a_data_set_without_shards_is_refused(tmp_path, robot):
    write_description(tmp_path, Description(robot.modalities, 0.1, 0.05, {}))
    with pytest.raises(DatasetError, match='has no shard'):
        Dataset(tmp_path)


@pytest.mark.parametrize(
    ('name', 'array', 'words'),
    [
        ('joints', np.zeros((36, 2), np.float32), r'rows of shape \(2,\), expected \(3,\)'),
        ('camera', np.zeros((36, 8, 8, 1), np.uint8), r'rows of shape \(8, 8, 1\)'),
        ('label', np.zeros((36, 3), np.float32), r'rows of shape \(3,\), expected \(2,\)'),
        ('known', np.ones((36, 5), bool), r'rows of shape \(5,\), expected \(4,\)'),
        ('episode', np.zeros((36, 1), np.int64), r'rows of shape \(1,\), expected \(\)'),
        ('episode', np.array(3), r'rows of shape'),
        ('touch', np.zeros((35, 2), np.float32), 'columns of different length.*35'),
        ('camera', np.zeros((36, 8, 8, 3)), 'values of type float64, expected unsigned'),
        ('known', np.ones((36, 4)), 'values of type float64, expected booleans'),
        ('episode', np.zeros(36), 'values of type float64, expected integers'),
    ],
)
def test_a_column_that_does_not_fit_is_refused_by_file(folder, name, array, words):
    np.save(shard_path(folder, 0) / f'{name}.npy', array)
    with pytest.raises(DatasetError, match=f'shard-00000.*{words}'):
        Dataset(folder)


@pytest.mark.parametrize('name', ['joints', 'known'])
@pytest.mark.parametrize('content', [b'', b'junk', None, 200])
def test_a_damaged_or_missing_column_is_refused_by_file(folder, name, content):
    path = shard_path(folder, 1) / f'{name}.npy'
    if content is None:
        path.unlink()
    elif isinstance(content, int):
        path.write_bytes(path.read_bytes()[:content])
    else:
        path.write_bytes(content)
    with pytest.raises(DatasetError, match=rf'shard-00001/{name}\.npy: cannot be read'):
        Dataset(folder)


def test_a_column_that_holds_objects_is_never_unpickled(folder):
    path = shard_path(folder, 0) / 'episode.npy'
    np.save(path, np.array([print] * 36, dtype=object), allow_pickle=True)
    with pytest.raises(DatasetError, match='cannot be read'):
        Dataset(folder)


@pytest.mark.parametrize(
    ('key', 'value', 'error', 'words'),
    [
        ('format', 9, DatasetError, 'format 9, this version reads 1'),
        ('period_s', 0.03, DatasetError, r'step_s 0\.1 is no multiple .* 0\.03'),
        ('period_s', 0.2, DatasetError, 'no multiple'),
        ('step_s', 'x', ModalityError, "step_s is 'x'"),
        ('modalities', {}, ModalityError, 'role command'),
    ],
)
def test_a_description_that_contradicts_itself_is_refused(folder, key, value, error, words):
    data = yaml.safe_load((folder / DATASET_FILE).read_text())
    data[key] = value
    (folder / DATASET_FILE).write_text(yaml.safe_dump(data))
    with pytest.raises(error, match=words):
        Dataset(folder)


@pytest.mark.parametrize('name', ['label', 'known', 'episode'])
def test_a_modality_cannot_have_the_name_of_another_column(robot, name):
    touch = replace(robot.modalities[2], name=name)
    with pytest.raises(DatasetError, match=f"'{name}' is that of another column"):
        Description((*robot.modalities[:2], touch, robot.modalities[3]), 0.1, 0.05, {})


def test_more_files_than_may_be_open_are_closed_and_opened_again(write_world, monkeypatch, random):
    folder = write_world(EPISODES, LENGTH, shards=3, name='many')
    wanted = Dataset(folder).batch(ALL)
    monkeypatch.setattr('mmvae_controller.datasets.shards.OPEN_FILES', 4)
    before = len(os.listdir('/proc/self/fd'))
    dataset = Dataset(folder)
    for _ in range(5):
        rows = random.permutation(ALL)
        found = dataset.batch(rows)
        for name, values in found.values.items():
            assert np.array_equal(values, wanted.values[name][rows])
        assert np.array_equal(found.known, wanted.known[rows])
    assert len(os.listdir('/proc/self/fd')) <= before + 4
