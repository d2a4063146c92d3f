"""The `mmvae` command; each sub-command imports what it needs when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

from mmvae_controller import __version__
from mmvae_controller.cli.errors import explained
import typer

app = typer.Typer(
    name='mmvae', no_args_is_help=True, pretty_exceptions_enable=False,
    help='A multimodal VAE that sees, feels and moves: collect, train, roll out, run.',
)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


@app.command()
def collect(
    out: Annotated[Path, typer.Option(help='Folder of the data set; resumed if it has begun.')],
    robot: Annotated[str, typer.Option(help='Robot YAML, or the name of one.')] = 'iiwa_sim',
    task: Annotated[str, typer.Option(help='What to demonstrate.')] = 'touch_target',
    episodes: Annotated[int, typer.Option(min=1, help='How many demonstrations.')] = 600,
    seed: Annotated[int, typer.Option(min=0, help='Of the first; the next has seed + 1.')] = 10**6,
    processes: Annotated[int, typer.Option(min=1, help='How many simulate at once.')] = 2,
) -> None:
    """Let the noisy expert demonstrate a task in simulation and record what the robot senses."""
    with explained():
        from mmvae_controller.cli.collecting import run

        run(out, robot, task, episodes, seed, processes)


@app.command()
def train(
    dataset: Annotated[Path, typer.Option(help='Folder of the data set.')],
    out: Annotated[Path, typer.Option(help='Folder of the model; resumed if it has begun.')],
    config: Annotated[
        str, typer.Option(help='Training YAML, or its name below config/.')
    ] = 'train/touch_target.yaml',
    epochs: Annotated[Optional[int], typer.Option(min=1, help='Instead of the YAML\'s.')] = None,
    seed: Annotated[Optional[int], typer.Option(min=0, help='Instead of the YAML\'s.')] = None,
) -> None:
    """Train a model; an interrupted run goes on where it was when called again."""
    with explained():
        from mmvae_controller.cli.train import run

        run(dataset, out, config, epochs, seed)


@app.command()
def rollout(
    model: Annotated[str, typer.Argument(help='Model folder, or the name of a shipped one.')],
    task: Annotated[str, typer.Option(help='What to do.')] = 'touch_target',
    robot: Annotated[str, typer.Option(help='Robot YAML, or the name of one.')] = 'iiwa_sim',
    episodes: Annotated[int, typer.Option(min=1, help='How many.')] = 100,
    seed: Annotated[int, typer.Option(min=0, help='Of the first.')] = 10000,
    blind: Annotated[bool, typer.Option(help='Run again with black pictures.')] = True,
    json: Annotated[Optional[Path], typer.Option(help='Write the result here.')] = None,
) -> None:
    """Run episodes in simulation without ROS, through the same controller as on the robot."""
    with explained():
        from mmvae_controller.cli.rolling import run

        run(model, task, robot, episodes, seed, blind, json)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == '__main__':
    main()
