"""Where ROS 2 does not start, a line says why; no traceback."""

import os
from pathlib import Path
import subprocess
import sys

import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

ROOT = Path(__file__).parents[2]
DEADLINE_S = 60


@pytest.mark.parametrize(
    ('variable', 'value', 'reason'),
    [
        ('ROS_LOG_DIR', '/proc/none', '/proc/none'),
        ('ROS_DOMAIN_ID', 'lab', 'not an integral number'),
        ('ROS_DOMAIN_ID', '300', 'ROS_DOMAIN_ID is 300, expected 0 to 232'),
    ],
)
@pytest.mark.parametrize(
    'words',
    [
        ['mmvae_controller.cli.main', 'check-robot', 'iiwa_sim', '--seconds', '0.5'],
        ['mmvae_controller.cli.main', 'record', '--robot', 'iiwa_sim', '--out', 'bag'],
        ['mmvae_controller.nodes.controller'],
    ],
    ids=['command', 'record', 'node'],
)
def test_what_keeps_ros_from_starting_is_told_in_a_line(
    domain, monkeypatch, tmp_path, words, variable, value, reason
):
    monkeypatch.setenv(variable, value)
    monkeypatch.setenv('PYTHONPATH', str(ROOT), prepend=os.pathsep)
    run = subprocess.run(
        [sys.executable, '-m', *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert run.returncode == 2, run.stderr
    assert 'Traceback' not in run.stderr
    told = next(line for line in run.stderr.splitlines() if 'ROS 2 does not start' in line)
    assert reason in told
    assert 'mmvae doctor' in told
    assert not (tmp_path / 'bag').exists()
