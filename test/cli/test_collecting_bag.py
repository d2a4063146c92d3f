"""A bag of simulated demonstrations holds what `mmvae collect` collects of the same scenes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip('pybullet')

from mmvae_controller.cli.main import app
from mmvae_controller.datasets.store import Dataset
from mmvae_controller.recordings.bag import read_bag
from mmvae_controller.recordings.decoding import Decoder
from typer.testing import CliRunner

EPISODES, SEED = 3, 11
SCENES = ('--episodes', EPISODES, '--seed', SEED)
MARKS = ('--label-topic', 'joint_command_wanted', '--episode-topic', 'episode')


def run(*words: Any) -> Any:
    result = CliRunner().invoke(app, list(map(str, words)))
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope='module')
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('bags') / 'bag'
    said = run('collect', '--bag', '--out', path, *SCENES).output
    assert f'mmvae import-bag {path} --robot iiwa_sim {" ".join(MARKS)}' in ' '.join(said.split())
    return path


def rows_of(folder: Path, episode: int) -> dict[str, Any]:
    dataset = Dataset(folder)
    rows = np.flatnonzero(dataset.episode == episode)
    names = [m.name for m in dataset.modalities]
    known = dataset.known[rows].all()
    return {n: dataset.column(n, rows) for n in (*names, 'label')} | {'all known': known}


def test_a_bag_imported_holds_the_rows_that_are_collected_of_the_same_scenes(
    bag: Path, tmp_path: Path
):
    run('import-bag', bag, '--robot', 'iiwa_sim', *MARKS, '--out', tmp_path / 'imported')
    run('collect', '--out', tmp_path / 'collected', '--processes', 1, *SCENES)
    # `collect` takes the ticks in between in every other episode.
    for episode in (0, 2):
        imported = rows_of(tmp_path / 'imported', episode)
        collected = rows_of(tmp_path / 'collected', episode)
        assert imported['all known']
        assert collected['all known']
        for name in ('camera', 'joints', 'touch', 'label'):
            assert np.array_equal(imported[name], collected[name]), (episode, name)
        # The velocity is found again from positions on the wire, to rounding.
        assert np.allclose(imported['motor'], collected['motor'], rtol=0, atol=1e-6)
        assert not np.array_equal(imported['motor'], imported['label'])
    between = rows_of(tmp_path / 'imported', 1), rows_of(tmp_path / 'collected', 1)
    assert abs(len(between[0]['joints']) - len(between[1]['joints'])) <= 1
    # A quarter of a tenth of a second later, at 1.5 rad/s.
    shift = np.abs(between[0]['joints'][:20] - between[1]['joints'][:20])
    assert 0 < shift.max() < 1.5 * 0.025 + 0.02


def test_the_bag_holds_the_topics_of_the_simulation_in_the_order_of_the_simulation(bag: Path):
    messages = list(read_bag(bag, pytest.fail))
    stamps = [m.stamp_ns for m in messages]
    assert stamps == sorted(stamps)
    kinds = {m.channel.topic: m.channel.kind for m in messages}
    assert kinds == {
        '/clock': 'rosgraph_msgs/Clock',
        '/camera/image_raw': 'sensor_msgs/Image',
        '/joint_states': 'sensor_msgs/JointState',
        '/touch': 'geometry_msgs/WrenchStamped',
        '/joint_command': 'std_msgs/Float64MultiArray',
        '/joint_command_wanted': 'std_msgs/Float64MultiArray',
        '/episode': 'std_msgs/Bool',
    }
    decoder, now_ns = Decoder(), 0
    for message in messages:
        content = decoder.read(message.channel, message.data)
        if message.channel.topic == '/clock':
            now_ns = content.clock.sec * 10**9 + content.clock.nanosec
        elif hasattr(content, 'header'):
            stamp = content.header.stamp
            # Sensed a step before the clock says so.
            assert stamp.sec * 10**9 + stamp.nanosec - now_ns == 10**9 // 240
    joints = next(m for m in messages if m.channel.topic == '/joint_states')
    first = decoder.read(joints.channel, joints.data)
    assert len(first.name) == len(first.position) == len(first.velocity) == 7


@pytest.mark.parametrize(
    ('words', 'why'),
    [
        (('--learner', 'touch_target'), 'a learner drives only where a data set is collected'),
        (('--task', 'imitate', '--robot', 'iiwa_imitate'), 'is found by the tracker'),
    ],
)
def test_what_cannot_be_filmed_is_refused(tmp_path: Path, words: Any, why: str):
    result = CliRunner().invoke(
        app, ['collect', '--bag', '--out', str(tmp_path / 'bag'), '--episodes', '1', *words]
    )
    assert result.exit_code == 2
    assert why in ' '.join(result.output.split())
    assert not (tmp_path / 'bag').exists()


def test_a_bag_is_not_written_over(bag: Path):
    result = CliRunner().invoke(app, ['collect', '--bag', '--out', str(bag), '--episodes', '1'])
    assert result.exit_code == 2
    assert 'is there already' in result.output
