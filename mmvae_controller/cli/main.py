"""The `mmvae` command; each sub-command imports what it needs when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from mmvae_controller import __version__
from mmvae_controller.cli.completing import models, robots, tasks
from mmvae_controller.cli.errors import explained
import typer

# What `mmvae --help` lists together.
RUN, MAKE, JUDGE = 'Run a robot', 'Make a model', 'Judge a model'
INSTALLED = 'What is installed'

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

app = typer.Typer(
    name='mmvae',
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help='A multimodal VAE that sees, feels and moves: collect, train, roll out, run.',
)


def _model(model: str | None, robot: str | None) -> str:
    from mmvae_controller.cli.defaults import model_for

    return model_for(robot) if model is None else model


def _used(model: str, task: str | None, robot: str | None) -> tuple[str, str]:
    from mmvae_controller.cli.defaults import task_and_robot

    return task_and_robot(model, task, robot)


@app.command(rich_help_panel=MAKE)
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
    with explained():
        task, robot = _used(learner, task, robot)
        if bag:
            from mmvae_controller.cli.collecting_bag import run as run_bag

            run_bag(out, robot, task, episodes, seed, zstd, learner)
            return
        from mmvae_controller.cli.collecting import run

        run(out, robot, task, episodes, seed, processes, learner)


@app.command(rich_help_panel=MAKE)
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


@app.command('import-bag', rich_help_panel=MAKE)
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
        run(
            Options(
                bags, robot, out, namespace, remap or [], command_topic, label_topic,
                episode_topic, clock, gap_s, record_hz, json, figure,
            )
        )  # fmt: skip


@app.command(rich_help_panel=MAKE)
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
) -> None:
    """Train a model; an interrupted run goes on where it was when called again.

    Several processes train one together when torchrun starts them: torchrun --nproc-per-node 4
    -m mmvae_controller.cli.train, and then the options below.
    """
    with explained():
        from mmvae_controller.cli.train import Overrides, run

        changes = Overrides(epochs, seed, held_out, split_seed)
        run(dataset, out, config, changes, initial, device)


@app.command(rich_help_panel=MAKE)
def clone(
    dataset: Annotated[str, typer.Option(help='Folder of the data set.')],
    out: Annotated[Path, typer.Option(help='Folder of the peer; resumed if it has begun.')],
    config: Annotated[
        str, typer.Option(help='Cloning YAML, or its name below config/.')
    ] = 'train/clone.yaml',
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of the YAML's.")] = None,
) -> None:
    """Train the plain network that `mmvae faults` compares a model with: behaviour cloning."""
    with explained():
        from mmvae_controller.cli.clone import run

        run(dataset, out, config, epochs)


@app.command(rich_help_panel=JUDGE)
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

        run(model, *_used(model, task, robot), episodes, seed, blind, json)


@app.command(rich_help_panel=JUDGE)
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
    with explained():
        from mmvae_controller.cli.faults import Options, run

        run(
            Options(
                model, *_used(model, task, robot), peer, episodes, seed, faults, starts, moment,
                processes, json, out,
            )
        )  # fmt: skip


@app.command(rich_help_panel=MAKE)
def calibrate(
    model: ModelArgument,
    task: TaskOption = None,
    robot: RobotOption = None,
    episodes: Annotated[int, typer.Option(min=20, help='Half to fit, half to count.')] = 960,
    seed: Annotated[int, typer.Option(min=0, help='Of the first.')] = 500000,
    alarms_per_hour: Annotated[
        float, typer.Option(min=0.001, help='False alarms allowed, of each test of a sense.')
    ] = 0.1,
) -> None:
    """Measure how the senses agree while nothing is wrong: what lying senses are found by."""
    with explained():
        from mmvae_controller.cli.calibrate import run

        run(model, *_used(model, task, robot), episodes, seed, alarms_per_hour)


@app.command(rich_help_panel=JUDGE)
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


@app.command(rich_help_panel=JUDGE)
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


@app.command(rich_help_panel=JUDGE)
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
    with explained():
        from mmvae_controller.cli.study import run

        run(config, out, dataset, reduced, workers, only_report)


@app.command(rich_help_panel=MAKE)
def export(
    model: ModelArgument,
) -> None:
    """Write anew what a robot runs of a trained model, as after an upgrade; check it."""
    with explained():
        from mmvae_controller.cli.export import run

        run(model)


@app.command(rich_help_panel=INSTALLED)
def bench(
    json: Annotated[Path | None, typer.Option(help='Write the figures here.')] = None,
    only: Annotated[
        str | None, typer.Option(help='Some, as control,inference; all if not named.')
    ] = None,
    quick: Annotated[
        bool, typer.Option('--quick', help='So short that it only shows that everything runs.')
    ] = False,
) -> None:
    """Measure how fast it is here, each figure beside a floor or a peer of the same run."""
    with explained():
        from mmvae_controller.cli.bench import Options, run

        raise typer.Exit(run(Options(only, quick, json)))


@app.command(rich_help_panel=RUN)
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

        model = _model(model, robot)
        simulated = None
        if simulation:
            task, _ = _used(model, task, robot)
            simulated = Simulated(task, seed, episodes, real_time_factor, gui)
        controlled = Controlled(autostart, robot_description, acceleration, goal_modality, tracker)
        raise typer.Exit(run(robot, model, namespace, use_sim_time, simulated, controlled))


@app.command(rich_help_panel=RUN)
def top(
    namespace: Annotated[str, typer.Option(help='Of the robot.')] = '',
    once: Annotated[bool, typer.Option(help='Print one snapshot; exit with 1 if silent.')] = False,
    json: Annotated[bool, typer.Option(help='A line of JSON for each snapshot.')] = False,
) -> None:
    """Show what a running robot senses, steers by and commands; over ssh, without a display."""
    with explained():
        from mmvae_controller.cli.top import run

        raise typer.Exit(run(namespace, once, json))


@app.command(rich_help_panel=RUN)
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


@app.command(rich_help_panel=INSTALLED)
def doctor() -> None:
    """Say what of the installation is broken, and the command that mends it."""
    from mmvae_controller.cli.doctor import run

    raise typer.Exit(run())


@app.command(rich_help_panel=RUN)
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

        model = _model(model, robot)
        task, robot = _used(model, task, robot)
        settings = DemoSettings(
            model, robot, task, episodes, seed, required, real_time_factor, gui, out, covered
        )
        raise typer.Exit(run(settings))


@app.command(rich_help_panel=INSTALLED)
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == '__main__':
    main()
