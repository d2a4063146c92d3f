"""Options that several commands share, and what holds where they are not given."""

from __future__ import annotations

from typing import Annotated

from mmvae_controller.cli.completing import models, robots, tasks
import typer

TaskOption = Annotated[
    str | None,
    typer.Option(help='What to do; else that of its data.', autocompletion=tasks),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        help='Model folder, or its name; else one of data of the robot.', autocompletion=models
    ),
]
RobotOption = Annotated[
    str | None,
    typer.Option(
        help='Robot YAML, or the name of one; else that of its data.', autocompletion=robots
    ),
]
ModelArgument = Annotated[
    str,
    typer.Argument(help='Model folder, or the name of a shipped one.', autocompletion=models),
]
RobotArgument = Annotated[
    str, typer.Argument(help='Robot YAML, or the name of one.', autocompletion=robots)
]


def model_of(model: str | None, robot: str | None) -> str:
    """Return the model that was named, else one for the robot."""
    from mmvae_controller.cli.defaults import model_for

    return model_for(robot) if model is None else model


def task_of(model: str, task: str | None, robot: str | None) -> tuple[str, str]:
    """Return task and robot: those that were named, else those of the model's data."""
    from mmvae_controller.cli.defaults import task_and_robot

    return task_and_robot(model, task, robot)
