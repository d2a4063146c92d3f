"""The watcher: finds curves and commands by itself, and survives what others publish."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import math
import os
import pty
import re
import select
import signal
import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue  # noqa: E402
from mmvae_controller.cli.top_judging import take  # noqa: E402
from mmvae_controller.cli.top_snapshot import Place  # noqa: E402
from mmvae_controller.nodes.reporting.status import Level, read_level  # noqa: E402
from mmvae_controller.nodes.watch.listener import NamespaceError  # noqa: E402
from mmvae_controller.nodes.watch.watched import Watched  # noqa: E402
from mmvae_controller.nodes.watch.watching import (  # noqa: E402
    read_command,
    Watcher,
)
from mmvae_controller.nodes.wire.qos import COMMAND, REPORT  # noqa: E402
import rclpy  # noqa: E402
from sensor_msgs.msg import JointState  # noqa: E402
from std_msgs.msg import Float64, Float64MultiArray  # noqa: E402
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint  # noqa: E402

PERIOD_S = 0.02
SETTLED_S = 0.5


class FakeRobot:
    """Publishes in namespace /arm what a controller and its diagnostics would."""

    def __init__(self, peer: Any) -> None:
        self.node, self._diagnostics_node = (
            rclpy.create_node(name, namespace='/arm', context=peer.context)
            for name in ('controller', 'diagnostics')
        )
        peer.executor.add_node(self.node)
        peer.executor.add_node(self._diagnostics_node)
        out = self._diagnostics_node.create_publisher
        self._curves = [
            out(Float64, f'importance/precision_loss_command/{m}', REPORT) for m in ('eye', 'skin')
        ]
        self._other = out(Float64, 'importance/precision_loss_all/eye', REPORT)
        self._matrix = out(Float64MultiArray, 'importance/matrix', REPORT)
        self._diagnostics = out(DiagnosticArray, '/diagnostics', REPORT)
        self._command = self.node.create_publisher(JointState, 'my/own_command', COMMAND)
        self.timer = self.node.create_timer(PERIOD_S, self.publish)

    def publish(self) -> None:
        for nats, curve in enumerate(self._curves, start=1):
            curve.publish(Float64(data=float(nats)))
        self._other.publish(Float64(data=99.0))
        self._command.publish(JointState(name=['a', 'b'], position=[0.5, math.nan]))
        statuses = [
            DiagnosticStatus(
                name='arm/controller: input eye',
                message='known [/]',
                values=[KeyValue(key='age_s', value='0.02')],
            ),
            DiagnosticStatus(name='arm/controller: gate', level=b'\x01', message='holding \u65e5'),
            DiagnosticStatus(name='strange', level=b'\x09'),
        ]
        self._diagnostics.publish(DiagnosticArray(status=statuses))


@pytest.fixture
def watcher(domain: int) -> Iterator[Watcher]:
    it = Watcher('arm')
    yield it
    it.close()


@pytest.fixture
def until(peer: Any, watcher: Watcher) -> Callable[[Callable[[], Any], str], None]:
    """Return what spins both until something is true."""

    def spin(condition: Callable[[], Any], what: str) -> None:
        def step() -> Any:
            watcher.spin(PERIOD_S)
            return condition()

        peer.until(step, what)

    return spin


def complete(watched: Watched) -> bool:
    return bool(watched.command and len(watched.steering) == 2 and len(watched.statuses) == 3)


def test_curves_and_command_are_found_and_heard_without_a_robot_yaml(
    peer: Any, watcher: Watcher, until: Any
):
    FakeRobot(peer)
    watched = watcher.watched
    until(lambda: complete(watched) and watched.namespaces, 'everything')
    assert {n: c.nats for n, c in watched.steering.items()} == {'eye': 1.0, 'skin': 2.0}
    assert watched.namespaces == ('/arm',)
    command = watched.command
    assert command is not None
    assert (command.topic, command.unit, command.names) == (
        '/arm/my/own_command',
        'rad',
        ('a', 'b'),
    )
    assert command.values[0] == 0.5
    assert math.isnan(command.values[1])
    assert watched.statuses['arm/controller: input eye'].values == {'age_s': '0.02'}
    assert watched.statuses['strange'].level is Level.ERROR
    snapshot = take(watched, Place('/arm', {}), command.steady_s, 0.0)
    assert [(s.name, s.share) for s in snapshot.senses] == [('eye', 1 / 3), ('skin', 2 / 3)]
    assert not snapshot.silent


def test_commands_are_counted_while_nobody_spins(peer: Any, watcher: Watcher, until: Any):
    robot = FakeRobot(peer)
    until(lambda: watcher.watched.command, 'a command')
    robot.timer.cancel()
    watcher.spin(SETTLED_S)
    before = len(watcher.watched._commands_s)
    for _ in range(20):
        robot.publish()
    until(lambda: len(watcher.watched._commands_s) == before + 20, 'every command')


def test_a_controller_that_comes_back_with_another_topic_is_found_again(
    peer: Any, watcher: Watcher, until: Any
):
    robot = FakeRobot(peer)
    until(lambda: watcher.watched.command, 'a command')
    peer.executor.remove_node(robot.node)
    robot.node.destroy_node()
    node = rclpy.create_node('controller', namespace='/arm', context=peer.context)
    peer.executor.add_node(node)
    out = node.create_publisher(Float64MultiArray, 'other_command', COMMAND)
    node.create_timer(PERIOD_S, lambda: out.publish(Float64MultiArray(data=[1.0, 2.0])))
    watched = watcher.watched
    until(lambda: watched.command and watched.command.topic == '/arm/other_command', 'it')
    assert watched.command is not None
    assert watched.command.names == ('1', '2')


@pytest.mark.parametrize(
    ('message', 'unit', 'pairs'),
    [
        (Float64MultiArray(data=[1.0]), 'rad', {'1': 1.0}),
        (JointState(name=['a'], velocity=[2.0]), 'rad/s', {'a': 2.0}),
        (JointState(name=['a', 'b'], position=[2.0]), 'rad', {'a': 2.0}),
        (
            JointTrajectory(
                joint_names=['a'], points=[JointTrajectoryPoint(positions=[3.0], velocities=[4.0])]
            ),
            'rad',
            {'a': 3.0},
        ),
        (
            JointTrajectory(joint_names=['a'], points=[JointTrajectoryPoint(velocities=[4.0])]),
            'rad/s',
            {'a': 4.0},
        ),
        (JointTrajectory(joint_names=['a']), 'rad/s', {}),
        (JointState(), 'rad/s', {}),
    ],
)
def test_each_type_of_command_is_read(message: Any, unit: str, pairs: dict[str, float]):
    found, names, values = read_command(message)
    assert found == unit
    assert dict(zip(names, values, strict=True)) == pairs


@pytest.mark.parametrize(
    ('level', 'read'), [(b'\x03', Level.STALE), (b'\xff', Level.ERROR), (b'', Level.ERROR)]
)
def test_a_level_that_does_not_exist_is_an_error(level: bytes, read: Level):
    assert read_level(level) is read


def test_what_cannot_be_a_namespace_is_refused_in_one_line(domain: int):
    with pytest.raises(NamespaceError, match=r"^namespace 'a b' is not valid: [^\n]*$"):
        Watcher('a b')


def top(
    *options: str, env: dict[str, str] | None = None, stdout: int = subprocess.PIPE
) -> subprocess.Popen[str]:
    whole = {k: v for k, v in os.environ.items() if k != '_ROS_WHEELS_BOOTSTRAP_COMPLETE'}
    command = [sys.executable, '-m', 'mmvae_controller.cli.main', 'top', *options]
    return subprocess.Popen(
        command, env=whole | (env or {}), text=True, stdout=stdout, stderr=subprocess.PIPE
    )


def test_top_prints_a_snapshot_of_a_robot_and_none_of_a_silent_one(peer: Any):
    FakeRobot(peer)
    poor = {'FORCE_COLOR': '1', 'PYTHONIOENCODING': 'ascii'}
    shown = top('--namespace', '/arm/', '--once', env=poor)
    silent = top('--namespace', 'leg', '--once')
    peer.until(lambda: None not in (shown.poll(), silent.poll()), 'both to end')
    output, errors = shown.communicate()
    assert shown.returncode == 0, errors
    assert 'WARN   holding ?' in output
    assert '/arm/my/own_command' in output
    assert '\x1b' not in output
    output, errors = silent.communicate()
    assert (silent.returncode, output) == (1, '')
    assert re.match(r'nothing heard for \d+ s in namespace /leg; check: ', errors)
    assert 'importance is published in /arm' in errors
    assert errors.count('\n') == 1


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_top_prints_until_it_is_told_to_leave(peer: Any, number: signal.Signals):
    FakeRobot(peer)
    process = top('--namespace', 'arm', '--json')
    assert process.stdout is not None
    assert process.stdout.readline().startswith('{"unix_s": ')
    process.send_signal(number)
    peer.until(lambda: process.poll() is not None, 'the end')
    _, errors = process.communicate()
    assert (process.returncode, errors) == (130, 'interrupted\n')


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Return the two ends of a terminal: who sits before it, and what runs in it."""
    ends = pty.openpty()
    yield ends
    for end in ends:
        os.close(end)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_top_leaves_a_terminal_as_it_was(
    peer: Any, terminal: tuple[int, int], number: signal.Signals
):
    FakeRobot(peer)
    seat, inside = terminal
    usual = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # As without nohup.
    process = top('--namespace', 'arm', env={'TERM': 'xterm'}, stdout=inside)
    signal.signal(signal.SIGHUP, usual)
    shown = b''

    def read() -> bytes:
        nonlocal shown
        while select.select([seat], [], [], 0)[0]:
            shown += os.read(seat, 65536)
        return shown

    peer.until(lambda: b'holding' in read(), 'the screen')
    assert b'\x1b[?1049h' in shown
    process.send_signal(number)
    peer.until(lambda: read() and process.poll() is not None, 'the end')
    read()
    _, errors = process.communicate()
    assert (process.returncode, errors) == (130, 'interrupted\n')
    assert shown.rindex(b'\x1b[?1049l') > shown.rindex(b'\x1b[?1049h')
    assert shown.rindex(b'\x1b[?25h') > shown.rindex(b'\x1b[?25l')
