"""What the shipped model makes of a camera that fell silent: less and less certain, and useful."""

from dataclasses import replace
from pathlib import Path

from mmvae_controller.control.assembly import controller_of
from mmvae_controller.control.network import Network
from mmvae_controller.control.window import SenseState
from mmvae_controller.modality.observation import CURRENT
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.simulation.episode import ticks, wire
from mmvae_controller.simulation.simulator import Simulator
from mmvae_controller.simulation.tasks.task import make_task
import numpy as np
import pytest

MODEL = Path(__file__).parents[2] / 'models' / 'touch_target'
LOST_AFTER_S = 0.3
EPISODES = 6


@pytest.fixture(scope='module')
def network():
    return Network(MODEL)


@pytest.fixture
def robot(iiwa_file):
    return load_robot(iiwa_file)


@pytest.fixture
def simulator():
    simulator = Simulator(make_task('touch_target'))
    yield simulator
    simulator.close()


def run(simulator, controller, seed):
    """Yield the ticks of an episode whose camera falls silent."""
    began_ns = []

    def distort(values, now_ns):
        began_ns[:] = began_ns or [now_ns]
        late = now_ns - began_ns[0] >= LOST_AFTER_S * 1e9
        return {n: v for n, v in values.items() if not (late and n == 'camera')}

    return ticks(simulator, controller, wire(controller.robot, simulator), seed, distort=distort)


def test_the_older_the_last_pictures_the_less_certain_is_what_is_imagined(
    network, robot, simulator
):
    controller = controller_of(network, robot)
    stds = {}
    for tick in run(simulator, controller, 20000):
        age_s = float(tick.observation.age_s[0, CURRENT])
        if age_s > 0:
            controller.stop()  # Or it would be there before the pictures are old.
        if tick.senses['camera'] is SenseState.PREDICTED and round(40 * age_s) % 20 == 0:
            told = network.contract.freshness(tick.observation)
            decoded = network.decode_one(tick.observation, told, ['camera'])['camera']
            stds[round(age_s, 1)] = float(np.square(decoded.std[0, CURRENT]).mean())
    ages = sorted(stds)
    assert len(ages) >= 5
    assert [stds[age] for age in ages] == sorted(stds[age] for age in ages)


@pytest.mark.slow
def test_it_still_finds_the_ball_and_without_a_policy_it_holds(network, robot, simulator):
    off = {n: replace(s, max_prediction_s=0.0) for n, s in robot.sources.items()}
    found = {}
    for name, configured in (('predicted', robot), ('off', replace(robot, sources=off))):
        found[name] = 0
        for seed in range(20000, 20000 + EPISODES):
            for _ in run(simulator, controller_of(network, configured), seed):
                pass
            found[name] += simulator.outcome().success
    assert found['predicted'] >= EPISODES - 1
    assert found['off'] <= 1
