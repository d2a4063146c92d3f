"""Worker processes: whatever happens to who started them, they end."""

from __future__ import annotations

from contextlib import closing
from functools import partial
import multiprocessing
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

from mmvae_controller.training.workers import each_done
import pytest

DEADLINE_S = 60.0
PROGRAM = """
from functools import partial
from pathlib import Path
import sys
sys.path[:0] = [{root!r}, {here!r}]
from mmvae_controller.training.workers import each_done
from test_workers import rest

if __name__ == '__main__':
    list(each_done([partial(rest, Path(sys.argv[1]))] * 2, 2))
"""


def rest(folder: Path) -> None:
    (folder / str(os.getpid())).touch()
    time.sleep(DEADLINE_S)


def until(condition, within_s=DEADLINE_S):
    end_s = time.monotonic() + within_s
    while not condition() and time.monotonic() < end_s:
        time.sleep(0.05)
    assert condition()


def is_there(pid: str) -> bool:
    try:
        return Path('/proc', pid, 'stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except FileNotFoundError:
        return False


def test_each_is_yielded_as_it_is_done():
    assert sorted(each_done([partial(abs, -1), partial(abs, 2), partial(abs, -3)], 2)) == [1, 2, 3]


@pytest.mark.slow
def test_what_is_not_read_to_its_end_ends_its_workers_when_it_is_closed(tmp_path):
    with closing(each_done([partial(abs, -1), *[partial(rest, tmp_path)] * 3], 2)) as running:
        assert next(running) == 1
        until(lambda: len([*tmp_path.iterdir()]) == 2)
        began = time.monotonic()
    assert time.monotonic() - began < DEADLINE_S / 2
    assert multiprocessing.active_children() == []


@pytest.mark.slow
@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_who_started_it(number, tmp_path):
    here = Path(__file__)
    program, pids = tmp_path / 'program.py', tmp_path / 'pids'
    program.write_text(PROGRAM.format(root=str(here.parents[2]), here=str(here.parent)))
    pids.mkdir()
    process = subprocess.Popen([sys.executable, str(program), str(pids)])
    until(lambda: len([*pids.iterdir()]) == 2)
    process.send_signal(number)
    process.wait(DEADLINE_S)
    until(lambda: not any(is_there(file.name) for file in pids.iterdir()), DEADLINE_S / 2)
