"""How long one command takes: onnxruntime on one thread, beside the same weights in torch.

This is what keeps torch off the control path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any
import warnings

from mmvae_controller.benchmarks.figures import at_most, Figure, Found, Say
from mmvae_controller.benchmarks.timing import in_turns, percentile, US_PER_S
from mmvae_controller.control.looking import REMEMBERED
from mmvae_controller.control.network import Network
from mmvae_controller.control.whole import Whole
from mmvae_controller.modality.contract import NETWORK_FILE
from mmvae_controller.modality.observation import Observation, policy_query
from mmvae_controller.modality.shared_files import find_model
from mmvae_controller.modality.spec import Encoder, Modality
from mmvae_controller.vae.checkpoint import load_model
from mmvae_controller.vae.network import RealUnits
import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

MODELS = ('icub', 'touch_target')
ROUNDS, QUICK_ROUNDS, WARM_UP = 1000, 20, 10
PICTURE_EVERY = 7
# More than are remembered: else a picture that comes round again would be known.
PICTURES = 2 * REMEMBERED
UINT8_VALUES = 256
WHOLE = 'onnxruntime, whole'
NOTES = (
    'The command at t, asked as a policy, all else known. The picture changes every seventh time, '
    'as that of a 30 Hz camera does at 200 Hz; it is looked at when it comes, which counts.',
    'torch decodes the command alone, on one thread, without gradients; traced is torch.jit.trace '
    'and freeze of the same. whole is network.onnx, of which everything is computed.',
    'In turns: each finds its weights pushed out of the caches by the others, as after the pause '
    'between two ticks.',
)


def benchmark(quick: bool, say: Say) -> Found:
    """See `Benchmark`."""
    rounds = QUICK_ROUNDS if quick else ROUNDS
    figures: list[Figure] = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for name in MODELS:
            say(name)
            figures += _figures(name, find_model(name), rounds)
    finally:
        torch.set_num_threads(threads)
    return Found(figures, {'models': list(MODELS), 'rounds': rounds, 'threads': 1}, NOTES)


def _figures(name: str, folder: Path, rounds: int) -> Iterator[Figure]:
    calls = askers(folder)
    took = dict(zip(calls, in_turns(list(calls.values()), rounds, WARM_UP), strict=True))
    ours = took.pop('ours')
    for beside, times in took.items():
        for share in (50, 99):
            mine, theirs = (US_PER_S * percentile(t, share) for t in (ours, times))
            what = f'{name}: a command, p{share}'
            if beside == WHOLE:
                yield Figure(what, 'us', mine, theirs, beside)
            else:
                yield at_most(what, 'us', mine, theirs, beside, 1.0)


def askers(folder: Path) -> dict[str, Callable[[], NDArray[np.float32]]]:
    """Return who answers with the command `(1, 2, D)`, by name; ours is `ours`."""
    network = Network(folder)
    model, contract = load_model(folder)
    command = contract.command.name
    known = policy_query(contract.modalities)
    age_s = np.zeros(known.shape, dtype=np.float32)
    masks = known[None].astype(np.float32)
    whole, rows = Whole(folder / NETWORK_FILE, contract), np.zeros(1, dtype=np.int64)
    asked = CommandOnly(model, command)
    example = _inputs(next(observations(contract.modalities)), masks)
    traced = _traced(asked.eval(), example)
    coming = [observations(contract.modalities) for _ in range(4)]

    def ours() -> NDArray[np.float32]:
        observation = Observation(0, next(coming[0]), known, age_s)
        return network.decode_one(observation, known, [command])[command].mean

    def as_whole() -> NDArray[np.float32]:
        feeds = {n: v[None] for n, v in next(coming[1]).items()}
        return whole.decode(feeds, masks, rows, [command])[command].mean

    def in_torch() -> NDArray[np.float32]:
        with torch.no_grad():
            return np.asarray(asked(*_inputs(next(coming[2]), masks)).numpy())

    def in_jit() -> NDArray[np.float32]:
        with torch.no_grad():
            return np.asarray(traced(*_inputs(next(coming[3]), masks)).numpy())

    return {'ours': ours, WHOLE: as_whole, 'torch': in_torch, 'torch, traced': in_jit}


class CommandOnly(torch.nn.Module):
    """The command, as somebody would decode it who knows what a decoder of pictures costs."""

    def __init__(self, model: RealUnits, command: str) -> None:
        """Ask a model for its command."""
        super().__init__()
        self.model, self.command = model, command

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return its mean `(1, 2, D)` in its own unit; the inputs are those of `RealUnits`."""
        *samples, mask, rows = inputs
        network = self.model.network
        values = dict(zip((m.name for m in network.modalities), samples, strict=True))
        latent = network.settle(self.model.normalise(values), mask, rows).mean
        mean = network.decode(latent, [self.command])[self.command].mean
        return self.model.scaling(self.command).restore(mean)


def _traced(module: torch.nn.Module, example: tuple[Tensor, ...]) -> Any:
    """Return what deployed torch was for years; it warns that it is not to be any more."""
    trace: Any = torch.jit.trace
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')
        return torch.jit.freeze(trace(module, example, check_trace=False))


def _inputs(
    values: Mapping[str, NDArray[np.generic]], masks: NDArray[np.float32]
) -> tuple[Tensor, ...]:
    samples = (torch.from_numpy(value)[None] for value in values.values())
    return *samples, torch.from_numpy(masks), torch.zeros(1, dtype=torch.int64)


def observations(
    modalities: Sequence[Modality],
) -> Iterator[Mapping[str, NDArray[np.generic]]]:
    """Yield observations `(2, *shape)` as they come, made before; the vectors are always new."""
    random = np.random.default_rng(0)
    made: list[Mapping[str, NDArray[np.generic]]] = []
    values: dict[str, NDArray[np.generic]] = {}
    for number in range(PICTURES * PICTURE_EVERY):
        for m in modalities:
            if m.encoder is not Encoder.IMAGE:
                values[m.name] = random.normal(size=(2, *m.shape)).astype(np.float32)
            elif number % PICTURE_EVERY == 0:
                new = random.integers(0, UINT8_VALUES, m.shape, dtype=np.uint8)
                values[m.name] = np.stack([values.get(m.name, new[None])[-1], new])
        made.append(dict(values))
    return cycle(made)
