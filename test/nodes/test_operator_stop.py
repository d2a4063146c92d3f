"""An operator's stop beside a simulation, which holds and goes on between episodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import itertools
from pathlib import Path
import time
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('pybullet')
pytestmark = pytest.mark.ros

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus  # noqa: E402
from lifecycle_msgs.srv import ChangeState  # noqa: E402
from mmvae_controller.control.window import NS  # noqa: E402
from mmvae_controller.nodes.controller import ControllerNode  # noqa: E402
from mmvae_controller.nodes.holds import OLD_S  # noqa: E402
from mmvae_controller.nodes.runtime import executor_of  # noqa: E402
from mmvae_controller.nodes.simulation import Phase, SimulationNode  # noqa: E402
from mmvae_controller.nodes.wire.qos import EPISODES  # noqa: E402
from rclpy.impl.rcutils_logger import RcutilsLogger  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from std_msgs.msg import Float64MultiArray  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

# Short, so that some pass in a test; longer than an episode of them plus its hand-over.
LIMIT_S = 0.6
WATCHED_NS = 2 * NS
STOPPED = 'stopped by an operator, until ~/resume (`mmvae resume`)'
ORDERS = 4
TRIES = 4
ANSWERED_S = 5.0


def ask(node: ControllerNode, service: str) -> Trigger.Response:
    """Have a service answer now, between two callbacks of everything else."""
    handler = getattr(node, f'_on_{service}')
    answer: Trigger.Response = handler(Trigger.Request(), Trigger.Response())
    return answer


class Pair:
    """A controller that always wants to move, and a simulation with short episodes."""

    def __init__(self, peer: Any, robot_file: Path, model: Path) -> None:
        self.peer = peer
        self.commands = peer.listen(Float64MultiArray, 'joint_command')
        self.episodes = peer.listen(DiagnosticStatus, 'simulation/episode', EPISODES)
        self.diagnostics = peer.listen(DiagnosticArray, '/diagnostics')
        self.simulation = self._add(SimulationNode)
        self.simulation._simulator.task.time_limit_s = LIMIT_S
        given = {'robot_file': str(robot_file), 'model': str(model), 'use_sim_time': True}
        self.controller = self._add(ControllerNode, **given)

    def _add(self, kind: type, **parameters: Any) -> Any:
        overrides = [Parameter(name, value=value) for name, value in parameters.items()]
        return self.peer.add(kind(context=self.peer.context, parameter_overrides=overrides))

    def until_phase(self, phase: Phase) -> None:
        self.peer.until(lambda: self.simulation._phase is phase, phase)

    def until_moving(self) -> None:
        self.commands.clear()
        self.peer.until(lambda: len({tuple(c.data) for c in self.commands}) > 5, 'motion')

    def said(self, name: str) -> str:
        """Return the newest message of a status."""
        found = [s.message for m in self.diagnostics for s in m.status if s.name == name]
        return found[-1] if found else ''

    def watch(self) -> None:
        """Let more time pass than an episode and its hand-over take."""
        until_ns = self.simulation._simulator.time_ns + WATCHED_NS
        self.peer.until(lambda: self.simulation._simulator.time_ns > until_ns, 'time')

    def arm_rad(self) -> np.ndarray:
        """Return where the simulated arm is."""
        position_rad, _ = self.simulation._simulator.arm.state()
        return np.asarray(position_rad)


@pytest.fixture
def pair(peer: Any, iiwa_file: Path, iiwa_model: Path) -> Pair:
    return Pair(peer, iiwa_file, iiwa_model)


@pytest.fixture
def controller(peer: Any, robot_file: Path, model: Path) -> Callable[..., ControllerNode]:
    """Return what builds a controller whose services are asked by hand."""

    def build(**parameters: Any) -> ControllerNode:
        given = {'robot_file': str(robot_file), 'model': str(model), **parameters}
        overrides = [Parameter(name, value=value) for name, value in given.items()]
        node = peer.add(ControllerNode(context=peer.context, parameter_overrides=overrides))
        node.trigger_configure()
        return node

    return build


@pytest.mark.parametrize(
    'phase', [p for p in Phase if p is not Phase.FINISHED], ids=lambda phase: phase.name.lower()
)
def test_a_stop_lasts_until_it_is_resumed_whatever_the_simulation_waits_for(
    pair: Pair, phase: Phase
):
    pair.controller.start()
    pair.until_moving()
    pair.peer.until(lambda: pair.episodes, 'an episode')
    pair.until_phase(phase)
    assert ask(pair.controller, 'stop').success
    pair.peer.until(lambda: pair.simulation._phase is Phase.ENDING, 'the end of the episode')
    waits = f'waiting for the controller to hold: controller/end_episode refuses: {STOPPED}'
    pair.peer.until(lambda: waits in pair.said('simulation: episode'), waits)
    pair.commands.clear()
    stood_rad, done = pair.arm_rad(), len(pair.episodes)
    pair.watch()
    assert len({tuple(c.data) for c in pair.commands}) <= 1
    assert pair.arm_rad() == pytest.approx(stood_rad, abs=1e-3)
    assert len(pair.episodes) == done
    assert pair.controller._holds.stopped
    assert waits in pair.said('simulation: episode')
    answer = pair.peer.call('controller/resume')
    assert (answer.success, answer.message) == (
        True,
        'resumed; holds until the next episode begins',
    )
    pair.peer.until(lambda: len(pair.episodes) > done, 'the next episode')
    pair.until_moving()


def test_while_it_is_stopped_the_scene_stays_as_the_operator_saw_it(pair: Pair):
    pair.controller.start()
    pair.until_phase(Phase.RUNNING)
    resets: list[int] = []
    reset = pair.simulation._simulator.reset
    pair.simulation._simulator.reset = lambda seed, waiting: (resets.append(seed), reset(seed))
    ask(pair.controller, 'stop')
    pair.watch()
    assert resets == []
    assert 'let go' not in pair.said('controller: gate')
    ask(pair.controller, 'resume')
    pair.peer.until(lambda: resets, 'the next scene')


def test_a_scene_that_is_reset_under_a_hold_is_no_arm_that_was_let_go(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
):
    told: list[str] = []
    monkeypatch.setattr(RcutilsLogger, 'warning', lambda _, message, **more: told.append(message))
    pair.controller.start()
    pair.peer.until(lambda: len(pair.episodes) > 3, 'some episodes')
    assert not [message for message in told if 'let go' in message]


def test_an_arm_that_let_go_in_one_episode_goes_on_in_the_next(pair: Pair):
    pair.controller.start()
    pair.until_phase(Phase.RUNNING)
    pair.controller._session.control._stopped = True
    pair.controller._session.control._let_go = 'let go until resumed'
    done = len(pair.episodes)
    pair.peer.until(lambda: len(pair.episodes) > done, 'its end')
    pair.until_phase(Phase.RUNNING)
    pair.until_moving()


def test_a_controller_that_is_not_active_yet_is_waited_for_and_begins_with_a_reset_scene(
    pair: Pair,
):
    pair.peer.until(
        lambda: 'controller/end_episode refuses: not active' in pair.said('simulation: episode'),
        'the reason',
    )
    pair.controller.start()
    assert pair.controller._session.control.stopped
    pair.until_phase(Phase.RUNNING)
    pair.until_moving()


def test_in_whatever_order_they_are_asked_only_a_resume_ends_a_stop(
    controller: Callable[..., ControllerNode],
):
    node = controller(use_sim_time=True)
    node.trigger_activate()
    for order in itertools.product(
        ('stop', 'resume', 'end_episode', 'begin_episode', 'deactivate', 'activate'),
        repeat=ORDERS,
    ):
        node.trigger_deactivate()
        node.trigger_activate()
        ask(node, 'begin_episode')
        ask(node, 'resume')
        ask(node, 'begin_episode')
        active, stopped, between = True, False, False
        assert not node._session.control.stopped
        for one in order:
            if one in ('deactivate', 'activate'):
                if active != (one == 'activate'):
                    getattr(node, f'trigger_{one}')()
                active = one == 'activate'
                continue
            told = ask(node, one)
            granted = {
                'stop': True,
                'resume': active,
                'end_episode': active and not stopped,
                'begin_episode': active and not stopped and between,
            }[one]
            assert told.success == granted, (order, one, told.message)
            assert told.message
            stopped = one == 'stop' or (stopped and not (one == 'resume' and granted))
            between = one == 'end_episode' or (
                between and not (one == 'begin_episode' and granted)
            )
            if active:
                assert node._session.control.stopped == (stopped or between), (order, one)
        if active:
            assert node._session.control.stopped == (stopped or between), order
        if not active:
            node.trigger_activate()


@pytest.fixture
def moving(controller: Callable[..., ControllerNode]) -> ControllerNode:
    """Return a controller that is active, and spun by its own executor."""
    node = controller()
    node.trigger_activate()
    return node


class Operators:
    """Two who ask a controller, which is spun by hand meanwhile."""

    def __init__(self, peer: Any, node: ControllerNode) -> None:
        # Away from the peer's executor: this one serves stops before all else.
        peer.executor.remove_node(node)
        self._executor = executor_of(node)
        self._clients = {
            name: peer.node.create_client(Trigger, f'controller/{name}')
            for name in ('stop', 'resume')
        }
        self._peer = peer
        for client in self._clients.values():
            peer.until(client.service_is_ready, 'the services')

    def ask(self, name: str) -> Any:
        """Ask, and do not wait."""
        return self._clients[name].call_async(Trigger.Request())

    def spin(self, duration_s: float, *awaited: Any) -> None:
        """Let the controller do its work, until it has answered."""
        until_s = time.monotonic() + duration_s
        while time.monotonic() < until_s and not (awaited and all(a.done() for a in awaited)):
            self._executor.spin_once(timeout_sec=0.002)
            self._peer.executor.spin_once(timeout_sec=0.0)

    def call(self, name: str) -> Any:
        """Ask, and wait for the answer."""
        asked = self.ask(name)
        self.spin(ANSWERED_S, asked)
        return asked.result()

    def close(self) -> None:
        self._executor.shutdown()


@pytest.fixture
def operators(peer: Any, moving: ControllerNode) -> Iterator[Operators]:
    made = Operators(peer, moving)
    yield made
    made.close()


@pytest.mark.parametrize('later_s', [0.0, 0.01, 0.02, 0.03, 0.04])
def test_a_resume_that_was_asked_before_a_stop_does_not_undo_it(
    operators: Operators, moving: ControllerNode, later_s: float
):
    for _ in range(TRIES):
        assert operators.call('stop').success
        resumed = operators.ask('resume')
        operators.spin(later_s)
        stopped = operators.ask('stop')
        operators.spin(ANSWERED_S, resumed, stopped)
        assert stopped.result().success
        assert moving._holds.stopped
        assert moving._session.control.stopped


def test_a_resume_right_after_a_stop_was_confirmed_is_granted(
    operators: Operators, moving: ControllerNode
):
    for _ in range(TRIES):
        assert operators.call('stop').success
        assert operators.call('resume').success
        assert not moving._session.control.stopped


def test_a_resume_that_waited_while_the_controller_stood_still_is_refused(
    operators: Operators, moving: ControllerNode
):
    assert operators.call('stop').success
    resumed = operators.ask('resume')
    time.sleep(OLD_S + 0.2)
    operators.spin(ANSWERED_S, resumed)
    assert not resumed.result().success
    assert 's old, for so long the controller stood: ask again' in resumed.result().message
    assert moving._session.control.stopped
    assert operators.call('resume').success


def test_an_activation_that_waited_while_the_controller_stood_still_is_refused(
    peer: Any, controller: Callable[..., ControllerNode]
):
    node = controller()
    peer.executor.remove_node(node)
    executor = executor_of(node)
    client = peer.node.create_client(ChangeState, 'controller/change_state')
    peer.until(client.service_is_ready, 'the service')
    request = ChangeState.Request()
    request.transition.label = 'activate'
    executor.spin_once(timeout_sec=0.0)
    for stood_s, granted in ((OLD_S + 0.2, False), (0.0, True)):
        asked = client.call_async(request)
        time.sleep(stood_s)
        until_s = time.monotonic() + ANSWERED_S
        while not asked.done() and time.monotonic() < until_s:
            executor.spin_once(timeout_sec=0.01)
            peer.executor.spin_once(timeout_sec=0.0)
        assert asked.result().success == granted
        assert (node._session is not None) == granted
    executor.shutdown()


def test_a_controller_of_a_real_robot_lets_no_simulation_hold_it_or_go_on(
    controller: Callable[..., ControllerNode],
):
    node = controller()
    node.trigger_activate()
    for service in ('end_episode', 'begin_episode'):
        assert not ask(node, service).success
    assert 'not on simulated time' in ask(node, 'end_episode').message
    assert not node._session.control.stopped
    node._session.control._stopped, node._session.control._let_go = True, 'let go'
    ask(node, 'end_episode')
    ask(node, 'begin_episode')
    assert node._session.control.stopped
