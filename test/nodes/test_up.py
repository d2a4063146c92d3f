"""`mmvae up`: nodes that live and die together."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
import signal
import subprocess
import sys
import time
from typing import Any

from mmvae_controller.cli.errors import CliError
from mmvae_controller.cli.up import Controlled, node_commands, run, Simulated, write_description
from mmvae_controller.nodes.processes import (
    child_environment,
    DISCOVERY_RANGE,
    Ended,
    GRACE_S,
    Processes,
    PROFILE_VARIABLES,
    stay_on_this_machine,
    WHEELS_MARK,
)
from mmvae_controller.simulation.errors import SimulationError
import pytest
import yaml

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


def not_installed(name: str) -> str:
    raise importlib.metadata.PackageNotFoundError(name)


@pytest.mark.parametrize(
    ('version', 'variables'),
    [
        (lambda name: '7.1.5', PROFILE_VARIABLES[1:]),
        (lambda name: '9.1.2', PROFILE_VARIABLES[:1]),
        (not_installed, PROFILE_VARIABLES),
    ],
)
def test_children_get_the_profile_in_the_words_of_their_fast_dds_unless_one_is_set(
    monkeypatch: pytest.MonkeyPatch, version: Any, variables: tuple[str, ...]
):
    monkeypatch.setattr(importlib.metadata, 'version', version)
    monkeypatch.setenv(WHEELS_MARK, '1')
    for variable in PROFILE_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    env = child_environment(Path('/profile.xml'))
    assert WHEELS_MARK not in env
    assert [v for v in PROFILE_VARIABLES if env.get(v) == '/profile.xml'] == list(variables)
    monkeypatch.setenv(PROFILE_VARIABLES[1], '/mine.xml')
    env = child_environment(Path('/profile.xml'))
    assert PROFILE_VARIABLES[0] not in env
    assert env[PROFILE_VARIABLES[1]] == '/mine.xml'


def test_nodes_stay_on_this_machine_unless_the_environment_says_otherwise():
    env: dict[str, str] = {}
    assert stay_on_this_machine(env) == 'LOCALHOST'
    assert env == {DISCOVERY_RANGE: 'LOCALHOST'}
    env = {DISCOVERY_RANGE: 'SUBNET'}
    assert stay_on_this_machine(env) == 'SUBNET'
    assert env == {DISCOVERY_RANGE: 'SUBNET'}


def test_a_real_robot_gets_diagnostics_and_controller(robot_file: Path, model: Path):
    commands = node_commands(str(robot_file), str(model), '/arm/', use_sim_time=False)
    assert list(commands) == ['diagnostics', 'controller']
    assert 'autostart:=true' in commands['controller']
    assert '__ns:=/arm' in commands['controller']
    assert f'robot_file:={robot_file}' in commands['controller']
    assert 'use_sim_time:=false' in commands['diagnostics']


def test_a_simulation_starts_first_and_its_clock_is_followed(robot_file: Path, model: Path):
    commands = node_commands(str(robot_file), str(model), simulated=Simulated(seed=3))
    assert next(iter(commands)) == 'simulation'
    assert 'seed:=3' in commands['simulation']
    assert f'robot_file:={robot_file}' in commands['simulation']
    assert 'use_sim_time:=true' in commands['controller']
    assert '__ns' not in ' '.join(commands['controller'])


def test_a_simulation_in_a_namespace_has_a_clock_of_its_own(robot_file: Path, model: Path):
    given = (str(robot_file), str(model), 'left')
    controlled = Controlled(tracker=True)
    for command in node_commands(*given, False, Simulated(), controlled).values():
        assert '__ns:=/left' in command
        assert '/clock:=clock' in command
    for command in node_commands(*given, use_sim_time=True).values():
        assert '/clock:=clock' not in command


def test_the_controller_begins_as_it_is_told_to(robot_file: Path, model: Path):
    controlled = Controlled(autostart=False, acceleration_rad_s2=3)
    command = node_commands(str(robot_file), str(model), controlled=controlled)['controller']
    assert 'autostart:=false' in command
    assert 'acceleration_rad_s2:=3.0' in command


def test_a_goal_and_the_tracker_of_the_hand_are_there_if_asked_for(robot_file: Path, model: Path):
    assert 'tracker' not in node_commands(str(robot_file), str(model))
    controlled = Controlled(goal_modality='hand', tracker=True)
    commands = node_commands(str(robot_file), str(model), '', True, controlled=controlled)
    assert list(commands) == ['tracker', 'diagnostics', 'controller']
    assert 'use_sim_time:=true' in commands['tracker']
    assert 'goal_modality:=hand' in commands['controller']


def test_a_robot_description_becomes_a_file_of_parameters(tmp_path: Path):
    urdf = tmp_path / 'arm.urdf'
    urdf.write_text('<robot name="Rügen: #1">\n\t<link/>\n</robot>', encoding='utf-8')
    text = write_description(urdf, tmp_path).read_text(encoding='utf-8')
    parameters = yaml.safe_load(text)['/**']['ros__parameters']
    assert parameters == {'robot_description': urdf.read_text(encoding='utf-8')}


@pytest.mark.parametrize('content', [None, b'\xff\xfe'])
def test_a_robot_description_that_is_no_text_is_refused(tmp_path: Path, content: bytes | None):
    urdf = tmp_path / 'arm.urdf'
    if content is not None:
        urdf.write_bytes(content)
    with pytest.raises(CliError, match=r'arm\.urdf: no robot description can be read'):
        write_description(urdf, tmp_path)


@pytest.fixture
def up(domain: int, tmp_path: Path) -> Any:
    """Return what runs `up` in a process of its own, with given text before and arguments."""
    started = []

    def start(
        robot_file: Path, model: Path, before: str = '', arguments: str = ''
    ) -> subprocess.Popen[str]:
        code = (
            'from mmvae_controller.cli import up; from pathlib import Path\n'
            f'{before}\n'
            f'raise SystemExit(up.run({str(robot_file)!r}, {str(model)!r}, {arguments}))'
        )
        pipe = subprocess.PIPE
        started.append(
            subprocess.Popen(
                [sys.executable, '-c', code], stdin=pipe, stdout=pipe, stderr=pipe, text=True
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()


# Instead of nodes: each says that it is up, and that it is told to end. The diagnostics does not
# listen, and ends when its input does.
STUBS = """
real = up.node_commands
def stub(name):
    deaf = name == 'diagnostics'
    code = 'import os, signal, sys;'
    code += 'signal.signal(15, signal.SIG_IGN);' if deaf else (
        'signal.signal(15, lambda *_: '
        f'(os.write(1, b"{name} told" + bytes([10])), os._exit(0)));')
    # At one stroke, for three of them write to one pipe.
    code += f'said = "{name} up " + os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] + chr(10);'
    code += 'os.write(1, said.encode());'
    return [up.sys.executable, '-c', code + ('sys.stdin.read()' if deaf else 'signal.pause()')]
up.node_commands = lambda *given: {name: stub(name) for name in real(*given)}
"""


def test_a_diagnostics_that_hangs_does_not_delay_the_hold_of_the_controller(
    up: Any, iiwa_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv(DISCOVERY_RANGE, raising=False)
    process = up(iiwa_file, tmp_path, STUBS, 'simulated=up.Simulated()')
    lines = [process.stdout.readline() for _ in range(5)]
    assert lines[0] == f'Simulation: the nodes run with {DISCOVERY_RANGE}=LOCALHOST\n'
    assert set(lines[1:]) == {
        'Started simulation, diagnostics, controller; Ctrl+C stops them\n',
        *(f'{name} up LOCALHOST\n' for name in ('simulation', 'diagnostics', 'controller')),
    }
    process.send_signal(signal.SIGINT)
    told_s = time.monotonic()
    assert process.stdout.readline() == 'controller told\n'
    assert time.monotonic() - told_s < GRACE_S / 2
    process.stdin.close()
    assert process.stdout.readline() == 'simulation told\n'
    assert process.wait(DEADLINE_S) == 0


@pytest.mark.parametrize(('namespace', 'inside'), [('', ''), ('/arm/', ' --namespace arm')])
def test_where_nothing_is_started_by_itself_the_commands_that_do_it_are_named(
    up: Any, iiwa_file: Path, tmp_path: Path, namespace: str, inside: str
):
    told = f'namespace={namespace!r}, controlled=up.Controlled(autostart=False)'
    process = up(iiwa_file, tmp_path, STUBS, told)
    lines = [process.stdout.readline() for _ in range(4)]
    assert (
        'The controller is unconfigured. Next, in another terminal: '
        f'`mmvae lifecycle configure{inside}`; and `mmvae lifecycle activate{inside}`, '
        'then the arm moves\n'
    ) in lines


def test_a_robot_that_nothing_simulates_is_refused_before_a_node_starts(
    robot_file: Path, model: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Processes, 'start', lambda *given: pytest.fail('a node was started'))
    with pytest.raises(SimulationError, match=r'robot\.yaml: names no arm to simulate'):
        run(str(robot_file), str(model), simulated=Simulated())


@pytest.mark.ros
def test_up_ends_with_the_code_of_the_node_that_refused(up: Any, robot_file: Path, model: Path):
    robot_file.write_text('robot: [', encoding='utf-8')
    pytest.importorskip('rclpy')
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


@pytest.mark.ros
def test_up_takes_limits_from_a_robot_description(
    up: Any, peer: Any, robot_file_without_limits: Path, model: Path, tmp_path: Path
):
    from std_msgs.msg import Float64MultiArray

    urdf = tmp_path / 'small.urdf'
    joints = ''.join(
        f'<joint name="{j}">\n  <limit lower="-2" upper="2" velocity="1"/></joint>\n'
        for j in ('left', 'right')
    )
    urdf.write_text(f'<?xml version="1.0"?>\n<robot name="small">\n{joints}</robot>\n')
    commands = peer.listen(Float64MultiArray, 'joint_command')
    peer.feel()
    controlled = f'controlled=up.Controlled(True, Path({str(urdf)!r}), 50.0)'
    process = up(robot_file_without_limits, model, arguments=controlled)
    peer.until(lambda: len(commands) > 10 or process.poll() is not None, 'commands')
    assert process.poll() is None
