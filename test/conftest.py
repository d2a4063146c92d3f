"""A small robot, a small network and a small data set, for the tests of every room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
import copy
import itertools
import os
from pathlib import Path
import resource
import signal
from typing import Any

# Before torch is imported anywhere: tests share the machine with other work.
os.environ.setdefault('OMP_NUM_THREADS', '1')

from hypothesis import settings
from mmvae_controller.modality.normaliser import Normaliser
from mmvae_controller.modality.observation import Observation
from mmvae_controller.modality.robot import Robot
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.modality.spec import Encoder, Modality
import numpy as np
import pytest
import yaml

# The same examples every time: a failure of main must not depend on luck.
settings.register_profile('repeatable', deadline=None, derandomize=True, database=None)
settings.load_profile('repeatable')

ROOT = Path(__file__).resolve().parents[1]
SMALL_ROBOT: dict[str, Any] = {
    'robot': 'small',
    'modalities': {
        'camera': {
            'role': 'sense', 'encoder': 'image', 'shape': [8, 8, 3], 'unit': 'intensity',
            'topic': 'camera/image_raw', 'message': 'sensor_msgs/Image', 'encoding': 'rgb8',
            'max_age_s': 0.2, 'min_contrast': False,
        },
        'joints': {
            'role': 'sense', 'unit': 'rad', 'topic': 'joint_states',
            'message': 'sensor_msgs/JointState', 'part': 'position',
            'joints': ['right', 'spare', 'left'], 'max_age_s': 0.1,
        },
        'touch': {
            'role': 'sense', 'unit': 'N', 'topic': 'touch',
            'message': 'geometry_msgs/WrenchStamped', 'channels': ['force.x', 'torque.z'],
            'max_age_s': 0.1,
        },
        'motor': {
            'role': 'command', 'quantity': 'velocity', 'unit': 'rad/s',
            'joints': ['left', 'right'], 'max_age_s': 0.2,
            'output': {
                'topic': 'joint_command', 'message': 'std_msgs/Float64MultiArray',
                'quantity': 'position',
                'limits': {
                    'lower_rad': [-1, -2], 'upper_rad': [1, 2],
                    'velocity_rad_s': [1, 2], 'acceleration_rad_s2': [10, 20],
                },
                'slow_std': 0.25, 'max_std': 0.5,
            },
        },
    },
    'control': {
        'rate_hz': 50, 'step_s': 0.1, 'anchor': 'joints', 'required': ['joints', 'camera'],
        'watchdog_s': 0.25, 'max_following_error_rad': 3.0,
    },
}  # fmt: skip
SMALL_NETWORK: dict[str, Any] = {
    'latent': 4,
    'activation': 'elu',
    'shared_encoder': [12],
    'shared_decoder': [10],
    'branches': {
        'camera': {'encoder': [3, 4], 'decoder': [4, 3], 'weight': 0.01},
        'joints': {'encoder': [8], 'decoder': [8], 'weight': 1.0},
        'touch': {'encoder': [6], 'decoder': [6], 'weight': 1.0},
        'motor': {'encoder': [8], 'decoder': [8], 'weight': 2.0},
    },
}
# Each worker of pytest-xdist has domains of its own: on one, tests would hear each other.
_workers = int(os.environ.get('PYTEST_XDIST_WORKER_COUNT', '1'))
_worker = int(os.environ.get('PYTEST_XDIST_WORKER', 'gw0').removeprefix('gw'))
_own = range(10, 100)[_worker % _workers :: _workers]
# Another run on this machine most likely begins elsewhere.
_domains = itertools.islice(itertools.cycle(_own), os.getpid() % len(_own), None)


@pytest.fixture(scope='session', autouse=True)
def heard_signals() -> Iterator[None]:
    """Let signals end what the tests start, also under nohup or as a job in the background."""
    usual = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGHUP: signal.SIG_DFL,
        signal.SIGQUIT: signal.SIG_DFL,
    }
    ignored = [n for n in usual if signal.getsignal(n) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, usual[number])
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture
def domain(monkeypatch: pytest.MonkeyPatch) -> int:
    """Return a ROS_DOMAIN_ID of its own for each test, valid here and in child processes."""
    number = next(_domains)
    monkeypatch.setenv('ROS_DOMAIN_ID', str(number))
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    monkeypatch.setenv('PYTHONPATH', str(ROOT), prepend=os.pathsep)
    return number


@pytest.fixture(scope='session')
def require_same() -> Callable[[Robot, Observation, Observation], None]:
    """Return what asserts that two observations of a robot show a model the same."""

    def require(robot: Robot, live: Observation, recorded: Observation) -> None:
        assert live.stamp_ns == recorded.stamp_ns
        assert np.array_equal(live.known, recorded.known)
        assert np.array_equal(live.age_s, recorded.age_s)
        for row, modality in enumerate(robot.modalities):
            known = live.known[row]
            there = recorded.values[modality.name][known]
            assert np.array_equal(live.values[modality.name][known], there), modality.name

    return require


@pytest.fixture
def robot_data() -> dict[str, Any]:
    """Return the small robot's YAML as data, to be spoilt at will."""
    return copy.deepcopy(SMALL_ROBOT)


@pytest.fixture
def load(tmp_path: Path) -> Callable[[Any], Robot]:
    """Return what loads a robot from data, by way of a file."""

    def load_data(data: Any) -> Robot:
        path = tmp_path / 'robot.yaml'
        path.write_text(yaml.safe_dump(data, sort_keys=False), encoding='utf-8')
        return load_robot(path)

    return load_data


@pytest.fixture
def robot(load: Callable[[Any], Robot], robot_data: dict[str, Any]) -> Robot:
    return load(robot_data)


@pytest.fixture
def full_disk() -> Callable[[int], AbstractContextManager[None]]:
    """Return what lets no file grow beyond so many bytes, as long as it lasts."""

    @contextmanager
    def at_most(size: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return at_most


@pytest.fixture
def iiwa_file() -> Path:
    return ROOT / 'config' / 'robots' / 'iiwa_sim.yaml'


@pytest.fixture
def iiwa_data(iiwa_file: Path) -> dict[str, Any]:
    """Return the simulated robot's YAML as data, to be changed at will."""
    data: dict[str, Any] = yaml.safe_load(iiwa_file.read_text(encoding='utf-8'))
    return data


def small_normalisers(modalities: tuple[Modality, ...]) -> dict[str, Normaliser]:
    """Return one that changes every number, for each modality."""

    def one(modality: Modality) -> Normaliser:
        if modality.encoder is Encoder.IMAGE:
            return Normaliser((0.0,), (255.0,))
        steps = np.arange(1, modality.size + 1)
        return Normaliser(tuple((0.1 * steps).tolist()), tuple((0.5 * steps).tolist()))

    return {m.name: one(m) for m in modalities}


@pytest.fixture
def normalisers(robot: Robot) -> dict[str, Normaliser]:
    return small_normalisers(robot.modalities)


@pytest.fixture
def network_data() -> dict[str, Any]:
    """Return the `network` section of a training YAML, as small as it gets."""
    return copy.deepcopy(SMALL_NETWORK)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def write_world(robot: Robot, tmp_path: Path) -> Callable[..., Path]:
    """Return what writes a data set in which everything follows from where the joints are.

    The touch is linear in the joints, the picture is as bright as they say, the right command
    leads home, and the applied one is it with noise.
    """

    def write(episodes: int = 6, length: int = 12, shards: int = 2, name: str = 'world') -> Path:
        from mmvae_controller.datasets.store import Description, write_description, write_shard

        folder = tmp_path / name
        random = np.random.default_rng(5)
        period_s, step_s = 0.05, 0.1
        for shard in range(shards):
            rows: list[dict[str, Any]] = []
            for episode in range(shard * episodes // shards, (shard + 1) * episodes // shards):
                joints = random.uniform(-1, 1, 3)
                for _ in range(length):
                    right = -2.0 * joints[[2, 0]]
                    applied = right + 0.3 * random.normal(size=2)
                    bright = np.clip(128 + 100 * joints, 0, 255)
                    rows.append(
                        {
                            'camera': np.broadcast_to(bright, (8, 8, 3)).astype(np.uint8),
                            'joints': joints.astype(np.float32),
                            'touch': np.array([joints[0] + joints[1], 3 * joints[2]], np.float32),
                            'motor': applied.astype(np.float32),
                            'label': right.astype(np.float32),
                            'known': np.ones(4, dtype=bool),
                            'episode': np.int64(episode),
                        }
                    )
                    joints = joints + period_s * np.array([applied[1], 0.2, applied[0]])
            columns = {key: np.stack([row[key] for row in rows]) for key in rows[0]}
            write_shard(folder, shard, columns)
        write_description(
            folder, Description(robot.modalities, step_s, period_s, {'from': 'test'})
        )
        return folder

    return write


@pytest.fixture
def icub_windows(random: np.random.Generator) -> Any:
    """Return windows of which each begins where the one before ends."""
    from mmvae_controller.datasets.icub import IcubWindows, MODALITIES, STEP_S
    from mmvae_controller.datasets.store import Description

    states = {m.name: random.uniform(-1, 1, (61, m.size)).astype('f4') for m in MODALITIES}
    values = {n: np.stack([s[:-1], s[1:]], axis=1) for n, s in states.items()}
    return IcubWindows(Description(MODALITIES, STEP_S, STEP_S, {'file': 'test'}), values)


@pytest.fixture(scope='session')
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a model with random weights; copy it before damaging it."""
    import torch

    folder = tmp_path_factory.mktemp('models') / 'small'
    torch.manual_seed(3)
    save_small(folder)
    return folder


def save_small(folder: Path) -> None:
    """Save a model for the small robot."""
    from mmvae_controller.modality.reader import Section
    from mmvae_controller.vae.checkpoint import save_model
    from mmvae_controller.vae.config import network_config
    from mmvae_controller.vae.network import RealUnits, TwoStepVAE

    path = folder.parent / 'robot.yaml'
    path.write_text(yaml.safe_dump(SMALL_ROBOT, sort_keys=False), encoding='utf-8')
    modalities = load_robot(path).modalities
    config = network_config(Section(copy.deepcopy(SMALL_NETWORK), 'test'), modalities)
    model = RealUnits(TwoStepVAE(modalities, config), small_normalisers(modalities))
    save_model(folder, model, 'small', 0.1, {'from': 'test'}, small_normalisers(modalities))


@pytest.fixture
def training_data(network_data: dict[str, Any]) -> dict[str, Any]:
    """Return a training YAML as data: three short epochs."""
    return {
        'name': 'small',
        'seed': 1,
        'epochs': 3,
        'batch_size': 16,
        'learning_rate': 0.003,
        'warmup_steps': 2,
        'picture_share': 0.5,
        'held_out': 0.2,
        'kl': {'start': 1.0, 'plateau': 0.1, 'epochs': 2},
        'muting': {'policy': 0.5, 'alone': 0.2, 'random': 0.3},
        'network': network_data,
    }
