"""What runs a robot, simulated or real, and watches it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from mmvae_controller.cli.commands.options import (
    model_of,
    ModelOption,
    RobotArgument,
    RobotOption,
    task_of,
    TaskOption,
)
from mmvae_controller.cli.completing import models, tasks
from mmvae_controller.cli.errors import explained
import typer


def up(
    robot: RobotArgument,
    model: ModelOption = None,
    namespace: Annotated[str, typer.Option(help='Of the robot.')] = '',
    use_sim_time: Annotated[bool, typer.Option(help='Follow /clock.')] = False,
    autostart: Annotated[
        bool, typer.Option(help='Configure and activate: the arm moves once it is sensed.')
    ] = True,
    robot_description: Annotated[
        Path | None, typer.Option(help='URDF: limits for a robot YAML that has none.')
    ] = None,
    acceleration: Annotated[
        float, typer.Option(min=0, help='rad/s^2, of every joint; goes with the URDF.')
    ] = 0.0,
    goal_modality: Annotated[
        str, typer.Option(help='The sense of which ~/goal brings a wanted value.')
    ] = '',
    tracker: Annotated[
        bool, typer.Option(help='Find the marked hand in the pictures of two cameras.')
    ] = False,
    simulation: Annotated[bool, typer.Option(help='Simulate the robot as well.')] = False,
    task: Annotated[
        str | None,
        typer.Option(
            help="Of the simulation; else that of the model's data.", autocompletion=tasks
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help='Of its first episode.')] = 0,
    episodes: Annotated[int, typer.Option(min=0, help='How many; 0 goes on for ever.')] = 0,
    real_time_factor: Annotated[float, typer.Option(min=0.01, help='Of the simulation.')] = 1.0,
    gui: Annotated[bool, typer.Option(help='Show its window.')] = False,
) -> None:
    """Start controller and diagnostics, and the simulation if asked: ros2 launch without ros2."""
    with explained():
        from mmvae_controller.cli.up import Controlled, run, Simulated

        model = model_of(model, robot)
        simulated = None
        if simulation:
            task, _ = task_of(model, task, robot)
            simulated = Simulated(task, seed, episodes, real_time_factor, gui)
        controlled = Controlled(autostart, robot_description, acceleration, goal_modality, tracker)
        raise typer.Exit(run(robot, model, namespace, use_sim_time, simulated, controlled))


def simulate(
    robot: RobotArgument,
    namespace: Annotated[str, typer.Option(help='Of the robot.')] = '',
    task: Annotated[
        str, typer.Option(help='Whose scene stands before it.', autocompletion=tasks)
    ] = 'touch_target',
    seed: Annotated[int, typer.Option(min=0, help='Of the first scene.')] = 0,
    episodes: Annotated[int, typer.Option(min=0, help='How many; 0 goes on for ever.')] = 0,
    real_time_factor: Annotated[float, typer.Option(min=0.01, help='Of simulated time.')] = 1.0,
    gui: Annotated[bool, typer.Option(help='Show its window.')] = False,
) -> None:
    """Simulate a robot alone, on its topics and on /clock, in the place of the real one."""
    with explained():
        from mmvae_controller.cli.up import simulate, Simulated

        simulated = Simulated(task, seed, episodes, real_time_factor, gui)
        raise typer.Exit(simulate(robot, namespace, simulated))


def top(
    namespace: Annotated[str, typer.Option(help='Of the robot.')] = '',
    once: Annotated[bool, typer.Option(help='Print one snapshot; exit with 1 if silent.')] = False,
    json: Annotated[bool, typer.Option(help='A line of JSON for each snapshot.')] = False,
) -> None:
    """Show what a running robot senses, steers by and commands; over ssh, without a display."""
    with explained():
        from mmvae_controller.cli.top import run

        raise typer.Exit(run(namespace, once, json))


def check_robot(
    robot: RobotArgument,
    model: Annotated[
        str | None,
        typer.Option(help='Whether this one fits, folder or name.', autocompletion=models),
    ] = None,
    namespace: Annotated[str, typer.Option(help='Of the robot.')] = '',
    seconds: Annotated[float, typer.Option(min=0.5, max=600, help='How long to listen.')] = 5.0,
    robot_description: Annotated[
        Path | None, typer.Option(help='URDF: limits for a robot YAML that has none.')
    ] = None,
    acceleration: Annotated[
        float, typer.Option(min=0, help='rad/s^2, of every joint; goes with the URDF.')
    ] = 0.0,
    json: Annotated[Path | None, typer.Option(help='Write the findings here.')] = None,
) -> None:
    """Say what of a robot YAML is not there: topics, joints, rates, limits. Moves nothing."""
    with explained():
        from mmvae_controller.cli.check_robot import run

        raise typer.Exit(
            run(robot, model, namespace, seconds, robot_description, acceleration, json)
        )


def demo(
    episodes: Annotated[int, typer.Option(min=1, help='How many.')] = 20,
    seed: Annotated[int, typer.Option(min=0, help='Of the first.')] = 20000,
    out: Annotated[Path, typer.Option(help='Folder of the report.')] = Path('out/demo'),
    model: ModelOption = None,
    robot: RobotOption = None,
    task: TaskOption = None,
    required: Annotated[
        float, typer.Option(min=0, max=1, help='Success rate below which it exits with 1.')
    ] = 0.9,
    real_time_factor: Annotated[float, typer.Option(min=0.01, help='Of the simulation.')] = 1.0,
    gui: Annotated[bool, typer.Option(help='Show its window.')] = False,
    covered: Annotated[
        int | None,
        typer.Option(min=0, help='In so many of the last the camera is covered; a quarter.'),
    ] = None,
) -> None:
    """Run simulation, controller and diagnostics, watch them, and write a report."""
    with explained():
        from mmvae_controller.cli.demo import DemoSettings, run

        model = model_of(model, robot)
        task, robot = task_of(model, task, robot)
        settings = DemoSettings(
            model, robot, task, episodes, seed, required, real_time_factor, gui, out, covered
        )
        raise typer.Exit(run(settings))


COMMANDS = (up, simulate, top, check_robot, demo)
