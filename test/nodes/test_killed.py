"""kill -9 of one process: what the others say, that the arm holds, and that all goes on after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import signal
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('pybullet')
pytestmark = [pytest.mark.ros, pytest.mark.slow]

from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402
from mmvae_controller.nodes.wire.qos import COMMAND, REPORT, SENSOR  # noqa: E402
from sensor_msgs.msg import JointState  # noqa: E402
from std_msgs.msg import Float64MultiArray  # noqa: E402

OK, WARN, ERROR, STALE = range(4)
ROOM = 'mmvae_controller.nodes'
# The set-point may go on for so many ticks: they were under way when the process was killed.
TICKS = 2
# Of the small robot: its required camera counts as seen for so many ticks after the last picture.
TICKS_SEEN = round(0.3 * 50)
PATIENCE_S = 120.0
DRAINED_S = 0.3
WATCHED_S = 1.0
STILL_RAD = 0.002
JUMP_RAD = 0.05
# A busy machine may make anything late, which is another matter, and trouble is shown for longer.
WELL = {'controller: gate': 'pass', 'controller: input camera': 'known', 'diagnostics: model': ''}
DRIVER = """
import numpy as np
import rclpy
from mmvae_controller.nodes.wire.messages import image_message
from mmvae_controller.nodes.wire.qos import SENSOR
from sensor_msgs.msg import Image

rclpy.init()
node = rclpy.create_node('camera_driver')
out = node.create_publisher(Image, 'camera/image_raw', SENSOR)
picture = image_message(np.full((4, 6, 3), 7, dtype=np.uint8), 'rgb8', 0, 'camera')
node.create_timer(0.02, lambda: out.publish(picture))
rclpy.spin(node)
"""


class Heard:
    """Everything of a topic as rows, with the steady time at which it came."""

    def __init__(self, peer: Any, kind: type, topic: str, qos: Any, read: Any) -> None:
        self.all: list[tuple[float, Any]] = []
        peer.node.create_subscription(
            kind, topic, lambda m: self.all.append((time.monotonic(), read(m))), qos
        )

    def since(self, moment_s: float) -> list[Any]:
        return [row for s, row in self.all if s >= moment_s]

    def path(self, moment_s: float) -> NDArray[np.float64]:
        """Return what came since a moment, after the last that came before it, `(T, D)`."""
        before = [row for s, row in self.all if s < moment_s]
        return np.array([*before[-1:], *self.since(moment_s)])


class Living:
    """A robot's nodes as processes, each of which may be killed and started again."""

    def __init__(self, peer: Any, program: Callable[..., Any]) -> None:
        self.peer = peer
        self._program = program
        self._arguments: dict[str, tuple[str, ...]] = {}
        self._running: dict[str, Any] = {}
        self.commands = Heard(
            peer, Float64MultiArray, 'joint_command', COMMAND, lambda m: tuple(m.data)
        )
        self.joints = Heard(peer, JointState, 'joint_states', SENSOR, lambda m: tuple(m.position))
        self.told = Heard(peer, DiagnosticArray, '/diagnostics', REPORT, lambda m: m.status)

    def start(self, module: str, **parameters: object) -> None:
        pairs = ((n, str(v).lower() if v is True else v) for n, v in parameters.items())
        self._arguments[module] = tuple(a for n, v in pairs for a in ('-p', f'{n}:={v}'))
        self.restart(module)

    def restart(self, module: str) -> None:
        self._running[module] = self._program(module, *self._arguments[module])

    def kill(self, module: str) -> float:
        """Return when it was killed, all that it said before being read."""
        self.spin(0.0)
        killed_s = time.monotonic()
        self._running[module].signal(signal.SIGKILL)
        assert self._running[module].wait() == -signal.SIGKILL
        return killed_s

    def spin(self, duration_s: float) -> None:
        end_s = time.monotonic() + duration_s
        self.peer.until(lambda: time.monotonic() >= end_s, 'time')

    def until_said(self, name: str, text: str, levels: set[int], since_s: float) -> float:
        """Return how long after a moment a status first said so."""

        def found() -> float | None:
            for came_s, statuses in self.told.all:
                for s in statuses if came_s >= since_s else ():
                    if s.name == name and s.level[0] in levels and text in s.message:
                        return came_s
            return None

        return self.peer.until(found, f'{name} to say {text!r} at {levels}', PATIENCE_S) - since_s

    def until_well(self, *names: str) -> float:
        """Return how long it took until all of it was well, and the arm moved again."""
        began_s = time.monotonic()
        for name in names:
            self.until_said(name, WELL.get(name, 'hears'), {OK, WARN}, began_s)
        self.peer.until(lambda: moves(self.commands.path(began_s)) > 5, 'commands that move')
        return time.monotonic() - began_s

    def until_left(self, module: str, *others: str) -> None:
        """End a node as an operator does, and spin until the others have taken leave of it."""
        name = module.rpartition('.')[2]
        self._running[module].signal(signal.SIGTERM)
        for other in others:
            self.peer.until(
                lambda o=other: self.value(f'{o}: peers', name) == 'left', f'{name} left {other}'
            )
            assert 'silent' not in self.newest(f'{other}: peers').message
        assert self._running[module].wait() == 0

    def newest(self, name: str) -> Any:
        return [s for row in self.told.since(0) for s in row if s.name == name][-1]

    def value(self, name: str, key: str) -> str:
        """Return a value of the newest status of that name."""
        return next(v.value for v in self.newest(name).values if v.key == key)


def moves(path: NDArray[np.float64]) -> int:
    """Return how often one row differs from the one before."""
    return int(np.any(np.diff(path, axis=0) != 0, axis=1).sum())


@pytest.fixture
def living(peer: Any, program: Callable[..., Any]) -> Living:
    return Living(peer, program)


@pytest.fixture
def demo(living: Living, iiwa_file: Path, iiwa_model: Path) -> Living:
    """Return the three nodes of a simulated robot, all well and the arm moving."""
    clock = {'use_sim_time': True}
    living.start(f'{ROOM}.simulation')
    living.start(f'{ROOM}.diagnostics', model=iiwa_model, **clock)
    living.start(f'{ROOM}.controller', robot_file=iiwa_file, model=iiwa_model, **clock)
    # Nobody misses whom he never heard.
    for node, others in (
        ('controller', 'diagnostics, simulation'),
        ('diagnostics', 'controller, simulation'),
        ('simulation', 'controller, diagnostics'),
    ):
        living.until_said(f'{node}: peers', f'hears {others}', {OK}, 0.0)
    living.until_well(*WELL)
    return living


def test_a_controller_that_is_killed_leaves_a_still_arm_and_takes_it_up_again(demo: Living):
    killed_s = demo.kill(f'{ROOM}.controller')
    said_s = {
        'diagnostics: model': demo.until_said('diagnostics: model', 'no obs', {STALE}, killed_s),
        **{
            f'{node}: peers': demo.until_said(
                f'{node}: peers', 'controller silent for', {WARN}, killed_s
            )
            for node in ('simulation', 'diagnostics')
        },
    }
    assert moves(demo.commands.path(killed_s)) <= TICKS
    assert demo.commands.since(killed_s + DRAINED_S) == []
    # It has come to the last set-point, and stays there.
    still = np.array(demo.joints.since(time.monotonic() - WATCHED_S))
    assert np.ptp(still, axis=0).max() < STILL_RAD
    last = demo.commands.all[-1][1]
    assert np.abs(still[-1] - last).max() < JUMP_RAD

    episode = int(demo.value('simulation: episode', 'episode'))
    restarted_s = time.monotonic()
    demo.restart(f'{ROOM}.controller')
    demo.peer.until(lambda: demo.commands.since(restarted_s), 'a command')
    # From where the arm is: that may be a new posture, if the episode was over meanwhile.
    first, there = (np.array(heard.all[-1][1]) for heard in (demo.commands, demo.joints))
    assert np.abs(first - there).max() < JUMP_RAD
    demo.until_well(*WELL, 'simulation: peers', 'diagnostics: peers')
    assert int(demo.value('simulation: episode', 'episode')) >= episode
    print('controller killed:', said_s, 'back after', time.monotonic() - restarted_s)
    demo.until_left(f'{ROOM}.controller', 'simulation', 'diagnostics')


def test_a_simulation_that_is_killed_makes_the_set_point_stand_and_begins_anew(demo: Living):
    killed_s = demo.kill(f'{ROOM}.simulation')
    said_s = {
        'controller: loop': demo.until_said('controller: loop', 'no tick', {ERROR}, killed_s),
        **{
            f'{node}: peers': demo.until_said(
                f'{node}: peers', 'simulation silent for', {WARN}, killed_s
            )
            for node in ('controller', 'diagnostics')
        },
    }
    assert moves(demo.commands.path(killed_s)) <= TICKS
    # The watchdog repeats it.
    assert len(demo.commands.since(killed_s + DRAINED_S)) > 2

    restarted_s = time.monotonic()
    demo.restart(f'{ROOM}.simulation')
    demo.peer.until(lambda: demo.joints.since(restarted_s), 'joints')
    demo.until_well(*WELL, 'controller: peers', 'diagnostics: peers')
    print('simulation killed:', said_s, 'back after', time.monotonic() - restarted_s)
    demo.until_left(f'{ROOM}.simulation', 'controller', 'diagnostics')


def test_a_diagnostics_node_that_is_killed_harms_no_command_and_is_missed(demo: Living):
    killed_s = demo.kill(f'{ROOM}.diagnostics')
    said_s = {
        f'{node}: peers': demo.until_said(
            f'{node}: peers', 'diagnostics silent for', {WARN}, killed_s
        )
        for node in ('controller', 'simulation')
    }
    assert moves(demo.commands.path(killed_s)) > 5
    restarted_s = time.monotonic()
    demo.restart(f'{ROOM}.diagnostics')
    demo.until_well(*WELL, 'controller: peers', 'simulation: peers')
    print('diagnostics killed:', said_s, 'back after', time.monotonic() - restarted_s)
    demo.until_left(f'{ROOM}.diagnostics', 'controller', 'simulation')


def test_a_sensor_driver_that_is_killed_makes_the_arm_hold_until_it_is_back(
    living: Living, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, robot_file: Path, model: Path
):
    (tmp_path / 'camera_driver.py').write_text(DRIVER, encoding='utf-8')
    monkeypatch.setenv('PYTHONPATH', str(tmp_path), prepend=':')
    living.peer.silent = {'camera/image_raw'}
    living.peer.feel()
    living.start('camera_driver')
    living.start(f'{ROOM}.controller', robot_file=robot_file, model=model)
    living.until_well(*list(WELL)[:2])

    killed_s = living.kill('camera_driver')
    said_s = {
        'controller: gate': living.until_said('controller: gate', 'camera', {WARN}, killed_s),
        'controller: input camera': living.until_said(
            'controller: input camera', 'masked', {WARN}, killed_s
        ),
    }
    living.spin(WATCHED_S)
    assert moves(living.commands.path(killed_s)) <= TICKS_SEEN + TICKS
    assert len(living.commands.since(killed_s + max(said_s.values()))) > 2

    restarted_s = time.monotonic()
    living.restart('camera_driver')
    living.until_well(*list(WELL)[:2])
    print('driver killed:', said_s, 'back after', time.monotonic() - restarted_s)
