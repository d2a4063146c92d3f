"""`mmvae up`: the controller and its diagnostics, with or without the simulation, as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import signal
import sys
from types import FrameType

from mmvae_controller.cli.paths import find_config, find_model, find_robot
from mmvae_controller.cli.processes import child_environment, Processes

PROFILE = 'fastdds.xml'
FAILED = 1
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Parameters = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Simulated:
    """What to simulate instead of a real robot."""

    task: str = 'touch_target'
    seed: int = 0
    episodes: int = 0
    real_time_factor: float = 1.0
    gui: bool = False


def run(
    robot: str,
    model: str,
    namespace: str = '',
    use_sim_time: bool = False,
    simulated: Simulated | None = None,
) -> int:
    """Run until told to leave, or until one of the processes ends.

    Args:
        robot: YAML file, or the name of one that comes with the package.
        model: Folder, or the name of one.
        namespace: Of the robot; its nodes and relative topics lie in it.
        use_sim_time: Follow /clock; a simulation implies it.
        simulated: None for a real robot.

    Returns:
        The exit code: 0 when told to leave, else that of the process that ended.

    Raises:
        CliError: Robot or model is not there, or a node is not installed.

    """
    env = child_environment(find_config(PROFILE))
    with Processes() as processes:
        leaving = False

        def leave(number: int, frame: FrameType | None) -> None:
            nonlocal leaving
            leaving = True
            processes.wake()

        for number in SIGNALS:
            signal.signal(number, leave)
        commands = node_commands(robot, model, namespace, use_sim_time, simulated)
        for name, command in commands.items():
            processes.start(name, command, env)
        while not leaving:
            ended = processes.poll(None)
            if ended is not None:
                print(f'{ended}; stopping the others', file=sys.stderr)
                return FAILED if ended.code < 0 else ended.code
    return 0


def node_commands(
    robot: str,
    model: str,
    namespace: str = '',
    use_sim_time: bool = False,
    simulated: Simulated | None = None,
) -> dict[str, list[str]]:
    """Return the command line of each node, by name, in the order to start them; see `run`."""
    commands: dict[str, list[str]] = {}
    if simulated is not None:
        use_sim_time = True
        commands['simulation'] = _node_command(
            'simulation',
            namespace,
            {
                'task': simulated.task,
                'seed': simulated.seed,
                'episodes': simulated.episodes,
                'real_time_factor': float(simulated.real_time_factor),
                'gui': simulated.gui,
            },
        )
    folder = find_model(model).resolve()
    commands['controller'] = _node_command(
        'controller',
        namespace,
        {
            'robot_file': find_robot(robot).resolve(),
            'model': folder,
            'use_sim_time': use_sim_time,
        },
    )
    commands['diagnostics'] = _node_command(
        'diagnostics',
        namespace,
        {
            'model': folder,
            'use_sim_time': use_sim_time,
        },
    )
    return commands


def _node_command(name: str, namespace: str, parameters: Parameters) -> list[str]:
    command = [sys.executable, '-m', f'mmvae_controller.nodes.{name}', '--ros-args']
    if namespace:
        command += ['-r', f'__ns:=/{namespace.strip("/")}']
    for key, value in parameters.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        command += ['-p', f'{key}:={text}']
    return command
