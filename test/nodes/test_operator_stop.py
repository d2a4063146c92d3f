"""An operator's stop beside a simulation, which holds and goes on between episodes."""

from __future__ import annotations

from collections.abc import Callable
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('pybullet')
pytestmark = pytest.mark.ros

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus  # noqa: E402
from mmvae_controller.control.window import NS  # noqa: E402
from mmvae_controller.nodes.controller import ControllerNode  # noqa: E402
from mmvae_controller.nodes.simulation import Phase, SimulationNode  # noqa: E402
from mmvae_controller.nodes.wire.qos import EPISODES  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from std_msgs.msg import Float64MultiArray  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

# Short, so that some pass in a test; longer than an episode of them plus its hand-over.
LIMIT_S = 0.6
WATCHED_NS = 2 * NS
STOPPED = 'stopped by an operator, until ~/resume (`mmvae resume`)'
ORDERS = 4


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
    pair.watch()
    pair.commands.clear()
    stood_rad, done = pair.arm_rad(), len(pair.episodes)
    pair.watch()
    assert len({tuple(c.data) for c in pair.commands}) <= 1
    assert pair.arm_rad() == pytest.approx(stood_rad, abs=1e-3)
    assert len(pair.episodes) == done
    assert pair.controller._stopped
    waits = f'waiting for the controller to hold: controller/end_episode refuses: {STOPPED}'
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
