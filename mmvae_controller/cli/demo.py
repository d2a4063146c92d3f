"""`mmvae demo`: simulation, controller and diagnostics as processes, watched and reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import os
from pathlib import Path
import time
from typing import Any

from mmvae_controller.cli.demo_report import write_report
from mmvae_controller.cli.demo_view import view
from mmvae_controller.cli.errors import CliError
from mmvae_controller.cli.progress import working
from mmvae_controller.cli.up import node_commands, PROFILE, Simulated
from mmvae_controller.guidance.exit_codes import ExitCode
from mmvae_controller.modality.contract import read_contract
from mmvae_controller.modality.robot import InputMessage, Robot
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.modality.shared_files import find_config, find_model, find_robot
from mmvae_controller.nodes.processes import (
    child_environment,
    DISCOVERY_RANGE,
    Processes,
    stay_on_this_machine,
)
from mmvae_controller.nodes.watch.monitor import Monitor
from mmvae_controller.nodes.watch.record import Episode
from mmvae_controller.simulation.arm_file import arm_of
from mmvae_controller.simulation.tasks.task import make_task
from rich.console import Console
from rich.live import Live

# Apart from whatever robot may be running on this machine.
NAMESPACE = 'mmvae_demo'
LOG_FILE = 'nodes.log'
REFRESH_S = 0.2
START_S = 60.0
# For the diagnostics node to be there before the controller is; without it all goes on.
LISTENS_S = 15.0
CONTROLLER = 'controller'
# Between two episodes: handing over, resetting, meeting the arm again.
BETWEEN_S = 4.0
# Simulated: no task allows as much.
EPISODE_S = 10.0
# Of the episodes, one in so many is covered if no number is named.
COVERED_OF = 4


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """What to show.

    Args:
        model: Folder, or the name of one.
        robot: YAML, or the name of one.
        task: What is to be done.
        episodes: How many.
        seed: Of the first.
        required: The success rate below which the exit code says that it failed.
        real_time_factor: Simulated seconds per second.
        gui: Show PyBullet's window.
        out: Folder of the report.
        covered: In so many of the last episodes the camera is covered midway; None is a quarter,
            and none where the robot has no camera.

    """

    model: str
    robot: str
    task: str
    episodes: int
    seed: int
    required: float
    real_time_factor: float
    gui: bool
    out: Path
    covered: int | None = None


def run(settings: DemoSettings) -> int:
    """Run the demo and return the exit code: 0 if enough episodes succeeded, else 1.

    Only those in which the camera worked are counted: the others show what is left without it.

    Raises:
        CliError: A process ended, nothing happened for too long, or no episode would count.

    """
    robot = load_robot(find_robot(settings.robot))
    contract = read_contract(find_model(settings.model))
    contract.check_fits(robot)
    if robot.goal:
        raise CliError(
            f'{robot.path.name} is led by goals, which the demo does not show: mmvae up'
        )
    # Refused here, and not by a node whose reason is in a log.
    make_task(settings.task)
    arm_of(robot)
    covered = _covered(settings, robot)
    # Of this process too: the monitor must find the nodes.
    reach = stay_on_this_machine(os.environ)
    env = child_environment(find_config(PROFILE))
    settings.out.mkdir(parents=True, exist_ok=True)
    simulated = Simulated(
        settings.task,
        settings.seed,
        settings.episodes,
        settings.real_time_factor,
        settings.gui,
        covered,
    )
    commands = node_commands(settings.robot, settings.model, NAMESPACE, True, simulated)
    print(
        f'Starting {", ".join(commands)} in namespace /{NAMESPACE}, ROS_DOMAIN_ID '
        f'{os.environ.get("ROS_DOMAIN_ID", "0")}, {DISCOVERY_RANGE}={reach}; their log is '
        f'{settings.out / LOG_FILE}',
        flush=True,
    )
    monitor = Monitor(robot, NAMESPACE)
    try:
        _run_nodes(settings, commands, env, monitor)
    finally:
        monitor.close()
        # An interrupted demo has something to tell as well, if it got that far.
        if monitor.record.episodes:
            with working('writing the report'):
                data = write_report(settings.out, settings.task, contract, robot, monitor.record)
    return _judge(settings, data)


def _covered(settings: DemoSettings, robot: Robot) -> int:
    """Return in how many of the last episodes the camera is to be covered."""
    if settings.covered is None:
        sees = any(s.message is InputMessage.IMAGE for s in robot.sources.values())
        return settings.episodes // COVERED_OF if sees else 0
    if not 0 <= settings.covered < settings.episodes:
        raise CliError(
            f'covered is {settings.covered}, expected 0 to {settings.episodes - 1}: the success '
            'rate is that of the episodes in which the camera works'
        )
    return settings.covered


def _judge(settings: DemoSettings, data: dict[str, Any]) -> int:
    """Print how it went and return the exit code."""
    rate, covered_rate = data['success_rate'], data['covered_success_rate']
    covered = sum(e['camera_failed_after_s'] is not None for e in data['episodes'])
    if covered_rate is not None:
        print(f'With the camera covered midway: {covered_rate:.0%} of {covered} episodes')
    enough = rate >= settings.required
    print(
        f'{"Success" if enough else "FAILED"}: {rate:.0%} of {len(data["episodes"]) - covered} '
        f'episodes, {settings.required:.0%} required; see {settings.out / "report.html"}'
    )
    return ExitCode.OK if enough else ExitCode.FAILED


def _run_nodes(
    settings: DemoSettings, commands: dict[str, list[str]], env: dict[str, str], monitor: Monitor
) -> None:
    log = settings.out / LOG_FILE
    with log.open('wb') as output, Processes() as processes:
        for name, command in commands.items():
            if name == CONTROLLER:
                _await_diagnostics(settings, monitor, processes)
            processes.start(name, command, env, output)
        _watch(settings, monitor, processes)


def _await_diagnostics(settings: DemoSettings, monitor: Monitor, processes: Processes) -> None:
    """Let the node that explains find its place: the first episode begins with the controller."""
    until_s = time.monotonic() + LISTENS_S
    while monitor.status('diagnostics: model') is None and time.monotonic() < until_s:
        monitor.spin(REFRESH_S)
        _require_running(settings, processes)


def _require_running(settings: DemoSettings, processes: Processes) -> None:
    ended = processes.poll()
    if ended is not None:
        raise CliError(f'{ended}; see {settings.out / LOG_FILE}')


def _watch(settings: DemoSettings, monitor: Monitor, processes: Processes) -> None:
    """Show what happens until the last episode has ended."""
    console = Console()
    started_s = last_s = time.monotonic()
    done = 0
    limit_s = START_S + EPISODE_S / settings.real_time_factor
    with Live(view(monitor, settings.episodes), console=console, refresh_per_second=5) as live:
        while len(monitor.record.episodes) < settings.episodes:
            monitor.spin(REFRESH_S)
            live.update(view(monitor, settings.episodes))
            _require_running(settings, processes)
            if not console.is_terminal:
                _tell(monitor.record.episodes[done:])
            if len(monitor.record.episodes) > done:
                done, last_s = len(monitor.record.episodes), time.monotonic()
                limit_s = BETWEEN_S + EPISODE_S / settings.real_time_factor + START_S / 2
            if time.monotonic() - last_s > limit_s:
                raise CliError(
                    f'no episode ended for {limit_s:.0f} s: {_explain(monitor)}; see '
                    f'{settings.out / LOG_FILE}'
                )
    console.print(f'\n{settings.episodes} episodes in {time.monotonic() - started_s:.0f} s')


def _tell(episodes: Sequence[Episode]) -> None:
    """Print how episodes ended, for whoever reads a log and sees no table."""
    for episode in episodes:
        print(
            f'episode {episode.number}: {episode.ending} after {episode.elapsed_s:.2f} s, '
            f'camera {episode.camera_told()}',
            flush=True,
        )


def _explain(monitor: Monitor) -> str:
    """Return every status that is not OK, in one line."""
    troubles = [f'{n}: {s.message}' for n, s in monitor.record.statuses.items() if s.level]
    return '; '.join(troubles) or 'no node has reported on /diagnostics'
