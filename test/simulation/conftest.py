"""The shipped touch_target in its simulation."""

from concurrent.futures import Future
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


class InThisProcess:
    """Runs jobs at once and here, where the test has changed things."""

    def __init__(self, processes, mp_context=None):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def submit(self, function, *arguments):
        future = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future


@pytest.fixture(scope='session')
def in_this_process():
    """Return what takes the place of a pool of processes."""
    return InThisProcess


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
