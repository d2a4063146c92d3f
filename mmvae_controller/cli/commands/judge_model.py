"""What judges a model: how well it does, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from mmvae_controller.cli.commands.options import (
    ModelArgument,
    RobotOption,
    task_of,
    TaskOption,
)
from mmvae_controller.cli.errors import explained
import typer


def rollout(
    model: ModelArgument,
    task: TaskOption = None,
    robot: RobotOption = None,
    episodes: Annotated[int, typer.Option(min=1, help='How many.')] = 100,
    seed: Annotated[int, typer.Option(min=0, help='Of the first.')] = 10000,
    blind: Annotated[bool, typer.Option(help='Run again with black pictures.')] = True,
    json: Annotated[Path | None, typer.Option(help='Write the result here.')] = None,
) -> None:
    """Run episodes in simulation without ROS, through the same controller as on the robot."""
    with explained():
        from mmvae_controller.cli.rolling import run

        run(model, *task_of(model, task, robot), episodes, seed, blind, json)


def faults(
    model: ModelArgument,
    json: Annotated[Path, typer.Option(help='Result, cell by cell; gone on with if it is there.')],
    task: TaskOption = None,
    robot: RobotOption = None,
    peer: Annotated[
        str | None, typer.Option(help="Folder of `mmvae clone`, or none; else the task's shipped.")
    ] = None,
    episodes: Annotated[int, typer.Option(min=1, help='For each cell and driver.')] = 50,
    seed: Annotated[int, typer.Option(min=0, help='Of the first.')] = 10000,
    faults: Annotated[str | None, typer.Option(help='Some, as A,B; all if not named.')] = None,
    starts: Annotated[
        str | None, typer.Option(help='Of beginning,midway,intermittent; all if not named.')
    ] = None,
    moment: Annotated[float, typer.Option(min=0, help='When midway begins, in s.')] = 0.3,
    processes: Annotated[int, typer.Option(min=1, help='How many simulate at once.')] = 2,
    out: Annotated[Path | None, typer.Option(help='Folder for pictures and a page.')] = None,
) -> None:
    """Let senses fail, silently or with a lie, and count successes and unsafe commands."""
    with explained(goes_on=True):
        from mmvae_controller.cli.faults import Options, run

        run(
            Options(
                model, *task_of(model, task, robot), peer, episodes, seed, faults, starts, moment,
                processes, json, out,
            )
        )  # fmt: skip


def evaluate(
    model: ModelArgument,
    dataset: Annotated[
        str, typer.Option(help='Folder of a data set, icub:FILE, or linear:ROWS[:SEED].')
    ],
    bank: Annotated[
        str | None, typer.Option(help='What it was trained on, for the baselines, if other data.')
    ] = None,
    split: Annotated[
        str | None, typer.Option(help='all, held_out or trained; held_out if there is such.')
    ] = None,
    rows: Annotated[str | None, typer.Option(help='FIRST:END, instead of a split.')] = None,
    steps: Annotated[int, typer.Option(min=0, help='How many steps ahead to predict.')] = 5,
    json: Annotated[Path | None, typer.Option(help='Write the result here.')] = None,
    figures: Annotated[Path | None, typer.Option(help='Folder for pictures of it.')] = None,
) -> None:
    """Measure what a model decodes under each mask: errors, calibration, beside baselines."""
    with explained():
        from mmvae_controller.cli.evaluate import run

        run(model, dataset, bank, split, rows, steps, json, figures)


def importance(
    model: ModelArgument,
    dataset: Annotated[
        str, typer.Option(help='Folder of a data set, icub:FILE, or linear:ROWS[:SEED].')
    ],
    out: Annotated[Path | None, typer.Option(help='Folder for pictures and a page.')] = None,
    json: Annotated[Path | None, typer.Option(help='Write the numbers here.')] = None,
    split: Annotated[
        str | None, typer.Option(help='all, held_out or trained; held_out if there is such.')
    ] = None,
    rows: Annotated[str | None, typer.Option(help='FIRST:END, instead of a split.')] = None,
    latent: Annotated[
        str, typer.Option(help='Decode its mean, as the robot does, or samples of it.')
    ] = 'mean',
    samples: Annotated[int | None, typer.Option(help='How many, an even number; 32.')] = None,
    step: Annotated[str, typer.Option(help='Which of the two is compared: t or t-1.')] = 't',
    phase: Annotated[
        str | None, typer.Option(help='MODALITY:THRESHOLD tells windows apart, as touch:0.5.')
    ] = None,
    average: Annotated[str, typer.Option(help='What is shown: mean or median.')] = 'mean',
    per_dimension: Annotated[
        bool, typer.Option('--per-dimension', help='Every channel; maps of pictures.')
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help='Of samples and intervals.')] = 0,
) -> None:
    """Measure which sense matters how much: to itself, to all others, to the command."""
    with explained():
        from mmvae_controller.cli.importance import Options, run

        options = Options(
            dataset, split, rows, latent, samples, step, phase, average, per_dimension, seed
        )
        run(model, options, json, out)


def study(
    config: Annotated[str, typer.Argument(help='Study YAML, or its name below config/.')],
    out: Annotated[Path, typer.Option(help='Folder of the results; resumed if it has begun.')],
    dataset: Annotated[
        str | None, typer.Option(help='icub:FILE, for studies whose YAML names no data.')
    ] = None,
    reduced: Annotated[bool, typer.Option(help='Train the smaller study of the YAML.')] = False,
    workers: Annotated[int, typer.Option(min=0, help='How many processes train at once.')] = 2,
    only_report: Annotated[
        bool, typer.Option(help='Train nothing: tables and figures of what is there.')
    ] = False,
) -> None:
    """Train and compare many models; an interrupted study goes on when called again."""
    with explained(goes_on=True):
        from mmvae_controller.cli.study import run

        run(config, out, dataset, reduced, workers, only_report)


COMMANDS = (rollout, faults, evaluate, importance, study)
