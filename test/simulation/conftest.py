"""The shipped touch_target in its simulation."""

from pathlib import Path

from mmvae_controller.control.network import Network
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.simulation.arm_file import load_arm
from mmvae_controller.simulation.simulator import Simulator
from mmvae_controller.simulation.tasks.task import make_task
import pytest

ROOT = Path(__file__).parents[2]
MODEL = ROOT / 'models' / 'touch_target'
ARMS = ('iiwa', 'panda')


@pytest.fixture(scope='session')
def touch_network():
    return Network(MODEL)


@pytest.fixture
def iiwa(iiwa_file):
    return load_robot(iiwa_file)


@pytest.fixture(scope='session')
def arms():
    """Return every arm that ships, by name."""
    return {name: load_arm(ROOT / 'config' / 'arms' / f'{name}.yaml') for name in ARMS}


@pytest.fixture(scope='session')
def iiwa_arm(arms):
    return arms['iiwa']


@pytest.fixture
def touch_simulator(iiwa_arm):
    simulator = Simulator(make_task('touch_target'), iiwa_arm)
    yield simulator
    simulator.close()
