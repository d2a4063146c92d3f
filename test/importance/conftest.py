"""Windows held in memory, and a network that is a formula with one factor."""

from __future__ import annotations

from mmvae_controller.datasets.store import Batch, Description
from mmvae_controller.modality.contract import LATENT, ModelContract
from mmvae_controller.modality.gaussian import Gaussian
from mmvae_controller.modality.normaliser import Normaliser
from mmvae_controller.modality.observation import CURRENT
from mmvae_controller.modality.spec import Encoder, Modality, Quantity, Role
import numpy as np
import pytest

STEP_S = 0.1
SIZES = {'eye': 3, 'skin': 2, 'motor': 2}
GAINS = {'eye': 2.0, 'skin': 0.5, 'motor': 1.0}


def modality(name, size):
    command = name == 'motor'
    return Modality(
        name,
        Role.COMMAND if command else Role.SENSE,
        Encoder.VECTOR,
        (size,),
        'rad/s' if command else 'N',
        tuple(f'{name}.{number}' for number in range(size)),
        1.0,
        Quantity.VELOCITY if command else None,
    )


class Factor:
    """Holds one factor for the cause of everything: modality i shows gain_i times it, with noise.

    What it decodes is the exact posterior, so nothing it says of importance is an artefact. A
    modality whose gain is 0 is ignored, and decoded as the same whatever is known.
    """

    def __init__(self, modalities, gains, provenance=None, noise=0.5):
        normalisers = {m.name: Normaliser((0.0,) * m.size, (1.0,) * m.size) for m in modalities}
        sums = {'network.onnx': 'of the network', 'weights.safetensors': 'of the weights'}
        self.contract = ModelContract(
            'factor', tuple(modalities), normalisers, STEP_S, 1, {}, provenance or {}, sums
        )
        self.gains, self.noise, self.batches = gains, noise, []

    def decode(self, values, known, wanted):
        self.batches.append(len(known))
        count = len(next(iter(values.values())))
        rows = np.repeat(np.arange(count), len(known) // count)
        weight, total = np.ones(len(known)), np.zeros(len(known))
        for place, m in enumerate(self.contract.modalities):
            gain = self.gains[m.name]
            seen = values[m.name].astype(float).mean(axis=2)[rows] * known[:, place]
            weight = weight + gain**2 / self.noise**2 * known[:, place].sum(axis=1)
            total = total + gain / self.noise**2 * seen.sum(axis=1)
        mean, variance = total / weight, 1 / weight
        decoded = {LATENT: Gaussian(mean[:, None], np.sqrt(variance)[:, None])}
        for m in self.contract.modalities:
            gain, shape = self.gains[m.name], (len(known), 2, m.size)
            std = np.sqrt(gain**2 * variance + self.noise**2)
            decoded[m.name] = Gaussian(
                np.broadcast_to((gain * mean)[:, None, None], shape),
                np.broadcast_to(std[:, None, None], shape),
            )
        return {name: decoded[name] for name in wanted}


class Memory:
    """Two-step windows in memory."""

    def __init__(self, modalities, values, known=None, patterns=None, provenance=None):
        self.description = Description(tuple(modalities), STEP_S, STEP_S, provenance or {})
        self.values, self.patterns = values, patterns or {}
        count = len(next(iter(values.values())))
        self.known = np.ones((count, len(modalities), 2), bool) if known is None else known

    def __len__(self):
        return len(self.known)

    def batch(self, rows):
        label = self.values['motor'][rows][:, CURRENT]
        return Batch({n: v[rows] for n, v in self.values.items()}, self.known[rows], label)

    def split(self, held_out, seed):
        rows = np.arange(len(self), dtype=np.int64)
        count = round(len(self) * held_out)
        return rows[count:], rows[:count]


@pytest.fixture
def modalities():
    return tuple(modality(name, size) for name, size in SIZES.items())


@pytest.fixture
def one_modality():
    return modality


@pytest.fixture
def gains():
    return dict(GAINS)


@pytest.fixture
def factor():
    return Factor


@pytest.fixture
def memory():
    return Memory


@pytest.fixture
def draw(random, memory, modalities):
    """Return what makes windows in which everything shows one factor; with noise."""

    def make(count=40, **options):
        cause = random.normal(size=(count, 1, 1))
        values = {
            m.name: (GAINS[m.name] * cause + 0.5 * random.normal(size=(count, 2, m.size))).astype(
                np.float32
            )
            for m in modalities
        }
        return memory(modalities, values, **options)

    return make
