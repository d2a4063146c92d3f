"""Collecting demonstrations: resumable, never mixed, and recording what was applied."""

from dataclasses import replace
from pathlib import Path

from mmvae_controller.datasets.errors import DatasetError
from mmvae_controller.datasets.store import Dataset, shard_path
from mmvae_controller.simulation import collect as collecting
from mmvae_controller.simulation.collect import collect, CollectSettings
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.simulation.simulator import simulator_of
import numpy as np
import pybullet
import pytest


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(collecting, 'EPISODES_PER_SHARD', 2)


@pytest.fixture
def settings(iiwa_file):
    return CollectSettings(str(iiwa_file), 'touch_target', episodes=3, seed=11)


def content(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob('*.*') if p.is_file()}


def test_a_collection_holds_what_was_seen_and_done(settings, tmp_path):
    done = list(collect(settings, tmp_path / 'data', 1))
    dataset = Dataset(tmp_path / 'data')
    assert sorted(d.episodes for d in done) == [1, 2]
    assert sum(d.rows for d in done) == len(dataset)
    assert set(dataset.episode.tolist()) == {0, 1, 2}
    rows = np.arange(len(dataset))
    assert dataset.known[rows].all()
    joints, motor = dataset.column('joints', rows), dataset.column('motor', rows)
    label, touch = dataset.column('label', rows), dataset.column('touch', rows)
    assert np.abs(motor).max() <= 1.5 + 1e-6
    assert not np.array_equal(motor, label)
    firsts = np.flatnonzero(np.diff(dataset.episode, prepend=-1))
    assert not touch[firsts].any()
    # What is recorded as applied is what moved the arm: a row later it is further by as much.
    same = np.diff(dataset.episode) == 0
    moved = np.diff(joints, axis=0)[same] / dataset.description.period_s
    assert np.corrcoef(moved.ravel(), motor[:-1][same].ravel())[0, 1] > 0.8


def test_a_resumed_collection_equals_one_made_at_once(settings, tmp_path):
    once, resumed = tmp_path / 'once', tmp_path / 'resumed'
    list(collect(settings, once, 1))
    # As if the process had been killed with the first shard on disk and no more.
    next(collect(settings, resumed, 1))
    assert not shard_path(resumed, 1).exists()
    assert not (resumed / 'dataset.yaml').exists()
    assert [d.episodes for d in collect(settings, resumed, 1)] == [1]
    assert content(once) == content(resumed)


def test_several_processes_collect_what_one_does(settings, tmp_path, monkeypatch):
    alone, together = tmp_path / 'alone', tmp_path / 'together'
    done = list(collect(settings, alone, 1))
    # In this process, where the shards are small, and in another order.
    monkeypatch.setattr(collecting, 'each_done', lambda jobs, _: (job() for job in reversed(jobs)))
    assert sorted(d.episodes for d in collect(settings, together, 2)) == [
        d.episodes for d in reversed(done)
    ]
    assert content(alone) == content(together)


def test_what_breaks_on_the_way_leaves_no_physics_client_behind(settings, tmp_path, monkeypatch):
    opened = []

    def remembered(*given):
        opened.append(simulator_of(*given))
        return opened[-1]

    monkeypatch.setattr(collecting, 'simulator_of', remembered)
    changed = spoilt(settings, tmp_path, 'max_age_s: 0.2             #', 'max_age_s: 0.01 #')
    with pytest.raises(SimulationError, match='misses camera'):
        list(collect(changed, tmp_path / 'data', 1))
    assert [pybullet.isConnected(s.client) for s in opened] == [False]


def test_no_picture_is_drawn_that_is_not_recorded_but_the_last(settings, tmp_path, monkeypatch):
    drawn, draw = [], pybullet.getCameraImage

    def spied(*arguments, **named):
        drawn.append(arguments)
        return draw(*arguments, **named)

    monkeypatch.setattr(pybullet, 'getCameraImage', spied)
    rows = sum(done.rows for done in collect(settings, tmp_path / 'data', 1))
    assert rows <= len(drawn) <= rows + settings.episodes


def test_a_folder_of_other_settings_is_refused_and_left_alone(settings, tmp_path):
    list(collect(settings, tmp_path, 1))
    before = content(tmp_path)
    with pytest.raises(DatasetError, match='was begun with seed 11, now 12'):
        list(collect(replace(settings, seed=12), tmp_path, 1))
    assert content(tmp_path) == before


def test_a_folder_that_cannot_be_written_is_named(settings, tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(DatasetError, match=r'settings\.yaml: cannot be written'):
        list(collect(settings, tmp_path / 'file' / 'data', 1))


def test_what_a_full_disk_refused_is_begun_again_when_there_is_room(settings, tmp_path, full_disk):
    with full_disk(10), pytest.raises(DatasetError, match=r'settings\.yaml: cannot be written'):
        list(collect(settings, tmp_path, 1))
    assert list(tmp_path.iterdir()) == []
    assert sum(done.episodes for done in collect(settings, tmp_path, 1)) == settings.episodes


def test_a_recording_rate_that_does_not_divide_the_control_rate_is_refused(settings, tmp_path):
    with pytest.raises(SimulationError, match=r'record_hz 30 does not divide .* 40 Hz'):
        list(collect(replace(settings, record_hz=30.0), tmp_path / 'data', 1))
    assert not (tmp_path / 'data').exists()


def spoilt(settings, tmp_path, old, new):
    text = Path(settings.robot_file).read_text(encoding='utf-8')
    assert old in text
    path = tmp_path / 'robot.yaml'
    path.write_text(text.replace(old, new), encoding='utf-8')
    return replace(settings, robot_file=str(path))


def test_a_robot_that_is_told_positions_is_refused_by_the_expert(settings, tmp_path):
    changed = spoilt(settings, tmp_path, '    quantity: velocity ', '    quantity: position ')
    with pytest.raises(
        SimulationError, match=r'motor of .* is a position, the expert shows a vel'
    ):
        list(collect(changed, tmp_path / 'data', 1))


def test_a_sense_that_grows_too_old_between_its_samples_is_an_error_and_not_a_gap(
    settings, tmp_path
):
    changed = spoilt(settings, tmp_path, 'max_age_s: 0.2             #', 'max_age_s: 0.01 #')
    with pytest.raises(SimulationError, match=r'misses camera .* max_age_s'):
        list(collect(changed, tmp_path / 'data', 1))


def test_a_misspelled_task_spoils_no_folder(settings, tmp_path):
    with pytest.raises(SimulationError, match="no task 'fly'"):
        list(collect(replace(settings, task='fly'), tmp_path / 'data', 1))
    assert not (tmp_path / 'data').exists()


def test_a_folder_begun_before_there_was_a_choice_can_be_gone_on_with(settings, tmp_path):
    next(collect(settings, tmp_path, 1))
    note = tmp_path / 'settings.yaml'
    text = note.read_text(encoding='utf-8')
    assert 'drawn: false\n' in text
    note.write_text(text.replace('drawn: false\n', ''), encoding='utf-8')
    list(collect(settings, tmp_path, 1))
    with pytest.raises(DatasetError, match='drawn False, now True'):
        list(collect(replace(settings, drawn=True), tmp_path, 1))
