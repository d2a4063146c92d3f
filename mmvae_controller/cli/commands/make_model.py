"""What makes a model: data, and training on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from mmvae_controller.cli.commands.options import (
    ModelArgument,
    RobotOption,
    task_of,
    TaskOption,
)
from mmvae_controller.cli.completing import robots, tasks
from mmvae_controller.cli.errors import explained
import typer


def collect(
    out: Annotated[Path, typer.Option(help='Folder of the data set; resumed if it has begun.')],
    robot: Annotated[
        str | None,
        typer.Option(
            help='Robot YAML, or the name of one; iiwa_sim, or that of the learner.',
            autocompletion=robots,
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            help='What to demonstrate; touch_target, or what the learner was shown.',
            autocompletion=tasks,
        ),
    ] = None,
    episodes: Annotated[int, typer.Option(min=1, help='How many demonstrations.')] = 1200,
    seed: Annotated[
        int, typer.Option(min=0, help='Of the first; with a learner, not those it learnt from.')
    ] = 10**6,
    processes: Annotated[int, typer.Option(min=1, help='How many simulate at once.')] = 2,
    learner: Annotated[
        str, typer.Option(help='Model that drives, losing senses, in two of five episodes.')
    ] = '',
    bag: Annotated[
        bool, typer.Option('--bag', help='Write a bag, for import-bag; one process, an expert.')
    ] = False,
    zstd: Annotated[bool, typer.Option('--zstd', help='Compress the bag.')] = False,
) -> None:
    """Let a noisy expert or a learner do a task in simulation; record what is sensed and right."""
    with explained(goes_on=not bag):
        task, robot = task_of(learner, task, robot)
        if bag:
            from mmvae_controller.cli.collecting_bag import run as run_bag

            run_bag(out, robot, task, episodes, seed, zstd, learner)
            return
        from mmvae_controller.cli.collecting import run

        run(out, robot, task, episodes, seed, processes, learner)


def record(
    robot: Annotated[str, typer.Option(help='Robot YAML, or the name of one.')],
    out: Annotated[Path, typer.Option(help='Folder of the new bag.')],
    namespace: Annotated[str, typer.Option(help='Of the robot.')] = '',
    remap: Annotated[
        list[str] | None, typer.Option(help='FROM:=TO, as for the nodes; any.')
    ] = None,
    also: Annotated[
        list[str] | None, typer.Option(help='Another topic, such as a label topic; any.')
    ] = None,
    observation: Annotated[
        bool, typer.Option('--observation', help='Also what its controller observes.')
    ] = False,
    zstd: Annotated[bool, typer.Option('--zstd', help='Compress.')] = False,
    duration: Annotated[float | None, typer.Option(min=0.1, help='s; else until Ctrl+C.')] = None,
) -> None:
    """Record the senses and the command of a robot, without `ros2 bag`; Ctrl+C completes it."""
    with explained():
        from mmvae_controller.cli.record import Options, run

        raise typer.Exit(
            run(
                Options(
                    robot, out, namespace, remap or [], also or [], observation, zstd, duration
                )
            )
        )


def import_bag(
    bags: Annotated[
        list[Path], typer.Argument(metavar='BAG...', help='Folders or files: MCAP or SQLite.')
    ],
    robot: Annotated[str, typer.Option(help='Robot YAML, or the name of one.')],
    out: Annotated[
        Path | None, typer.Option(help='Folder of the new data set; not with --dry-run.')
    ] = None,
    namespace: Annotated[str, typer.Option(help='Of the robot when it was recorded.')] = '',
    remap: Annotated[
        list[str] | None,
        typer.Option(help='FROM:=TO: a topic of the YAML in the bag; any.'),
    ] = None,
    command_topic: Annotated[
        str, typer.Option(help='The set-points that were sent; else as the YAML says.')
    ] = '',
    label_topic: Annotated[
        str, typer.Option(help='What was wanted, if that is not what was sent.')
    ] = '',
    episode_topic: Annotated[
        str, typer.Option(help='Bool or Empty marks episodes; else simulation/episode, if there.')
    ] = '',
    clock: Annotated[
        str, typer.Option(help='The robot ran on: sim, /clock; bag; auto, /clock if recorded.')
    ] = 'auto',
    gap_s: Annotated[
        float, typer.Option(min=0.01, help='So long a silence ends an episode, in s.')
    ] = 1.0,
    record_hz: Annotated[float, typer.Option(min=0.1, help='Rows per second.')] = 20.0,
    dry_run: Annotated[
        bool, typer.Option('--dry-run', help='Only report; write no data set.')
    ] = False,
    json: Annotated[Path | None, typer.Option(help='Write the report here.')] = None,
    figure: Annotated[Path | None, typer.Option(help='Draw the recording here, a PNG.')] = None,
) -> None:
    """Read recordings of a robot into a data set, as the robot itself would have sensed them."""
    with explained():
        from mmvae_controller.cli.errors import CliError
        from mmvae_controller.cli.import_bag import Options, run

        if (out is None) != dry_run:
            raise CliError('give either --out or --dry-run')
        options = Options(
            bags, robot, out, namespace, remap or [], command_topic, label_topic,
            episode_topic, clock, gap_s, record_hz, json, figure,
        )  # fmt: skip
        raise typer.Exit(run(options))


def join(
    datasets: Annotated[
        list[Path],
        typer.Argument(metavar='DATASET...', help='Collected or imported.'),
    ],
    out: Annotated[Path, typer.Option(help='Folder of the new data set.')],
) -> None:
    """Put data sets together: of several namespaces, of the simulation and of the robot."""
    with explained():
        from mmvae_controller.cli.join import run

        run(datasets, out)


def train(
    dataset: Annotated[
        str, typer.Option(help='Folder of the data set, icub:FILE, or linear:ROWS[:SEED].')
    ],
    out: Annotated[Path, typer.Option(help='Folder of the model; resumed if it has begun.')],
    config: Annotated[
        str, typer.Option(help='Training YAML, or its name below config/.')
    ] = 'train/touch_target.yaml',
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of the YAML's.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the YAML's.")] = None,
    held_out: Annotated[
        float | None,
        typer.Option(min=0, max=0.9, help="Share for validation, instead of the YAML's."),
    ] = None,
    split_seed: Annotated[
        int | None, typer.Option(min=0, help="Of what is held out, instead of the YAML's.")
    ] = None,
    initial: Annotated[
        str | None, typer.Option(help='Begin with the weights of this model, of the same network.')
    ] = None,
    device: Annotated[str, typer.Option(help='Where: cpu, or cuda, which is untried.')] = 'cpu',
    dry_run: Annotated[
        bool, typer.Option('--dry-run', help='Only say what would be trained; write nothing.')
    ] = False,
) -> None:
    """Train a model; an interrupted run goes on where it was when called again.

    Several processes train one together when torchrun starts them: torchrun --nproc-per-node 4
    -m mmvae_controller.cli.train, and then the options below.
    """
    with explained(goes_on=True):
        from mmvae_controller.cli.training_settings import Overrides, read

        data, settings = read(dataset, config, Overrides(epochs, seed, held_out, split_seed))
        # Only now: it loads PyTorch.
        from mmvae_controller.cli.training import run

        run(data, settings, out, initial, device, dry_run)


def clone(
    dataset: Annotated[str, typer.Option(help='Folder of the data set.')],
    out: Annotated[Path, typer.Option(help='Folder of the peer; resumed if it has begun.')],
    config: Annotated[
        str, typer.Option(help='Cloning YAML, or its name below config/.')
    ] = 'train/clone.yaml',
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of the YAML's.")] = None,
) -> None:
    """Train the plain network that `mmvae faults` compares a model with: behaviour cloning."""
    with explained(goes_on=True):
        from mmvae_controller.cli.clone import run

        run(dataset, out, config, epochs)


def calibrate(
    model: ModelArgument,
    task: TaskOption = None,
    robot: RobotOption = None,
    episodes: Annotated[int, typer.Option(min=20, help='Half to fit, half to count.')] = 960,
    seed: Annotated[int, typer.Option(min=0, help='Of the first.')] = 500000,
    alarms_per_hour: Annotated[
        float, typer.Option(min=0.001, help='False alarms allowed, of each test of a sense.')
    ] = 0.1,
    out: Annotated[
        Path | None, typer.Option(help='Folder of a new copy of the model, for this robot.')
    ] = None,
    force: Annotated[
        bool, typer.Option('--force', help='Write over what was measured of it before.')
    ] = False,
) -> None:
    """Measure how the senses agree while nothing is wrong: what lying senses are found by."""
    with explained():
        from mmvae_controller.cli.calibrate import run

        run(model, *task_of(model, task, robot), episodes, seed, alarms_per_hour, out, force)


def export(
    model: ModelArgument,
) -> None:
    """Write anew what a robot runs of a trained model, as after an upgrade; check it."""
    with explained():
        from mmvae_controller.cli.export import run

        run(model)


COMMANDS = (collect, record, import_bag, join, train, clone, calibrate, export)
