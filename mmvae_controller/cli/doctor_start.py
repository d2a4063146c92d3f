"""Does ROS 2 start? Asked in a process of its own: what is wrong may end the one that asks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
import os
from pathlib import Path
import re
import subprocess
import sys

import mmvae_controller
from mmvae_controller.cli.doctor_package import copies
from mmvae_controller.cli.doctor_packages import is_there, version_of
from mmvae_controller.cli.findings import Finding, Level
from mmvae_controller.nodes.processes import child_environment

PROGRAM = 'mmvae_controller.nodes.check.middleware'
NEEDED_BY = 'needed by up, top, check-robot, demo'
# Much more than a loaded machine needs.
PATIENCE_S = 60
WHEEL = re.compile(r'ros-(humble|iron|jazzy|kilted|lyrical|rolling)-')


@dataclass(frozen=True, slots=True)
class Started:
    """What became of starting ROS 2.

    Args:
        middleware: Its name, such as `rmw_fastrtps_cpp`; empty if it did not start.
        trouble: Why it did not, in its own words; empty if it did.

    """

    middleware: str
    trouble: str


def start() -> Started:
    """Start ROS 2 in another process, make no node, and end it."""
    root = Path(mmvae_controller.__file__).resolve().parents[1]
    env = child_environment()
    env['PYTHONPATH'] = os.pathsep.join(filter(None, (str(root), env.get('PYTHONPATH'))))
    try:
        run = subprocess.run(
            [sys.executable, '-m', PROGRAM],
            env=env,
            capture_output=True,
            text=True,
            errors='replace',
            timeout=PATIENCE_S,
        )
    except subprocess.TimeoutExpired:
        return Started('', f'did not start within {PATIENCE_S} s')
    if not run.returncode:
        return Started(run.stdout.split()[-1], '')
    lines = [line for line in run.stderr.splitlines() if line.strip()]
    return Started('', lines[-1].strip() if lines else f'ended with exit code {run.returncode}')


def judge_start(started: Started, distro: str) -> Iterator[Finding]:
    """Say whether ROS 2 starts, and if not, what to do.

    Args:
        started: What became of it.
        distro: The distribution that is sourced; empty if none is.

    """
    if not is_there('rclpy'):
        yield Finding(
            'rclpy', 'package', Level.MISSING, f'is not installed; {NEEDED_BY}', _sourced(distro)
        )
    elif started.trouble:
        yield _broken(started.trouble, distro)
    else:
        source = f'of ROS 2 {distro}, sourced' if distro else 'from wheels: no ROS_DISTRO is set'
        yield Finding('rclpy', 'package', Level.OK, f'{version_of("rclpy")} {source}'.strip())
        message = f'{started.middleware}; the robot should have the same'
        yield Finding('RMW', 'middleware', Level.OK, message)
    unused = copies(sys.path, 'rclpy')[1:]
    if unused:
        yield Finding(
            'rclpy',
            'place',
            Level.NOTE,
            f'also in {", ".join(map(str, unused))}: two ROS 2 in one environment load libraries '
            'of each other',
            'open a new terminal, and there source ROS 2 or activate the environment with its '
            'wheels, not both',
        )
    distros = wheels([d.name for d in metadata.distributions()])
    if len(distros) > 1:
        yield Finding(
            'ROS 2',
            'wheels',
            Level.MISSING,
            f'of {" and ".join(distros)} in one environment: their libraries overwrite each other',
            f'one environment for each: make setup ROS={distros[0]} VENV=.venv-{distros[0]}',
        )


def wheels(projects: list[str]) -> list[str]:
    """Return the distributions of ROS 2 that projects of pip are named after."""
    found = (WHEEL.match(project.lower()) for project in projects if project)
    return sorted({match.group(1) for match in found if match})


def _broken(trouble: str, distro: str) -> Finding:
    """Return a finding about what keeps ROS 2 from starting, by the words it has for it."""
    if 'RMW' in trouble or 'rmw' in trouble:
        return Finding(
            'RMW',
            'middleware',
            Level.MISSING,
            f'{os.environ.get("RMW_IMPLEMENTATION") or "the default"} cannot be loaded: {trouble}',
            'unset RMW_IMPLEMENTATION, or install the middleware that it names',
        )
    if 'log directory' in trouble or 'logging' in trouble:
        return Finding(
            'ROS log',
            'folder',
            Level.MISSING,
            f'no node starts: {trouble}',
            'export ROS_LOG_DIR to a folder that you may write, with space on its disk',
        )
    return Finding(
        'rclpy',
        'package',
        Level.MISSING,
        f'does not start: {trouble}; {NEEDED_BY}',
        _sourced(distro),
    )


def _sourced(distro: str) -> str:
    return f'source /opt/ros/{distro or "jazzy"}/setup.bash, or in a checkout `make setup`'
