"""What the shipped model makes of a camera that fell silent: less and less certain, and useful."""

from dataclasses import replace

from mmvae_controller.control.assembly import controller_of
from mmvae_controller.control.window import SenseState
from mmvae_controller.modality.observation import CURRENT
from mmvae_controller.simulation.episode import ticks, wire
import numpy as np
import pytest

LOST_AFTER_S = 0.3
EPISODES = 6


def run(touch_simulator, controller, seed):
    """Yield the ticks of an episode whose camera falls silent."""
    began_ns = []

    def distort(values, now_ns):
        began_ns[:] = began_ns or [now_ns]
        late = now_ns - began_ns[0] >= LOST_AFTER_S * 1e9
        return {n: v for n, v in values.items() if not (late and n == 'camera')}

    return ticks(
        touch_simulator, controller, wire(controller.robot, touch_simulator), seed, distort=distort
    )


def test_the_older_the_last_pictures_the_less_certain_is_what_is_imagined(
    touch_network, iiwa, touch_simulator
):
    controller = controller_of(touch_network, iiwa)
    stds = {}
    for tick in run(touch_simulator, controller, 20000):
        age_s = float(tick.observation.age_s[0, CURRENT])
        if age_s > 0:
            controller.stop()  # Or it would be there before the pictures are old.
        if tick.senses['camera'] is SenseState.PREDICTED and round(40 * age_s) % 20 == 0:
            told = touch_network.contract.freshness(tick.observation)
            decoded = touch_network.decode_one(tick.observation, told, ['camera'])['camera']
            stds[round(age_s, 1)] = float(np.square(decoded.std[0, CURRENT]).mean())
    ages = sorted(stds)
    assert len(ages) >= 5
    assert [stds[age] for age in ages] == sorted(stds[age] for age in ages)


@pytest.mark.slow
def test_it_still_finds_the_ball_and_without_a_policy_it_holds(
    touch_network, iiwa, touch_simulator
):
    off = {n: replace(s, max_prediction_s=0.0) for n, s in iiwa.sources.items()}
    found = {}
    for name, configured in (('predicted', iiwa), ('off', replace(iiwa, sources=off))):
        found[name] = 0
        for seed in range(20000, 20000 + EPISODES):
            for _ in run(touch_simulator, controller_of(touch_network, configured), seed):
                pass
            found[name] += touch_simulator.outcome().success
    assert found['predicted'] >= EPISODES - 1
    assert found['off'] <= 1
