"""How long one evaluation of all importance measures takes, as the diagnostics node does it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mmvae_controller.benchmarks.figures import at_most, Figure, Found, Say
from mmvae_controller.benchmarks.inference import observations
from mmvae_controller.benchmarks.timing import in_turns, MS_PER_S, percentile
from mmvae_controller.control.network import Network
from mmvae_controller.control.whole import Whole
from mmvae_controller.importance.divergences import masked_copies
from mmvae_controller.importance.live import LiveImportance
from mmvae_controller.modality.contract import LATENT, NETWORK_FILE
from mmvae_controller.modality.observation import Observation, policy_query
from mmvae_controller.modality.shared_files import find_model
import numpy as np

MODELS = ('icub', 'touch_target')
ROUNDS, QUICK_ROUNDS, WARM_UP = 300, 10, 5
NOTES = (
    'All measures of one observation: 2M + 1 masks of M modalities, everything decoded, and their '
    'divergences. Beside the same questions one after the other, without the divergences, and '
    'beside one answer.',
)


def benchmark(quick: bool, say: Say) -> Found:
    """See `Benchmark`."""
    rounds = QUICK_ROUNDS if quick else ROUNDS
    figures: list[Figure] = []
    for name in MODELS:
        say(name)
        figures += _figures(name, find_model(name), rounds)
    return Found(figures, {'models': list(MODELS), 'rounds': rounds, 'threads': 1}, NOTES)


def _figures(name: str, folder: Path, rounds: int) -> Iterator[Figure]:
    network = Network(folder)
    contract = network.contract
    live, whole = LiveImportance(network), Whole(folder / NETWORK_FILE, contract)
    wanted = [*(m.name for m in contract.modalities), LATENT]
    known = policy_query(contract.modalities)
    streams = [observations(contract.modalities) for _ in range(3)]
    age_s = np.zeros(known.shape, dtype=np.float32)
    copies = masked_copies(known[None])[0].astype(np.float32)
    row = np.zeros(1, dtype=np.int64)

    def all_measures() -> None:
        live.evaluate(Observation(0, next(streams[0]), known, age_s))

    def one_by_one() -> None:
        values = {n: v[None] for n, v in next(streams[1]).items()}
        for mask in copies:
            whole.decode(values, mask[None], row, wanted)

    def one_answer() -> None:
        values = {n: v[None] for n, v in next(streams[2]).items()}
        whole.decode(values, copies[:1], row, wanted)

    took = in_turns([all_measures, one_by_one, one_answer], rounds, WARM_UP)
    ours, single, one = ([MS_PER_S * percentile(t, share) for share in (50, 99)] for t in took)
    what = f'{name}: all measures of {len(known)} modalities'
    for place, share in enumerate(('p50', 'p99')):
        beside = f'{len(copies)} answers, one by one'
        yield at_most(f'{what}, {share}', 'ms', ours[place], single[place], beside, 1.0)
    yield Figure(f'{what}, p50', 'ms', ours[0], one[0], 'one answer')
