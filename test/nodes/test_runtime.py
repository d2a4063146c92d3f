"""The controller as a program: how it starts, survives and ends."""

from __future__ import annotations

import os
from pathlib import Path
import signal
from typing import Any

import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from lifecycle_msgs.msg import Transition  # noqa: E402
from lifecycle_msgs.srv import ChangeState  # noqa: E402
from mmvae_controller.guidance.exit_codes import ExitCode  # noqa: E402
from mmvae_controller.nodes.runtime import FAILURES_IN_A_ROW, run  # noqa: E402
from mmvae_controller.nodes.signals import handle, Leaving, SIGNALS  # noqa: E402
from rclpy.node import Node  # noqa: E402
from std_msgs.msg import Float64MultiArray  # noqa: E402

CONTROLLER = 'mmvae_controller.nodes.controller'


@pytest.fixture
def moving(peer: Any, program: Any, robot_file: Path, model: Path) -> Any:
    """Return a controller program that moves a robot, and what it commanded."""
    commands = peer.listen(Float64MultiArray, 'joint_command')
    peer.feel()
    it = program(CONTROLLER, '-p', f'robot_file:={robot_file}', '-p', f'model:={model}')
    peer.until(lambda: len({tuple(c.data) for c in commands}) > 3 or it.ended(), 'movement')
    assert not it.ended(), it.output
    return it, commands


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_ends_it_with_a_hold_as_the_last_message(
    peer: Any, moving: Any, number: signal.Signals
):
    it, commands = moving
    it.signal(number)
    peer.until(it.ended, 'the end')
    peer.until(lambda: commands[-1].data == commands[-2].data, 'the hold')
    assert it.wait() == 0
    assert 'Traceback' not in it.output


def test_a_transition_that_is_not_possible_is_survived(peer: Any, moving: Any):
    it, commands = moving
    client = peer.node.create_client(ChangeState, 'controller/change_state')
    peer.until(client.service_is_ready, 'the service')
    answer = client.call_async(
        ChangeState.Request(transition=Transition(id=Transition.TRANSITION_CONFIGURE))
    )
    # Jazzy's rclpy raises and never answers, Kilted's answers no.
    peer.until(lambda: answer.done() or 'a callback failed' in it.output, 'a reaction')
    commands.clear()
    peer.until(lambda: len({tuple(c.data) for c in commands}) > 3, 'movement')
    assert not it.ended()


def test_a_model_that_does_not_fit_is_refused_in_one_line(
    program: Any, robot_file: Path, model: Path
):
    text = robot_file.read_text(encoding='utf-8').replace('[left, right]', '[right, left]')
    robot_file.write_text(text, encoding='utf-8')
    it = program(CONTROLLER, '-p', f'robot_file:={robot_file}', '-p', f'model:={model}')
    assert it.wait() == 2
    lines = it.output.strip().splitlines()
    assert len(lines) == 1
    assert "joints: its channels have to be in this order: ['left', 'right']" in lines[0]


def test_a_robot_is_named_as_on_the_command_line_and_a_misspelt_one_is_asked_about(program: Any):
    names = ('-p', 'robot_file:=iiwa_sin', '-p', 'model:=touch_target')
    it = program(CONTROLLER, *names)
    assert it.wait() == 2
    assert "no robot 'iiwa_sin', is iiwa_sim meant?" in it.output


def test_a_robot_file_that_is_not_given_is_refused_in_one_line(program: Any):
    it = program(CONTROLLER)
    assert it.wait() == 2
    assert it.output.strip().endswith(
        'parameter robot_file is not given; mmvae explain not-configured'
    )


def test_a_parameter_of_the_wrong_type_is_refused_in_one_line(program: Any):
    it = program(CONTROLLER, '-p', 'autostart:=maybe')
    assert it.wait() == 2
    assert 'Traceback' not in it.output
    assert 'autostart' in it.output


class BrokenNode(Node):
    """Fails whenever it does something, and writes down what it is told."""

    def __init__(self) -> None:
        super().__init__('broken')
        self.told: list[str] = []
        self.create_timer(0.01, self._fail)

    def _fail(self) -> None:
        raise RuntimeError('broken on purpose')

    def start(self) -> None:
        self.told.append('start')

    def close(self) -> None:
        self.told.append('close')

    def callback_failed(self, error: Exception) -> None:
        self.told.append(str(error))


@pytest.fixture
def handlers() -> Any:
    """Put the signal handlers of the tests back afterwards."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures('domain', 'handlers')
def test_a_node_that_does_nothing_but_fail_is_told_each_time_and_ended_in_good_order():
    nodes: list[BrokenNode] = []

    def make() -> BrokenNode:
        nodes.append(BrokenNode())
        return nodes[0]

    assert run(make, 'broken', []) == ExitCode.FAILED
    assert nodes[0].told == ['start', *['broken on purpose'] * FAILURES_IN_A_ROW, 'close']


@pytest.mark.usefixtures('domain', 'handlers')
def test_what_was_told_to_leave_while_it_was_built_does_not_start():
    nodes: list[BrokenNode] = []

    def make() -> BrokenNode:
        nodes.append(BrokenNode())
        os.kill(os.getpid(), signal.SIGTERM)
        return nodes[0]

    assert run(make, 'broken', []) == ExitCode.OK
    assert nodes[0].told == ['close']


@pytest.mark.usefixtures('handlers')
def test_what_nohup_started_outlives_its_terminal():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert signal.SIGHUP not in handle(lambda number, frame: None)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_who_no_longer_waits_to_be_told_to_leave_puts_back_what_signals_did():
    before = [signal.getsignal(number) for number in SIGNALS]
    told: list[bool] = []
    with Leaving(lambda: told.append(True)) as leaving:
        assert not leaving.asked
        os.kill(os.getpid(), signal.SIGTERM)
        assert leaving.asked
    assert told == [True]
    assert [signal.getsignal(number) for number in SIGNALS] == before
