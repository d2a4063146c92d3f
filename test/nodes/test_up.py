"""`mmvae up`: nodes that live and die together."""

from __future__ import annotations

from pathlib import Path
import signal
import subprocess
import sys
from typing import Any

from mmvae_controller.cli.processes import (
    child_environment,
    Ended,
    Processes,
    PROFILE_VARIABLES,
    WHEELS_MARK,
)
from mmvae_controller.cli.up import node_commands, Simulated
import pytest

DEADLINE_S = 30.0
WAITS_FOR_EVER = [sys.executable, '-c', 'import signal; print("up", flush=True); signal.pause()']


def test_the_first_to_end_is_told_with_its_code_and_the_others_are_stopped():
    with Processes() as processes:
        processes.start('patient', WAITS_FOR_EVER)
        processes.start('broken', [sys.executable, '-c', 'raise SystemExit(3)'])
        assert processes.poll(DEADLINE_S) == Ended('broken', 3)
        assert processes.poll() is None
    assert processes.poll(DEADLINE_S) == Ended('patient', -signal.SIGTERM)


def test_a_child_that_does_not_listen_is_killed_after_a_while():
    deaf = 'import signal; signal.signal(15, signal.SIG_IGN); print("up", flush=True);'
    with Processes() as processes:
        processes.start('deaf', [sys.executable, '-c', f'{deaf} signal.pause()'])
        processes.stop(grace_s=0.5)
        assert processes.poll(DEADLINE_S).code in (-signal.SIGKILL, -signal.SIGTERM)


def test_waiting_can_be_ended_from_outside():
    processes = Processes()
    processes.wake()
    assert processes.poll(None) is None


def test_how_a_child_ended_reads_like_a_sentence():
    assert str(Ended('controller', 2)) == 'controller ended with exit code 2'
    assert str(Ended('controller', -9)) == 'controller was ended by SIGKILL'


def test_children_get_the_profile_unless_one_is_set(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(WHEELS_MARK, '1')
    for variable in PROFILE_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    env = child_environment(Path('/profile.xml'))
    assert WHEELS_MARK not in env
    assert {env[v] for v in PROFILE_VARIABLES} == {'/profile.xml'}
    monkeypatch.setenv(PROFILE_VARIABLES[1], '/mine.xml')
    env = child_environment(Path('/profile.xml'))
    assert PROFILE_VARIABLES[0] not in env
    assert env[PROFILE_VARIABLES[1]] == '/mine.xml'


def test_a_real_robot_gets_controller_and_diagnostics(robot_file: Path, model: Path):
    commands = node_commands(str(robot_file), str(model), '/arm/', use_sim_time=False)
    assert list(commands) == ['controller', 'diagnostics']
    assert '__ns:=/arm' in commands['controller']
    assert f'robot_file:={robot_file}' in commands['controller']
    assert 'use_sim_time:=false' in commands['diagnostics']


def test_a_simulation_starts_first_and_its_clock_is_followed(robot_file: Path, model: Path):
    commands = node_commands(str(robot_file), str(model), simulated=Simulated(seed=3))
    assert next(iter(commands)) == 'simulation'
    assert 'seed:=3' in commands['simulation']
    assert 'use_sim_time:=true' in commands['controller']
    assert '-r' not in commands['controller']


@pytest.fixture
def up(domain: int, tmp_path: Path) -> Any:
    """Return what runs `up` in a process of its own."""
    pytest.importorskip('rclpy')
    started = []

    def start(robot_file: Path, model: Path) -> subprocess.Popen[str]:
        paths = f'{str(robot_file)!r}, {str(model)!r}'
        code = f'from mmvae_controller.cli.up import run; raise SystemExit(run({paths}))'
        started.append(
            subprocess.Popen([sys.executable, '-c', code], stderr=subprocess.PIPE, text=True)
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.ros
def test_up_ends_with_the_code_of_the_node_that_refused(up: Any, robot_file: Path, model: Path):
    robot_file.write_text('robot: [', encoding='utf-8')
    process = up(robot_file, model)
    _, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 2
    assert 'controller ended with exit code 2; stopping the others' in errors
    assert 'not configured' in errors


@pytest.mark.ros
def test_up_ends_well_when_it_is_told_to(up: Any, peer: Any, robot_file: Path, model: Path):
    from std_msgs.msg import Float64MultiArray

    commands = peer.listen(Float64MultiArray, 'joint_command')
    peer.feel()
    process = up(robot_file, model)
    peer.until(lambda: len(commands) > 10 or process.poll() is not None, 'commands')
    process.send_signal(signal.SIGINT)
    peer.until(lambda: process.poll() is not None, 'the end')
    assert process.returncode == 0
    peer.until(lambda: commands[-1].data == commands[-2].data, 'the hold')
