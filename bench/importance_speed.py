"""How long does one evaluation of all importance measures take, beside one tick of the policy?

    python bench/importance_speed.py

One core, the shipped models: `icub` has five vectors, `touch_target` a 64x64 picture. The floor is
the same network asked once for everything, as onnxruntime answers it.
"""

from __future__ import annotations

from pathlib import Path
import time

from mmvae_controller.control.network import Network
from mmvae_controller.importance.live import LiveImportance
from mmvae_controller.modality.contract import LATENT
from mmvae_controller.modality.observation import everything_known, Observation, policy_query
from mmvae_controller.modality.spec import Encoder
import numpy as np

MODELS = Path(__file__).parents[1] / 'models'
ROUNDS = 500
WARM_UP = 20


def main() -> None:
    """Print a row for each model."""
    print('model          modalities  all measures p50 / p99 ms   one answer p50 ms   ratio')
    for name in ('icub', 'touch_target'):
        network = Network(MODELS / name)
        observation = any_observation(network.contract.modalities)
        importance = LiveImportance(network)
        wanted = [*(m.name for m in network.contract.modalities), LATENT]
        known = observation.known & policy_query(network.contract.modalities)
        # In turns, so that what else the machine does meets both alike.
        took = timed(
            lambda i=importance, o=observation: i.evaluate(o),
            lambda n=network, o=observation, k=known, w=wanted: n.decode_one(o, k, w),
        )
        (p50, p99), (floor, _) = (np.percentile(t, (50, 99)) for t in took)
        print(
            f'{name:14s} {len(known):10d} {p50:17.2f} / {p99:.2f} {floor:21.2f} {p50 / floor:9.1f}'
        )


def any_observation(modalities) -> Observation:
    """Return random values, all known."""
    random = np.random.default_rng(0)
    values = {
        m.name: random.integers(0, 256, (2, *m.shape), dtype=np.uint8)
        if m.encoder is Encoder.IMAGE
        else random.normal(size=(2, *m.shape)).astype(np.float32)
        for m in modalities
    }
    known = everything_known(modalities)
    return Observation(0, values, known, np.zeros(known.shape, dtype=np.float32))


def timed(*calls) -> list[list[float]]:
    """Return how long each call took each time, ms."""
    took: list[list[float]] = [[] for _ in calls]
    for number in range(WARM_UP + ROUNDS):
        for times, call in zip(took, calls, strict=True):
            began = time.perf_counter()
            call()
            if number >= WARM_UP:
                times.append((time.perf_counter() - began) * 1000)
    return took


if __name__ == '__main__':
    main()
