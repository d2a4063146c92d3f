"""`mmvae stop`, `resume`, `lifecycle` and `set`: what an operator does without `ros2`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
import sys

from mmvae_controller.cli.transitions import LEADS_TO, lifecycle_command, TRANSITIONS
from mmvae_controller.guidance.exit_codes import ExitCode
from mmvae_controller.guidance.help import explained_by, Help
from mmvae_controller.nodes.operating import CONTROLLER, OperatingError, Operator

REFUSED_BY = {'configure': Help.NOT_CONFIGURED, 'activate': Help.NOT_ACTIVATED}


def stop(namespace: str) -> int:
    """Have the controller hold, and return the exit code: 0 if it says that it does.

    Raises:
        NamespaceError, StartError: The namespace cannot be one; ROS 2 does not start.

    """
    return _ask(namespace, lambda operator: _tell(operator, *operator.stop()))


def resume(namespace: str) -> int:
    """Let the controller go on, and return the exit code: 0 if it says that it does.

    Raises:
        NamespaceError, StartError: The namespace cannot be one; ROS 2 does not start.

    """

    def go_on(operator: Operator) -> int:
        done, said = operator.resume()
        if not done and (state := operator.state()) != 'active':
            said = f'{said}; {_standing(operator, state)}'
        return _tell(operator, done, said)

    return _ask(namespace, go_on)


def lifecycle(namespace: str, transition: str | None) -> int:
    """Take the controller through a transition, or say in which state it is.

    Args:
        namespace: Of the robot.
        transition: One of `LEADS_TO`; None only asks.

    Returns:
        The exit code: 0 if it is where the transition leads, else 1.

    Raises:
        NamespaceError, StartError: The namespace cannot be one; ROS 2 does not start.

    """
    return _ask(namespace, lambda operator: _change(operator, transition))


def set_parameter(namespace: str, node: str, name: str, value: str) -> int:
    """Set a parameter of a running node, and return the exit code: 0 if it says that it is set.

    Raises:
        NamespaceError, StartError: The namespace cannot be one; ROS 2 does not start.

    """

    def put(operator: Operator) -> int:
        done, why_not = operator.set(node, name, value)
        said = f'{name} is {value}' if done else f'{name} is not set: {why_not or "refused"}'
        return _tell(operator, done, said, node)

    return _ask(namespace, put)


def _ask(namespace: str, what: Callable[[Operator], int]) -> int:
    with closing(Operator(namespace)) as operator:
        try:
            return what(operator)
        except OperatingError as error:
            print(f'error: {error}', file=sys.stderr)
            return ExitCode.FAILED


def _tell(operator: Operator, done: bool, said: str, node: str = CONTROLLER) -> int:
    line = f'{operator.namespace.rstrip("/")}/{node}: {said}'
    # Flushed: what follows, leaving the graph, takes longer than the answer did.
    print(line, file=sys.stdout if done else sys.stderr, flush=True)
    return ExitCode.OK if done else ExitCode.FAILED


def _change(operator: Operator, transition: str | None) -> int:
    state = operator.state()
    possible = TRANSITIONS.get(state, {})
    if transition is None or LEADS_TO[transition] == state:
        return _tell(operator, True, _standing(operator, state))
    if transition not in possible:
        return _tell(operator, False, f'no {transition} now; {_standing(operator, state)}')
    done = operator.change(transition)
    state = operator.state()
    if not done or state != possible[transition]:
        refused = f'refused to {transition}, and is {state}; its log says why'
        section = REFUSED_BY.get(transition)
        return _tell(operator, False, explained_by(section, refused) if section else refused)
    return _tell(operator, True, _standing(operator, state))


def _standing(operator: Operator, state: str) -> str:
    """Say in which state the controller is, and which command comes next, if one does."""
    told = {
        'unconfigured': 'nothing is loaded',
        'inactive': 'it commands nothing',
        'active': 'the arm moves as soon as its senses are there, unless it was stopped',
        'finalized': 'it has ended: start it again',
    }
    following = {'unconfigured': 'configure', 'inactive': 'activate', 'active': 'deactivate'}
    line = f'{state}: {told.get(state, "between two states")}'
    if state in following:
        line += f'; next: {lifecycle_command(following[state], operator.namespace)}'
    return line
