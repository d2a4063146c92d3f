"""Data sets of one robot become one, in which nothing is lost and no episode is mixed up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
import shutil
from typing import Any

from mmvae_controller.datasets import joining, repeats
from mmvae_controller.datasets.errors import DatasetError
from mmvae_controller.datasets.joining import joined, opened, write_joined
from mmvae_controller.datasets.store import (
    Dataset,
    Description,
    write_description,
    write_shard,
)
import numpy as np
import pytest


@pytest.fixture
def written(robot: Any, tmp_path: Path) -> Any:
    """Return what writes a data set of the small robot with some numbers of episodes."""

    def write(name: str, episodes: list[int], continued: tuple[int, ...] = (), **about: Any):
        random, rows = np.random.default_rng(len(name)), len(episodes)
        columns: dict[str, Any] = {}
        for m in robot.modalities:
            columns[m.name] = random.integers(0, 200, (rows, *m.shape)).astype(m.dtype)
        columns['label'] = random.normal(size=(rows, 2)).astype(np.float32)
        columns['known'] = random.random((rows, len(robot.modalities))) < 0.5
        columns['episode'] = np.array(episodes)
        write_shard(tmp_path / name, 0, columns)
        provenance = {'robot_file': 'robot.yaml', 'of': name} | about
        write_description(
            tmp_path / name, Description(robot.modalities, 0.1, 0.05, provenance, continued)
        )
        return tmp_path / name

    return write


def unheard(done: int, total: int) -> None:
    """Nobody waits."""


def join(folders: list[Path], out: Path) -> Dataset:
    parts = opened(folders, unheard)
    write_joined(parts, out, unheard)
    write_description(out, joined(parts))
    return Dataset(out)


def test_all_rows_are_there_in_order_and_episodes_have_numbers_of_their_own(
    written: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # Several shards of one part.
    monkeypatch.setattr(joining, 'SHARD_BYTES', 500)
    folders = [written('one', [0, 0, 1, 1, 5, 5], (1,)), written('other', [3, 3, 4, 4], (4,))]
    both, parts = join(folders, tmp_path / 'both'), [Dataset(f) for f in folders]
    assert len(list((tmp_path / 'both').glob('shard-*'))) > 2
    for name in (*(m.name for m in both.modalities), 'label', 'known'):
        wanted = np.concatenate([p.column(name, np.arange(len(p))) for p in parts])
        assert np.array_equal(both.column(name, np.arange(len(both))), wanted), name
    assert both.episode.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert both.description.continued == (1, 4)


def test_what_all_have_in_common_is_kept_and_each_of_them_is_named(written: Any, tmp_path: Path):
    both = join([written('one', [0]), written('other', [0])], tmp_path / 'both')
    about = both.description.provenance
    assert about['robot_file'] == 'robot.yaml'
    assert 'of' not in about
    assert [one['of'] for one in about['joined']] == ['one', 'other']


def test_data_sets_that_do_not_go_together_are_refused_with_the_difference(
    written: Any, robot: Any, tmp_path: Path
):
    one, other = written('one', [0]), written('other', [0])
    command = replace(robot.command, unit='deg/s')
    modalities = tuple(command if m is robot.command else m for m in robot.modalities)
    write_description(other, Description(modalities, 0.1, 0.1, {}))
    with pytest.raises(DatasetError, match=r'other: does not .* motor, period_s 0\.1, not'):
        opened([one, other], unheard)
    with pytest.raises(DatasetError, match='one: is named twice'):
        opened([one, one / '..' / 'one'], unheard)
    with pytest.raises(DatasetError, match='absent: is no complete data set'):
        opened([one, tmp_path / 'absent'], unheard)


def test_a_copy_is_refused_and_so_is_what_is_joined_already(written: Any, tmp_path: Path):
    one, other = written('one', [0, 0, 1, 1, 5]), written('other', [3, 3, 4, 4])
    copy = shutil.copytree(one, tmp_path / 'copy')
    with pytest.raises(DatasetError, match=r'copy: 2 of its 3 episodes .* 0, which is 0 of .*one'):
        opened([one, other, copy], unheard)
    join([other, one], tmp_path / 'both')
    with pytest.raises(
        DatasetError, match=r'both: 2 of its 5 episodes .* 2, which is 0 of .*copy'
    ):
        opened([copy, tmp_path / 'both'], unheard)


def test_of_pictures_the_first_and_the_last_tell_episodes_apart(
    written: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(repeats, 'LARGE_BYTES', 100)
    one = written('one', [0, 0, 0])
    copy = shutil.copytree(one, tmp_path / 'copy')
    with pytest.raises(DatasetError, match='copy: 1 of its 1 episodes'):
        opened([one, copy], unheard)
    pictures = copy / 'shard-00000' / 'camera.npy'
    seen = np.load(pictures)
    seen[-1, 0, 0, 0] += 1
    np.save(pictures, seen)
    assert len(opened([one, copy], unheard)) == 2


def test_an_arm_at_rest_is_the_same_in_all_data_sets_that_have_it(written: Any, tmp_path: Path):
    one = written('one', [0, 0, 0])
    for column in (one / 'shard-00000').iterdir():
        values = np.load(column)
        values[:] = values[:1]
        np.save(column, values)
    assert len(opened([one, shutil.copytree(one, tmp_path / 'copy')], unheard)) == 2
