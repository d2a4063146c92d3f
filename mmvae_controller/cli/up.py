"""`mmvae up`: the controller and its diagnostics, with or without the simulation, as one."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
import shlex
import sys
from tempfile import TemporaryDirectory

from mmvae_controller.cli.errors import CliError
from mmvae_controller.cli.files import write_text
from mmvae_controller.cli.transitions import lifecycle_command, namespace_option
from mmvae_controller.guidance.exit_codes import ExitCode
from mmvae_controller.guidance.help import explained_by, Help
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.modality.shared_files import find_config, find_model, find_robot
from mmvae_controller.nodes.processes import (
    child_environment,
    DISCOVERY_RANGE,
    Processes,
    stay_on_this_machine,
)
from mmvae_controller.nodes.signals import Leaving
import yaml

PROFILE = 'fastdds.xml'
# Every simulation has a time of its own; two on one /clock would let it jump to and fro.
OWN_CLOCK = '/clock:=clock'
Parameters = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Simulated:
    """What to simulate instead of a real robot.

    Args:
        task: What is to be done.
        seed: Of the first episode.
        episodes: How many; 0 goes on for ever.
        real_time_factor: Simulated seconds per second.
        gui: Show a window.
        cover_last: In so many of the last episodes the camera is covered midway.

    """

    task: str = 'touch_target'
    seed: int = 0
    episodes: int = 0
    real_time_factor: float = 1.0
    gui: bool = False
    cover_last: int = 0


@dataclass(frozen=True, slots=True)
class Controlled:
    """How the controller begins.

    Args:
        autostart: Whether it configures and activates by itself.
        robot_description: A URDF, where limits come from if the robot YAML has none.
        acceleration_rad_s2: Of every joint; goes with it, because a URDF has none.
        goal_modality: The sense of which `~/goal` brings a wanted value; empty: no goals.
        tracker: Whether the node that finds a marked hand in two pictures runs as well.

    """

    autostart: bool = True
    robot_description: Path | None = None
    acceleration_rad_s2: float = 0.0
    goal_modality: str = ''
    tracker: bool = False


def run(
    robot: str,
    model: str,
    namespace: str = '',
    use_sim_time: bool = False,
    simulated: Simulated | None = None,
    controlled: Controlled | None = None,
) -> int:
    """Run until told to leave, or until one of the processes ends.

    Args:
        robot: YAML file, or the name of one that comes with the package.
        model: Folder, or the name of one.
        namespace: Of the robot; its nodes and relative topics lie in it.
        use_sim_time: Follow /clock; a simulation implies it, and in a namespace follows its own
            `clock` there.
        simulated: None for a real robot.
        controlled: How the controller begins.

    Returns:
        The exit code: 0 when told to leave, else that of the process that ended.

    Raises:
        CliError: Robot, model or URDF is not there, or a node is not installed.
        SimulationError: There is no such task, or nothing simulates the robot.

    """
    env = child_environment(find_config(PROFILE))
    if simulated is not None:
        _prepare(simulated, robot, env)
    with TemporaryDirectory(prefix='mmvae_up_') as scratch:
        commands = node_commands(robot, model, namespace, use_sim_time, simulated, controlled)
        if controlled is not None and controlled.robot_description is not None:
            path = write_description(controlled.robot_description, Path(scratch))
            commands['controller'] += ['--params-file', str(path)]
        waits = controlled is not None and not controlled.autostart
        return _run(commands, env, _next(namespace) if waits else '')


def simulate(robot: str, namespace: str, simulated: Simulated) -> int:
    """Run the simulation alone until told to leave; see `run`.

    Its clock is /clock, as of any other simulator: whoever is to follow it needs no remapping.

    Returns:
        The exit code: 0 when told to leave, else that of the simulation.

    Raises:
        CliError: The robot is not there, or the node is not installed.
        SimulationError: There is no such task, or nothing simulates the robot.

    """
    env = child_environment(find_config(PROFILE))
    _prepare(simulated, robot, env)
    command = _simulation(find_robot(robot).resolve(), _inside(namespace), simulated)
    command_line = f'mmvae up {shlex.quote(robot)} --use-sim-time{namespace_option(namespace)}'
    waits = f'it holds still until this runs: {command_line}'
    return _run({'simulation': command}, env, waits)


def _prepare(simulated: Simulated, robot: str, env: MutableMapping[str, str]) -> None:
    """Refuse what cannot be simulated before a node starts, and keep the nodes on this machine."""
    # Imported here alone: a real robot has no PyBullet.
    from mmvae_controller.simulation.arm_file import arm_of
    from mmvae_controller.simulation.tasks.task import make_task

    make_task(simulated.task)
    arm_of(load_robot(find_robot(robot)))
    reach = stay_on_this_machine(env)
    print(f'Simulation: the nodes run with {DISCOVERY_RANGE}={reach}', flush=True)


def _run(commands: Mapping[str, Sequence[str]], env: Mapping[str, str], said: str) -> int:
    """Start the nodes, say so and what is next, and wait until told to leave or one ends."""
    processes = Processes()
    # The signals last: a second Ctrl+C must not end us before the nodes are stopped.
    with Leaving(processes.wake) as leaving, processes:
        for name, command in commands.items():
            processes.start(name, command, env)
        told = f'Started {", ".join(commands)}; Ctrl+C stops them'
        print(f'{told}\n{said}' if said else told, flush=True)
        while not leaving.asked:
            ended = processes.poll(None)
            if ended is not None:
                others = '; stopping the others' if len(commands) > 1 else ''
                print(explained_by(Help.EXIT_CODES, f'{ended}{others}'), file=sys.stderr)
                return ExitCode.FAILED if ended.code < 0 else ended.code
    return ExitCode.OK


def _next(namespace: str) -> str:
    """Return which commands come next, in another terminal, where nothing is started by itself."""
    configure, activate = (lifecycle_command(t, namespace) for t in ('configure', 'activate'))
    return (
        f'The controller is unconfigured. Next, in another terminal: `{configure}`; and '
        f'`{activate}`, then the arm moves'
    )


def node_commands(
    robot: str,
    model: str,
    namespace: str = '',
    use_sim_time: bool = False,
    simulated: Simulated | None = None,
    controlled: Controlled | None = None,
) -> dict[str, list[str]]:
    """Return the command line of each node, by name, in the order to start them; see `run`.

    They are stopped in the reverse order, so the controller comes last: nothing delays its hold,
    and the robot still listens.
    """
    controlled = controlled or Controlled()
    robot_file = find_robot(robot).resolve()
    commands: dict[str, list[str]] = {}
    remaps = _inside(namespace)
    if simulated is not None:
        use_sim_time = True
        remaps.append(OWN_CLOCK)
        commands['simulation'] = _simulation(robot_file, remaps, simulated)
    if controlled.tracker:
        commands['tracker'] = _node_command('tracker', remaps, {'use_sim_time': use_sim_time})
    folder = find_model(model).resolve()
    commands['diagnostics'] = _node_command(
        'diagnostics', remaps, {'model': folder, 'use_sim_time': use_sim_time}
    )
    commands['controller'] = _node_command(
        'controller',
        remaps,
        {
            'robot_file': robot_file,
            'model': folder,
            'use_sim_time': use_sim_time,
            'autostart': controlled.autostart,
            'acceleration_rad_s2': float(controlled.acceleration_rad_s2),
            **({'goal_modality': goal} if (goal := controlled.goal_modality) else {}),
        },
    )
    return commands


def read_description(urdf: Path) -> str:
    """Return the text of a robot description.

    Raises:
        CliError: There is no such text.

    """
    try:
        return urdf.read_text(encoding='utf-8')
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(f'{urdf}: no robot description can be read: {error}') from error


def write_description(urdf: Path, folder: Path) -> Path:
    """Write a robot description as a file of parameters: it is too long for a command line.

    Raises:
        CliError: There is no such text.

    """
    text = read_description(urdf)
    path = folder / 'robot_description.yaml'
    parameters = {'/**': {'ros__parameters': {'robot_description': text}}}
    write_text(path, yaml.safe_dump(parameters, allow_unicode=True))
    return path


def _inside(namespace: str) -> list[str]:
    """Return the remappings that put a node into a namespace."""
    return [f'__ns:=/{namespace.strip("/")}'] if namespace.strip('/') else []


def _simulation(robot_file: Path, remaps: Sequence[str], simulated: Simulated) -> list[str]:
    return _node_command(
        'simulation',
        remaps,
        {
            'robot_file': robot_file,
            'task': simulated.task,
            'seed': simulated.seed,
            'episodes': simulated.episodes,
            'real_time_factor': float(simulated.real_time_factor),
            'gui': simulated.gui,
            'cover_last': simulated.cover_last,
        },
    )


def _node_command(name: str, remaps: Sequence[str], parameters: Parameters) -> list[str]:
    command = [sys.executable, '-m', f'mmvae_controller.nodes.{name}', '--ros-args']
    for remap in remaps:
        command += ['-r', remap]
    for key, value in parameters.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        command += ['-p', f'{key}:={text}']
    return command
