"""The demo with the shipped model: three processes over DDS, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

from PIL import Image
import pytest

pytest.importorskip('rclpy')
pytestmark = [pytest.mark.ros, pytest.mark.slow, pytest.mark.usefixtures('domain')]

DEADLINE_S = 240
POLL_S = 0.05


def start(out: Path, *options: str) -> subprocess.Popen[str]:
    env = dict(os.environ)
    env.pop('_ROS_WHEELS_BOOTSTRAP_COMPLETE', None)
    command = [sys.executable, '-m', 'mmvae_controller.cli.main', 'demo', '--out', str(out)]
    return subprocess.Popen(
        [*command, *options], env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(POLL_S)


def text_of(path: Path) -> str:
    return path.read_text(errors='replace') if path.exists() else ''


def test_the_shipped_model_touches_the_ball_over_ros_and_a_report_remains(tmp_path):
    run = ('--episodes', '5', '--covered', '1', '--seed', '300', '--required', '0.7')
    process = start(tmp_path, *run)
    output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, output
    # Its output is a pipe here: a line for each episode instead of a table.
    assert all(f'episode {number}: ' in output for number in range(5))
    report = json.loads((tmp_path / 'report.json').read_text())
    assert [e['camera'] for e in report['episodes']] == ['works'] * 4 + ['covered']
    assert report['episodes'][-1]['camera_failed_after_s'] == pytest.approx(0.4, abs=0.02)
    assert report['covered_success_rate'] in (0, 1)
    assert report['success_rate'] >= 0.7
    assert report['tick_ms']['p50'] > 0
    assert all(nats is not None for nats in report['mean_command_loss_nats'].values())
    gate = next(v for k, v in report['diagnostics'].items() if k.endswith('controller: gate'))
    assert int(gate['values']['sent']) > 0
    for name in ('episode.gif', 'covered.gif'):
        with Image.open(tmp_path / name) as animation:
            assert animation.n_frames > 5
            # Beside the arm, what the camera saw and what the model imagined.
            assert animation.width > animation.height
    assert 'data:image/gif' in (tmp_path / 'report.html').read_text()


def test_an_interrupted_demo_still_reports(tmp_path):
    process = start(tmp_path, '--episodes', '500')
    until(lambda: 'episode 3:' in text_of(tmp_path / 'nodes.log'))
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130, output
    report = json.loads((tmp_path / 'report.json').read_text())
    assert 1 <= len(report['episodes']) < 500
