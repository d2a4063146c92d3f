"""Two runs into one place do not mix what they write, and what a killed one left is in no way."""

from __future__ import annotations

from collections.abc import Callable
import errno
import fcntl
import os
from pathlib import Path
import signal
import subprocess
import sys
from typing import Any

from mmvae_controller.datasets.errors import DatasetError
from mmvae_controller.datasets.store import Dataset
from mmvae_controller.recordings import aside
from mmvae_controller.recordings.alone import Alone
from mmvae_controller.recordings.aside import Aside
from mmvae_controller.recordings.importing import import_bags, ImportSettings
import pytest

HOLD = """
import sys, time
from pathlib import Path
from mmvae_controller.recordings.aside import Aside
with Aside(Path(sys.argv[1])) as aside:
    (aside.folder / 'half').mkdir()
    print('there', flush=True)
    time.sleep(100)
"""


@pytest.fixture
def other(tmp_path: Path) -> Any:
    """Yield another process that writes into `data`."""
    command = [sys.executable, '-c', HOLD, str(tmp_path / 'data')]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == 'there\n'
        yield process
        process.kill()


def test_a_second_import_into_one_place_is_refused_and_the_first_is_whole(
    tapes: Any, robot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(aside, 'SHARD_BYTES', 5000)
    bags = tapes('one').run(0, 2000).close(), tapes('two').run(100_000, 102_000).close()
    refused = []

    def begin_another(bag: Path, what: str, done: int, total: int | None) -> None:
        if what == 'import' and done < (total or 0):
            with pytest.raises(DatasetError, match='another run writes there') as caught:
                import_bags(ImportSettings(bags[1:]), robot, tmp_path / 'data', lambda *told: None)
            refused.append(str(caught.value))

    report = import_bags(ImportSettings(bags[:1]), robot, tmp_path / 'data', begin_another)
    assert refused
    assert len(Dataset(tmp_path / 'data')) == report.rows == 40
    assert [p.name for p in tmp_path.iterdir() if 'data' in p.name] == ['data']


def test_who_writes_there_is_named(other: subprocess.Popen[str], tmp_path: Path):
    with pytest.raises(DatasetError, match=rf'data: .*\(process {other.pid}\); wait for it'):
        Aside(tmp_path / 'data')
    assert (tmp_path / '.data.part' / 'half').exists()


def test_what_a_killed_run_left_is_removed_by_the_next(
    other: subprocess.Popen[str], tmp_path: Path
):
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert (tmp_path / '.data.part' / 'half').exists()
    with Aside(tmp_path / 'data'):
        assert not (tmp_path / '.data.part' / 'half').exists()
    assert not list(tmp_path.glob('.data*'))


def test_a_lock_that_is_removed_as_it_is_taken_is_taken_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    lock, times = fcntl.flock, []

    def removed(file: Any, how: int) -> None:
        lock(file, how)
        if not times:
            (tmp_path / '.data.lock').unlink()
        times.append(file)

    monkeypatch.setattr(fcntl, 'flock', removed)
    alone = Alone(tmp_path / 'data')
    assert len(times) == 2
    with pytest.raises(DatasetError, match=f'process {os.getpid()}'):
        Alone(tmp_path / 'data')
    alone.leave()
    alone.leave()
    Alone(tmp_path / 'data').leave()


def test_a_file_system_without_locks_can_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(fcntl, 'flock', _raising(errno.ENOLCK))
    with Aside(tmp_path / 'data'):
        assert (tmp_path / '.data.part').is_dir()
    monkeypatch.setattr(fcntl, 'flock', _raising(errno.EIO))
    with pytest.raises(DatasetError, match='data: cannot be written'):
        Aside(tmp_path / 'data')


def _raising(number: int) -> Callable[[Any, int], None]:
    def flock(file: Any, how: int) -> None:
        raise OSError(number, os.strerror(number))

    return flock
