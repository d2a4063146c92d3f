"""Several robots in one graph: each obeys its own senses, its own operator and its own clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
import signal
import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402
from mmvae_controller.control.window import NS  # noqa: E402
from mmvae_controller.nodes.controller import ControllerNode  # noqa: E402
from mmvae_controller.nodes.simulation import SimulationNode  # noqa: E402
from mmvae_controller.nodes.wire.messages import stamp_of  # noqa: E402
from mmvae_controller.nodes.wire.qos import CLOCK, SENSOR  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from rosgraph_msgs.msg import Clock  # noqa: E402
from sensor_msgs.msg import JointState  # noqa: E402
from std_msgs.msg import Float64MultiArray  # noqa: E402

SIDES = ('left', 'right')
# Simulated seconds per second: the two times drift apart from the beginning.
FACTORS = {'left': '1.0', 'right': '0.5'}
# A busy machine may make anything late, and between episodes the arm stands.
DEADLINE_S = 120.0


class Arm:
    """What one of the robots says."""

    def __init__(self, peer: Any, side: str) -> None:
        self._peer = peer
        self.commands = peer.listen(Float64MultiArray, f'{side}/joint_command')

    def moves(self, what: str) -> list[float]:
        """Spin until five new commands differ; return how far each joint was sent, in rad."""
        self.commands.clear()

        def seen() -> bool:
            return len({tuple(c.data) for c in self.commands}) >= 5

        self._peer.until(seen, f'commands of {what} that move', DEADLINE_S)
        pairs = zip(self.commands[0].data, self.commands[-1].data, strict=True)
        return [last - first for first, last in pairs]

    def stands(self, what: str) -> None:
        """Spin until three new commands are equal."""
        self.commands.clear()

        def seen() -> bool:
            newest = {tuple(c.data) for c in self.commands[-3:]}
            return len(self.commands) >= 3 and len(newest) == 1

        self._peer.until(seen, f'commands of {what} that stand', DEADLINE_S)


@pytest.fixture
def controllers(peer: Any, robot_file: Path, model: Path, backward_model: Path) -> dict[str, Arm]:
    """Return two controllers in this process; the models want opposite directions."""
    arms = {}
    for side, folder in zip(SIDES, (model, backward_model), strict=True):
        arms[side] = Arm(peer, side)
        given = {'robot_file': str(robot_file), 'model': str(folder)}
        node = ControllerNode(
            context=peer.context,
            namespace=side,
            parameter_overrides=[Parameter(name, value=v) for name, v in given.items()],
        )
        peer.add(node).start()
    return arms


def test_each_robot_moves_by_its_own_senses_and_its_own_model(
    peer: Any, controllers: dict[str, Arm]
):
    left, right = controllers['left'], controllers['right']
    peer.namespaces = [f'{side}/' for side in SIDES]
    peer.silent = {'right/camera/image_raw', 'right/joint_states'}
    peer.feel()
    assert all(joint > 0 for joint in left.moves('left'))
    assert not right.commands
    peer.silent = set()
    assert all(joint < 0 for joint in right.moves('right'))
    peer.silent = {'left/camera/image_raw'}
    left.stands('left')
    assert all(joint < 0 for joint in right.moves('right'))


def test_a_stop_holds_the_robot_that_it_names_and_no_other(peer: Any, controllers: dict[str, Arm]):
    left, right = controllers['left'], controllers['right']
    peer.namespaces = [f'{side}/' for side in SIDES]
    peer.feel()
    left.moves('left')
    assert peer.call('left/controller/stop').success
    left.stands('left')
    right.moves('right')
    assert len({tuple(c.data) for c in left.commands}) == 1
    assert peer.call('left/controller/resume').success
    left.moves('left')


def test_no_two_robots_say_anything_under_one_name_and_neither_misses_the_other(
    peer: Any, controllers: dict[str, Arm]
):
    heard = peer.listen(DiagnosticArray, '/diagnostics')
    peer.namespaces = [f'{side}/' for side in SIDES]
    peer.feel()
    both = {f'{side}/controller: {status}' for side in SIDES for status in ('loop', 'gate')}

    def names() -> set[str]:
        return {s.name for m in heard for s in m.status}

    peer.until(lambda: both <= names(), 'both controllers on /diagnostics')
    assert {name.split('/')[0] for name in names()} == set(SIDES)
    peers = [s for m in heard for s in m.status if s.name.endswith(': peers')]
    assert {s.message for s in peers} == {'hears no other node'}


def test_a_simulation_says_that_another_one_tells_the_time_as_well(peer: Any):
    pytest.importorskip('pybullet')
    heard = peer.listen(DiagnosticArray, '/diagnostics')
    peer.add(SimulationNode(context=peer.context, namespace='left'))

    def said() -> list[str]:
        return [s.message for m in heard for s in m.status if s.name == 'left/simulation: episode']

    peer.until(said, 'the simulation on /diagnostics')
    assert not any('/clock' in message for message in said())
    other = peer.node.create_publisher(Clock, '/clock', CLOCK)
    trouble = '2 publish /clock: time jumps; give each its own, -r /clock:=clock'
    peer.until(lambda: any(trouble in message for message in said()), 'the complaint')
    peer.node.destroy_publisher(other)
    heard.clear()
    peer.until(lambda: said() and '/clock' not in said()[-1], 'the end of it')


@pytest.fixture
def terminal(domain: int, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Return what runs `mmvae` with arguments."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, '-m', 'mmvae_controller.cli.main', *arguments]
        with (tmp_path / f'terminal{len(started)}.txt').open('wb') as log:
            started.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT))
        return started[-1]

    yield start
    for process in started:
        process.terminate()
    for process in started:
        process.wait(DEADLINE_S)


def test_a_simulated_robot_alone_is_there_as_a_real_one_would_be_and_tells_the_time(
    terminal: Any, peer: Any
):
    pytest.importorskip('pybullet')
    clock = peer.listen(Clock, '/clock', CLOCK)
    joints = peer.listen(JointState, 'left/joint_states', SENSOR)
    process = terminal('simulate', 'iiwa_sim', '--namespace', 'left', '--seed', '3')
    peer.until(lambda: clock and joints, 'clock and joints')
    peer.until(lambda: peer.node.count_subscribers('/left/joint_command') == 1, 'who would move')
    assert peer.node.count_publishers('/left/joint_command') == 0
    process.send_signal(signal.SIGINT)
    assert process.wait(DEADLINE_S) == 0


def child(process: subprocess.Popen[bytes], module: str) -> int:
    """Return the process number of a node that `mmvae up` started."""
    tree = Path(f'/proc/{process.pid}/task')
    children = [n for file in tree.glob('*/children') for n in file.read_text().split()]
    (found,) = [n for n in children if module in Path(f'/proc/{n}/cmdline').read_text()]
    return int(found)


@pytest.mark.slow
def test_two_simulated_robots_run_side_by_side_and_one_survives_the_other(
    terminal: Any, peer: Any, iiwa_model: Path
):
    pytest.importorskip('pybullet')
    arms = {side: Arm(peer, side) for side in SIDES}
    clocks = {side: peer.listen(Clock, f'{side}/clock', CLOCK) for side in SIDES}
    joints = {side: peer.listen(JointState, f'{side}/joint_states', SENSOR) for side in SIDES}
    begin = ('up', 'iiwa_sim', '--model', str(iiwa_model), '--simulation')
    running = {
        side: terminal(*begin, '--namespace', side, '--real-time-factor', FACTORS[side])
        for side in SIDES
    }
    for side, arm in arms.items():
        arm.moves(side)
    assert peer.node.count_publishers('/clock') == 0
    # Found in any order: commands may be heard before the simulations that they move.
    simulated = [*clocks.values(), *joints.values()]
    peer.until(lambda: all(simulated), 'clocks and joints of both', DEADLINE_S)
    for side in SIDES:
        times_ns = [stamp_of(c.clock) for c in clocks[side]]
        assert times_ns == sorted(times_ns)
        # A stamp of the other's time would be off by what the two have drifted apart.
        behind_ns = times_ns[-1] - stamp_of(joints[side][-1].header.stamp)
        assert abs(behind_ns) < NS
    peer.call('left/controller/stop')
    arms['left'].stands('left')
    arms['right'].moves('right')

    left = child(running['left'], 'nodes.controller')
    subprocess.run(['kill', f'-{signal.SIGKILL:d}', str(left)], check=True)
    # Those that were started with it leave, and the other robot does not notice.
    assert running['left'].wait(DEADLINE_S) == 1
    arms['right'].moves('right')
    assert running['right'].poll() is None
    peer.until(lambda: not peer.node.count_publishers('/left/joint_states'), 'the end of left')
