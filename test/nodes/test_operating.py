"""`mmvae stop`, `resume`, `lifecycle` and `set` beside a running controller, and beside none."""

from __future__ import annotations

from collections.abc import Callable
import os
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from mmvae_controller.cli.main import app  # noqa: E402
from mmvae_controller.cli.up import PROFILE  # noqa: E402
from mmvae_controller.guidance.exit_codes import ExitCode  # noqa: E402
from mmvae_controller.modality.shared_files import find_config  # noqa: E402
from mmvae_controller.nodes import operating  # noqa: E402
from mmvae_controller.nodes.processes import unset_profile_variables  # noqa: E402
from std_msgs.msg import Float64MultiArray  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

MODULE = 'mmvae_controller.nodes.controller'
SPACE = ('--namespace', 'arm')


def mmvae(*words: str) -> tuple[int, str]:
    """Return the exit code of a command, and all that it says."""
    done = CliRunner().invoke(app, [*words, *SPACE])
    return done.exit_code, done.output.strip()


@pytest.fixture
def start(
    program: Any, robot_file: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """Return what starts a controller in a process and a namespace of its own.

    It is found as soon as one that `mmvae up` starts.
    """
    for variable in unset_profile_variables(os.environ):
        monkeypatch.setenv(variable, str(find_config(PROFILE)))

    def begin(**parameters: Any) -> Any:
        given = {'robot_file': robot_file, 'model': model, **parameters}
        words = [word for k, v in given.items() for word in ('-p', f'{k}:={v}')]
        return program(MODULE, '-r', '__ns:=/arm', *words)

    return begin


@pytest.fixture
def arm(start: Callable[..., Any], peer: Any) -> Any:
    """Return one that waits to be told."""
    started = start(autostart='false')
    services = peer.node.create_client(Trigger, '/arm/controller/stop')
    peer.until(services.service_is_ready, 'the controller')
    return started


def test_a_controller_is_taken_through_its_lifecycle_and_says_what_comes_next(arm: Any):
    code, said = mmvae('lifecycle')
    assert code == 0
    assert said == (
        '/arm/controller: unconfigured: nothing is loaded; '
        'next: mmvae lifecycle configure --namespace arm'
    )
    code, said = mmvae('lifecycle', 'activate')
    assert code == 1
    assert 'no activate now; unconfigured' in said
    code, said = mmvae('lifecycle', 'configure')
    assert code == 0
    assert 'inactive: it commands nothing; next: mmvae lifecycle activate' in said
    assert mmvae('lifecycle', 'configure')[0] == 0  # It is there already.
    code, said = mmvae('resume')
    assert code == 1
    assert said.startswith(
        '/arm/controller: not active; inactive: it commands nothing; next: mmvae'
    )
    code, said = mmvae('stop')
    assert (code, said) == (0, '/arm/controller: not active; will hold when activated')
    code, said = mmvae('lifecycle', 'activate')
    assert code == 0
    assert 'active: the arm moves as soon as its senses are there' in said
    assert mmvae('lifecycle', 'deactivate')[0] == 0
    assert mmvae('lifecycle', 'cleanup')[0] == 0
    assert 'unconfigured' in mmvae('lifecycle')[1]


def test_an_arm_that_moves_is_stopped_and_goes_on_when_it_is_resumed(arm: Any, peer: Any):
    commands = peer.listen(Float64MultiArray, 'arm/joint_command')

    def moves() -> bool:
        return len({tuple(c.data) for c in commands[-5:]}) == 5

    def stands() -> bool:
        return len(commands) > 5 and len({tuple(c.data) for c in commands[-5:]}) == 1

    peer.namespaces = ['arm/']
    peer.feel()
    mmvae('lifecycle', 'configure')
    mmvae('lifecycle', 'activate')
    peer.until(moves, 'motion')
    assert mmvae('stop') == (0, '/arm/controller: holding')
    peer.until(stands, 'the hold')
    # On a busy machine the answer may come too late: then it is asked again, as it says.
    told = peer.until(lambda: (answer := mmvae('resume'))[0] == 0 and answer[1], 'the resume')
    assert told == '/arm/controller: resumed'
    peer.until(moves, 'motion again')


def test_a_robot_that_cannot_be_configured_is_told_with_where_to_read_on(
    arm: Any, robot_file: Path
):
    robot_file.write_text('robot: broken', encoding='utf-8')
    code, said = mmvae('lifecycle', 'configure')
    assert code == 1
    assert 'refused to configure, and is unconfigured; its log says why; mmvae explain' in said


def test_a_transition_that_there_is_not_is_refused_with_those_that_there_are():
    code, said = mmvae('lifecycle', 'start')
    assert code == 2
    assert "no transition 'start', there are configure, shutdown, activate" in said


def test_where_there_is_no_controller_the_namespaces_of_others_are_named(
    arm: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(operating, 'FIND_S', 3.5)
    done = CliRunner().invoke(app, ['stop'])
    assert done.exit_code == 1
    assert 'error: no controller was found in namespace / within 3.5 s' in done.output
    assert 'there is one in /arm: give --namespace' in done.output


def test_where_there_is_none_at_all_the_command_says_so(
    domain: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(operating, 'FIND_S', 0.3)
    code, said = mmvae('resume')
    assert code == 1
    assert 'nor in any other: does it run, with this ROS_DOMAIN_ID?' in said


def test_a_stop_that_is_not_answered_is_asked_again_and_a_resume_is_not(peer: Any):
    asked: list[str] = []

    def answer(name: str, told: Trigger.Response) -> Trigger.Response:
        asked.append(name)
        return told

    for name in ('stop', 'resume'):
        peer.node.create_service(
            Trigger, f'arm/controller/{name}', lambda _, told, n=name: answer(n, told)
        )
    for name in ('stop', 'resume'):  # Nobody spins the peer meanwhile.
        code, said = mmvae(name)
        assert code == 1
        assert f'/arm/controller/{name} did not answer within 3 s' in said
    peer.until(lambda: asked.count('resume') == 1 and asked.count('stop') > 3, 'what was asked')


def test_a_parameter_is_set_where_the_node_lets_it_and_else_the_reason_is_told(arm: Any):
    name = 'acceleration_rad_s2'
    assert mmvae('set', 'controller', name, '5.5') == (0, f'/arm/controller: {name} is 5.5')
    code, said = mmvae('set', 'controller', 'model', 'another')
    assert code == 1
    assert 'model is not set: ' in said
    assert 'read-only' in said
    assert mmvae('set', 'controller', name, '{')[0] == 1
    assert "error: '\"' is no value of a parameter" in mmvae('set', 'controller', name, '"')[1]


def test_a_second_controller_is_not_activated_beside_one_that_lives(
    arm: Any, start: Callable[..., Any], peer: Any
):
    mmvae('lifecycle', 'configure')
    mmvae('lifecycle', 'activate')
    second = start()
    peer.until(second.ended, 'its end')
    assert second.process.returncode == ExitCode.REFUSED
    assert 'there is another /arm/controller, and two that command one arm' in second.output
    assert mmvae('lifecycle')[1].startswith('/arm/controller: active')


def test_one_takes_the_place_of_a_controller_that_was_killed(
    arm: Any, start: Callable[..., Any], peer: Any
):
    mmvae('lifecycle', 'configure')
    arm.process.kill()
    arm.process.wait()
    second = start()
    states: list[str] = []

    def active() -> bool:
        states.append(mmvae('lifecycle')[1])
        return 'active: the arm moves' in states[-1]

    peer.until(active, 'its activation')
    assert not second.ended()


def test_a_stop_reaches_every_controller_and_fails_where_there_are_two(
    arm: Any, start: Callable[..., Any], peer: Any
):
    start(autostart='false')
    there = peer.node.get_node_names
    peer.until(lambda: there().count('controller') == 2, 'both')
    code, said = mmvae('stop')
    assert code == 1
    assert 'says one of 2 of that name, and all were asked: end all but one' in said
