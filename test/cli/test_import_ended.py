"""What is ended from outside leaves nothing half done: an import, a bag of the simulation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
import signal
import subprocess
import sys
import time
from typing import Any

from mmvae_controller.datasets.store import Dataset, DATASET_FILE
from mmvae_controller.guidance.exit_codes import ExitCode
from mmvae_controller.recordings.bag import read_bag
from mmvae_controller.recordings.making import Maker
from mmvae_controller.recordings.writer import BagWriter
import numpy as np
import pytest

NS = 1_000_000_000
# Long enough to be ended in the middle, in s of the recording.
LENGTH_S = 600
DEADLINE_S = 120.0
# Interrupted while it imports a module, Python ends by the signal itself: for a shell, 130 too.
INTERRUPTED = (ExitCode.INTERRUPTED, -signal.SIGINT)
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture(scope='module')
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a long recording of the small robot."""
    path, maker = tmp_path_factory.mktemp('long') / 'bag', Maker()
    picture = maker.image(np.full((8, 8, 3), 9, dtype=np.uint8), 'rgb8', 0, '')
    joints = maker.joints(['left', 'right', 'spare'], np.zeros(3), np.zeros(3), 0, '')
    command = maker.numbers(np.zeros(2))
    with BagWriter(path) as writer:
        for stamp_ns in range(NS, LENGTH_S * NS, NS // 20):
            writer.write('/camera/image_raw', picture[0], stamp_ns, picture[1])
            writer.write('/joint_states', joints[0], stamp_ns, joints[1])
            writer.write('/joint_command', command[0], stamp_ns + 1, command[1])
    return path


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return what starts a command."""
    started = []

    def run(*words: Any) -> subprocess.Popen[bytes]:
        command = [sys.executable, '-m', 'mmvae_controller.cli.main', *map(str, words)]
        with (tmp_path / 'log.txt').open('wb') as log:
            started.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT))
        return started[-1]

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def until(condition: Callable[[], Any], process: subprocess.Popen[bytes]) -> None:
    end_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert process.poll() is None, 'it has ended'
        assert time.monotonic() < end_s, 'waited in vain'
        time.sleep(0.005)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_an_import_that_is_told_to_end_leaves_nothing(
    start: Start, bag: Path, robot: Any, tmp_path: Path, number: signal.Signals
):
    process = start('import-bag', bag, '--robot', robot.path, '--out', tmp_path / 'data')
    until((tmp_path / '.data.part').exists, process)
    process.send_signal(number)
    assert process.wait(DEADLINE_S) in INTERRUPTED
    assert [p.name for p in tmp_path.iterdir() if 'data' in p.name] == []
    assert (tmp_path / 'log.txt').read_text().endswith('interrupted\n')


def test_an_import_that_is_killed_leaves_no_data_set_and_the_next_is_whole(
    start: Start, bag: Path, robot: Any, tmp_path: Path
):
    words = ('import-bag', bag, '--robot', robot.path, '--out', tmp_path / 'data')
    process = start(*words)
    until((tmp_path / '.data.part').exists, process)
    process.kill()
    process.wait()
    assert not (tmp_path / 'data' / DATASET_FILE).exists()
    assert start(*words).wait(DEADLINE_S) == 0
    assert len(Dataset(tmp_path / 'data')) == (LENGTH_S - 1) * 20
    assert not (tmp_path / '.data.part').exists()


@pytest.mark.slow
def test_a_bag_of_the_simulation_is_completed_when_a_supervisor_ends_it(
    start: Start, tmp_path: Path
):
    pytest.importorskip('pybullet')
    process = start('collect', '--bag', '--out', tmp_path / 'bag', '--episodes', 10000)
    file = tmp_path / 'bag' / 'bag.mcap'
    until(lambda: file.exists() and file.stat().st_size > 2_000_000, process)
    process.terminate()
    assert process.wait(DEADLINE_S) in INTERRUPTED
    assert len(list(read_bag(tmp_path / 'bag', pytest.fail))) > 100
