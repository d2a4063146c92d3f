"""The shipped touch_target in its simulation."""

from pathlib import Path

from mmvae_controller.control.network import Network
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.simulation.simulator import Simulator
from mmvae_controller.simulation.tasks.task import make_task
import pytest

MODEL = Path(__file__).parents[2] / 'models' / 'touch_target'


@pytest.fixture(scope='session')
def touch_network():
    return Network(MODEL)


@pytest.fixture
def iiwa(iiwa_file):
    return load_robot(iiwa_file)


@pytest.fixture
def touch_simulator():
    simulator = Simulator(make_task('touch_target'))
    yield simulator
    simulator.close()
