"""How long from the state of the joints to the command, beside a node that only echoes it.

Robot, camera and node are processes of their own; the echo has the topics, the quality of service
and the rclpy of the controller, and does nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
from mmvae_controller.benchmarks.errors import BenchmarkError
from mmvae_controller.benchmarks.figures import Figure, Found, Say
from mmvae_controller.benchmarks.loops import Body, Camera, Run, run_node
from mmvae_controller.control.network import Network
from mmvae_controller.modality.observation import CURRENT, nothing_known
from mmvae_controller.modality.shared_files import find_model, find_robot
from mmvae_controller.nodes.bench import NAMESPACE
import numpy as np
from numpy.typing import NDArray
import yaml

MODEL, ROBOT = 'touch_target', 'iiwa_sim'
ANCHOR, CAMERA, COMMAND = 'joints', 'camera', 'motor'
# The scene does not follow the arm: one that moved away from it would be taken for a lie.
CREEP_RAD_S = 0.001
START_RAD = (0.0, 0.3, 0.0, -1.3, 0.0, 1.0, 0.0)
UINT8_MAX = 255
QUICK_S = 2.0
ROUNDS = 3
# What the controller may cost, by its specification.
MARGIN_MS = 0.3
MOST_CPU = 0.35
TAIL = 99.9
NOTES = (
    'From when a joint state was published until the command that answers it reached the robot: '
    'two hops of the middleware. A command that comes after the next state counts as missed, and '
    'in the percentiles as one that never came.',
    'The camera shows what the model imagines, with noise; touch feels nothing. The joint states '
    'drive the loop (control.trigger). How many commands moved the arm is in the settings: '
    'without pictures this model is too uncertain to, and holds.',
)


@dataclass(frozen=True, slots=True)
class Load:
    """What the controller is asked to cope with.

    Args:
        name: For people.
        rate_hz: Of the joint states, and of the loop.
        camera: Height and width of the pictures, 30 of them a second; None for none.
        seconds: To measure in all, of each node.

    """

    name: str
    rate_hz: float
    camera: tuple[int, int] | None
    seconds: float


LOADS = (
    Load('200 Hz, camera 64x64', 200.0, (64, 64), 60.0),
    Load('200 Hz', 200.0, None, 30.0),
    Load('500 Hz', 500.0, None, 30.0),
    Load('200 Hz, camera 640x480', 200.0, (480, 640), 30.0),
)


def benchmark(quick: bool, say: Say) -> Found:
    """See `Benchmark`."""
    if find_spec('rclpy') is None:
        raise BenchmarkError('needs ROS 2: source an installation, or install its wheels')
    model = find_model(MODEL)
    loads = [Load(LOADS[0].name, 200.0, (64, 64), QUICK_S)] if quick else LOADS
    rounds = 1 if quick else ROUNDS
    figures: list[Figure] = []
    moved: dict[str, int] = {}
    for load in loads:
        with _robot_file(load) as robot:
            body = Body(_joints(robot), START_RAD, load.rate_hz)
            camera = None if load.camera is None else Camera(_scene(model, load.camera))
            echo = ['bench.echo', *(['--camera'] if camera else [])]
            ours = ['controller', '--ros-args', '-r', f'__ns:=/{NAMESPACE}']
            ours += ['-p', f'robot_file:={robot}', '-p', f'model:={model}']
            runs: dict[str, list[Run]] = {'echo': [], 'controller': []}
            for number in range(rounds):
                for name, arguments in (('echo', echo), ('controller', ours)):
                    say(f'{load.name}: {name}, {number + 1} of {rounds}')
                    seconds = load.seconds / rounds
                    runs[name].append(run_node(arguments, body, camera, seconds))
        figures += _figures(load, runs['controller'], runs['echo'])
        moved[load.name] = sum(run.moved for run in runs['controller'])
    settings = {'model': MODEL, 'robot': ROBOT, 'rounds': rounds}
    settings['loads'] = [f'{load.name}: {load.seconds:g} s each' for load in loads]
    settings['commands that moved the arm'] = moved
    return Found(figures, settings, NOTES)


def _figures(load: Load, ours: Sequence[Run], echo: Sequence[Run]) -> Iterator[Figure]:
    # What never came took for ever: left out, no percentile could be above a period.
    waited, floor = (
        np.nan_to_num(np.concatenate([r.latency_ms for r in runs]), nan=np.inf)
        for runs in (ours, echo)
    )
    for share in (99.0, 50.0, TAIL):
        mine, beside = (
            float(np.percentile(times, share, method='higher')) for times in (waited, floor)
        )
        is_goal = share == 99.0
        yield Figure(
            f'{load.name}: latency p{share:g}',
            'ms',
            mine,
            beside,
            'bare echo',
            f'echo + {MARGIN_MS:g} ms' if is_goal else '',
            mine <= beside + MARGIN_MS if is_goal else None,
        )
    missed, lost = (sum(r.missed for r in runs) for runs in (ours, echo))
    goal = 'none missed'
    yield Figure(
        f'{load.name}: missed, of {len(waited)}', 'ticks', missed, lost, 'bare echo', goal,
        missed == 0,
    )  # fmt: skip
    cpu, spent = (100 * float(np.mean([r.cpu_share for r in runs])) for runs in (ours, echo))
    goal = f'at most {100 * MOST_CPU:g} %' if load is LOADS[0] else ''
    met = cpu <= 100 * MOST_CPU if goal else None
    yield Figure(f'{load.name}: CPU', '% of a core', cpu, spent, 'bare echo', goal, met)


@contextmanager
def _robot_file(load: Load) -> Iterator[Path]:
    """Write the simulated arm's YAML, with a loop of this rate and a camera of this size."""
    data: dict[str, Any] = yaml.safe_load(find_robot(ROBOT).read_text(encoding='utf-8'))
    data['control'] |= {'rate_hz': load.rate_hz, 'trigger': ANCHOR, 'required': [ANCHOR]}
    limits = data['modalities'][COMMAND]['output']['limits']
    limits['velocity_rad_s'] = [CREEP_RAD_S] * len(limits['velocity_rad_s'])
    if load.camera is not None:
        data['modalities'][CAMERA]['camera_size'] = list(load.camera)
    with TemporaryDirectory() as folder:
        path = Path(folder, 'robot.yaml')
        path.write_text(yaml.safe_dump(data, sort_keys=False), encoding='utf-8')
        yield path


def _joints(robot: Path) -> tuple[str, ...]:
    data = yaml.safe_load(robot.read_text(encoding='utf-8'))
    return tuple(data['modalities'][ANCHOR]['joints'])


def _scene(model: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return what the model expects to see where the arm is: a picture it will believe."""
    network = Network(model)
    modalities = network.contract.modalities
    values = {m.name: np.zeros((1, 2, *m.shape), m.dtype) for m in modalities}
    values[ANCHOR][:] = START_RAD
    known = nothing_known(modalities)
    known[[m.name for m in modalities].index(ANCHOR)] = True
    mean = network.decode(values, known[None], [CAMERA])[CAMERA].mean[0, CURRENT]
    picture = np.clip(mean, 0, UINT8_MAX).astype(np.uint8)
    height, width = size
    large = cv2.resize(picture, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(large, dtype=np.uint8)
