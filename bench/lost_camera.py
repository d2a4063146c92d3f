"""What a lost camera is best predicted from: its last two pictures, or what was decoded last.

    python bench/lost_camera.py --episodes 50

The camera is silent from 0.3 s on. Either the model is shown the last two pictures and how old
they are, as on the robot; or the picture that it decodes is its next input, as if the camera had
sent it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from mmvae_controller.control.assembly import controller_of
from mmvae_controller.control.controller import Controller
from mmvae_controller.control.network import Network
from mmvae_controller.control.policy import Estimate, NetworkPolicy
from mmvae_controller.control.window import NS
from mmvae_controller.modality.observation import CURRENT, Observation, policy_query
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.simulation.arm_file import arm_of
from mmvae_controller.simulation.episode import ticks, Values, wire
from mmvae_controller.simulation.simulator import Simulator
from mmvae_controller.simulation.tasks.task import make_task
import numpy as np

ROOT = Path(__file__).parents[1]
CAMERA = 'camera'
LOST_AFTER_S = 0.3
UINT8_MAX = 255


class FedBack:
    """Shows the model what it decoded itself as soon as the camera is silent."""

    def __init__(self, network: Network) -> None:
        """Decide as the model does."""
        self._network = network
        self._policy = NetworkPolicy(network)
        self._query = policy_query(network.contract.modalities)
        self.controller: Controller | None = None
        self.lost = False

    def decide(self, observation: Observation) -> Estimate:
        """Decode the camera, take it for a picture, and decide."""
        if self.lost and self.controller is not None:
            fresh = self._network.contract.freshness(observation) * self._query
            decoded = self._network.decode_one(observation, fresh, [CAMERA])[CAMERA]
            picture = np.clip(np.rint(decoded.mean[0, CURRENT]), 0, UINT8_MAX).astype(np.uint8)
            now_ns = observation.stamp_ns
            self.controller.window.push(CAMERA, picture, now_ns)
            observation = self.controller.window.read(now_ns)
        return self._policy.decide(observation)


def silent(on_loss: Callable[[], None]) -> Callable[[Values, int], Values]:
    """Return a camera that falls silent."""
    began_ns: list[int] = []

    def distort(values: Values, now_ns: int) -> Values:
        began_ns[:] = began_ns or [now_ns]
        if now_ns - began_ns[0] < LOST_AFTER_S * NS:
            return values
        on_loss()
        return {name: value for name, value in values.items() if name != CAMERA}

    return distort


def main() -> None:
    """Run both and print their successes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--model', type=Path, default=ROOT / 'models' / 'touch_target')
    parser.add_argument('--task', default='touch_target')
    parser.add_argument('--episodes', type=int, default=50)
    parser.add_argument('--seed', type=int, default=10000)
    given = parser.parse_args()
    network = Network(given.model)
    # What it decodes shows little; that is what is compared, not the bound on contrast.
    robot = load_robot(ROOT / 'config' / 'robots' / 'iiwa_sim.yaml').taking_every_picture()
    simulator = Simulator(make_task(given.task), arm_of(robot))
    for kind in ('last pictures and their age', 'decoded picture fed back'):
        successes = 0
        for seed in range(given.seed, given.seed + given.episodes):
            fed_back = FedBack(network) if 'fed back' in kind else None
            controller = controller_of(network, robot, fed_back)

            def lose(policy: FedBack | None = fed_back) -> None:
                if policy is not None:
                    policy.lost = True

            if fed_back is not None:
                fed_back.controller = controller
            wiring = wire(robot, simulator)
            for _ in ticks(simulator, controller, wiring, seed, distort=silent(lose)):
                pass
            successes += simulator.outcome().success
        print(f'{kind}: {successes} of {given.episodes}', flush=True)


if __name__ == '__main__':
    main()
