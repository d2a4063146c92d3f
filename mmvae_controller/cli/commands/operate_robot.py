"""What an operator does to a running robot; each exits with 0 only if the node confirmed it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from mmvae_controller.cli.completing import transitions
from mmvae_controller.cli.errors import CliError, explained
import typer

NamespaceOption = Annotated[str, typer.Option(help='Of the robot.')]


def stop(namespace: NamespaceOption = '') -> None:
    """Have the arm hold, until `mmvae resume`. No emergency stop."""
    with explained():
        from mmvae_controller.cli.operate import stop

        raise typer.Exit(stop(namespace))


def resume(namespace: NamespaceOption = '') -> None:
    """End a stop, or let an arm that let go begin anew: it may move at once."""
    with explained():
        from mmvae_controller.cli.operate import resume

        raise typer.Exit(resume(namespace))


def lifecycle(
    transition: Annotated[
        str | None,
        typer.Argument(
            help='configure, activate, deactivate, cleanup or shutdown; else its state is told.',
            autocompletion=transitions,
        ),
    ] = None,
    namespace: NamespaceOption = '',
) -> None:
    """Configure, activate, deactivate the controller, or tell its state: ros2 lifecycle."""
    with explained():
        from mmvae_controller.cli.transitions import LEADS_TO

        if transition is not None and transition not in LEADS_TO:
            raise CliError(f'no transition {transition!r}, there are {", ".join(LEADS_TO)}')
        from mmvae_controller.cli.operate import lifecycle

        raise typer.Exit(lifecycle(namespace, transition))


def set_parameter(
    node: Annotated[str, typer.Argument(help='Its name, such as simulation.')],
    name: Annotated[str, typer.Argument(help='Of the parameter, such as camera.')],
    value: Annotated[str, typer.Argument(help='As YAML, such as covered.')],
    namespace: NamespaceOption = '',
) -> None:
    """Set a parameter of a running node that may be set while it runs: ros2 param set."""
    with explained():
        from mmvae_controller.cli.operate import set_parameter

        raise typer.Exit(set_parameter(namespace, node, name, value))


COMMANDS = (stop, resume, lifecycle, set_parameter)
# The words of those whose word is another thing in Python.
NAMES: dict[Callable[..., None], str] = {set_parameter: 'set'}
