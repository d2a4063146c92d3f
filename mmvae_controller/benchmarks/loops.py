"""Runs a node between a robot and its camera, each a process, and reads what the robot noted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
from tempfile import TemporaryDirectory

from mmvae_controller.benchmarks.errors import BenchmarkError
from mmvae_controller.modality.shared_files import find_config
from mmvae_controller.nodes.processes import child_environment, DISCOVERY_RANGE, LOCALHOST
import numpy as np
from numpy.typing import NDArray

PROGRAMS = 'mmvae_controller.nodes'
PROFILE = 'fastdds.xml'
DOMAIN = 'ROS_DOMAIN_ID'
# Of their own, among those that need no change of the system's ports.
DOMAINS = 100
END_S = 10.0
PATIENCE_S = 30.0
WARM_UP_S = 1.0
MS_PER_NS = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """What a camera publishes.

    Args:
        scene: `(H, W, 3)` uint8, to which it adds noise.
        rate_hz: How often.

    """

    scene: NDArray[np.uint8]
    rate_hz: float = 30.0


@dataclass(frozen=True, slots=True)
class Body:
    """What a robot publishes: the state of its joints, so often."""

    joints: tuple[str, ...]
    start_rad: tuple[float, ...]
    rate_hz: float


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One run of a node.

    Args:
        latency_ms: From each joint state to the command that answers it; NaN where none came
            before the next state.
        cpu_share: Of one core, by the node.
        moved: How many of its commands were for elsewhere than the arm was.

    """

    latency_ms: NDArray[np.float64]
    cpu_share: float
    moved: int

    @property
    def missed(self) -> int:
        """How many joint states were not answered before the next."""
        return int(np.isnan(self.latency_ms).sum())


def run_node(arguments: Sequence[str], body: Body, camera: Camera | None, seconds: float) -> Run:
    """Run a node of ours by itself, between a robot and a camera.

    Args:
        arguments: Its module below `nodes`, then its command line.
        body: What the robot publishes.
        camera: What the camera publishes; None for none.
        seconds: How long to measure.

    Raises:
        BenchmarkError: It does not run, or never commands.

    """
    env = child_environment(find_config(PROFILE))
    # Whatever the environment says: nobody else is to hear these commands.
    env[DISCOVERY_RANGE] = LOCALHOST
    env[DOMAIN] = str(1 + os.getpid() % DOMAINS)
    with TemporaryDirectory() as folder, _running(arguments, env, folder) as node:
        settings, result = Path(folder, 'settings.json'), Path(folder, 'result.json')
        data = asdict(body) | {
            'seconds': seconds,
            'patience_s': PATIENCE_S,
            'warm_up_s': WARM_UP_S,
            'pid': node.pid,
        }
        settings.write_text(json.dumps(data), encoding='utf-8')
        robot = ['bench.robot', str(settings), str(result)]
        if camera is None:
            _finish(robot, env, arguments)
        else:
            scene = Path(folder, 'scene.npy')
            np.save(scene, camera.scene)
            with _running(['bench.camera', str(scene), str(camera.rate_hz)], env, folder):
                _finish(robot, env, arguments)
        return _read(result)


def answers(
    published_ns: NDArray[np.int64], received_ns: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return how long after each joint state the first command came, ms; NaN if after the next.

    A command that comes late is the next state's: nobody can tell them apart, and the robot would
    not either. What is late thus counts as missed.
    """
    first = np.searchsorted(received_ns, published_ns)
    ends_ns = np.append(published_ns[1:], np.iinfo(np.int64).max)
    came_ns = np.append(received_ns, np.iinfo(np.int64).max)[first]
    waited = (came_ns - published_ns) * MS_PER_NS
    return np.where(came_ns < ends_ns, waited, np.nan)


def _read(result: Path) -> Run:
    noted = json.loads(result.read_text(encoding='utf-8'))
    published, received = (np.array(noted[k], np.int64) for k in ('published_ns', 'received_ns'))
    cpu_share = noted['cpu_s'] / noted['took_s']
    return Run(answers(published, np.sort(received)), cpu_share, noted['moved'])


def _finish(robot: Sequence[str], env: dict[str, str], arguments: Sequence[str]) -> None:
    ended = subprocess.run(_command(robot), env=env, capture_output=True, text=True, check=False)
    if ended.returncode:
        last = (ended.stderr.strip() or 'it said nothing').splitlines()[-1]
        raise BenchmarkError(f'{arguments[0]} was not measured: {last}')


@contextmanager
def _running(
    arguments: Sequence[str], env: dict[str, str], folder: str
) -> Iterator[subprocess.Popen[bytes]]:
    with (Path(folder) / f'{arguments[0]}.log').open('wb') as log:
        process = subprocess.Popen(_command(arguments), env=env, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _command(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, '-m', f'{PROGRAMS}.{arguments[0]}', *arguments[1:]]
