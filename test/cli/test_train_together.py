"""`torchrun -m mmvae_controller.cli.train`: several processes, one model."""

from __future__ import annotations

import os
from pathlib import Path
import signal
import subprocess
import sys
import time

from mmvae_controller.cli.main import app
import pytest
from typer.testing import CliRunner
import yaml

WAIT_S = 60.0
BRANCH = {'encoder': [4], 'decoder': [4]}
SENSES = ('left_eye', 'right_eye', 'joints', 'goal', 'antenna', 'motor')
TRAINING = {
    'name': 'tiny',
    'seed': 3,
    'epochs': 40,
    'batch_size': 64,
    'learning_rate': 0.001,
    'held_out': 0.1,
    'kl': {'start': 0.1, 'plateau': 0.1, 'epochs': 1},
    'muting': {'random': 1.0},
    'network': {
        'latent': 4,
        'shared_encoder': [8],
        'shared_decoder': [8],
        'branches': dict.fromkeys(SENSES, BRANCH),
    },
}


@pytest.fixture
def words(tmp_path):
    """Return what gives the arguments of a training into a folder."""
    config = tmp_path / 'tiny.yaml'
    config.write_text(yaml.safe_dump(TRAINING))

    def arguments(out: str, *more: str) -> list[str]:
        place = str(tmp_path / out)
        return ['--dataset', 'linear:1000', '--out', place, '--config', str(config), *more]

    return arguments


def together(*words: str) -> subprocess.Popen[str]:
    """Start two processes on this machine."""
    command = [sys.executable, '-m', 'torch.distributed.run', '--standalone']
    command += ['--nproc-per-node', '2', '-m', 'mmvae_controller.cli.train', *words]
    environment = os.environ | {'OMP_NUM_THREADS': '1'}
    return subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def alone(*words: str) -> None:
    result = CliRunner().invoke(app, ['train', *words])
    assert result.exit_code == 0, result.output


def last_epoch(out: Path):
    return yaml.safe_load((out / 'model.yaml').read_text())['provenance']['last_epoch']


def children(pid: int) -> list[int]:
    """Return the processes that one has started."""
    told = Path(f'/proc/{pid}/task/{pid}/children').read_text().split()
    return [int(number) for number in told]


@pytest.mark.slow
def test_two_processes_of_which_one_was_killed_go_on_and_write_what_one_alone_would(
    words, tmp_path
):
    process = together(*words('two'))
    state = tmp_path / 'two' / 'training.safetensors'
    until_s = time.monotonic() + WAIT_S
    while not state.exists() and process.poll() is None and time.monotonic() < until_s:
        time.sleep(0.02)
    os.kill(children(process.pid)[-1], signal.SIGKILL)
    _, errors = process.communicate(timeout=WAIT_S)
    assert process.returncode != 0
    assert not (tmp_path / 'two' / 'model.yaml').exists(), errors

    process = together(*words('two'))
    output, errors = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, errors
    assert output.count('of 40 epochs are done, going on') == 1
    assert output.count('wrote the model') == 1
    alone(*words('one'))
    found, wanted = last_epoch(tmp_path / 'two'), last_epoch(tmp_path / 'one')
    assert found['loss'] == pytest.approx(wanted['loss'], rel=1e-4)
    assert found['command_rmse'] == pytest.approx(wanted['command_rmse'], rel=1e-4)


def test_a_device_that_is_none_is_refused(words):
    result = CliRunner().invoke(app, ['train', *words('x', '--device', 'tpu')])
    assert result.exit_code == 2
    assert "no device 'tpu', there are cpu, cuda" in result.stderr
