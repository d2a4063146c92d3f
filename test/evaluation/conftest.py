"""Windows held in memory, and networks that are a formula."""

from __future__ import annotations

from mmvae_controller.datasets.icub import IcubWindows, MODALITIES, STEP_S
from mmvae_controller.datasets.store import Dataset, Description
from mmvae_controller.modality.contract import ModelContract
from mmvae_controller.modality.gaussian import Gaussian
from mmvae_controller.modality.normaliser import Normaliser
import numpy as np
import pytest

ICUB_WINDOWS = 80
SPREAD = 0.5


class Formula:
    """Decodes every modality as a function of what it is given, with one spread for all.

    What it was given is kept, to be looked at.
    """

    def __init__(self, modalities, formula, provenance=None, spread=SPREAD, network=None):
        normalisers = {m.name: Normaliser((0.0,) * m.size, (1.0,) * m.size) for m in modalities}
        self.contract = ModelContract(
            'formula', modalities, normalisers, 0.1, 2, network or {}, provenance or {}, {}
        )
        self.formula, self.spread, self.given = formula, spread, []

    def decode(self, values, known, wanted):
        self.given.append((values, known))
        decoded = {}
        for name in wanted:
            mean = np.asarray(self.formula(name, values[name]), np.float32)
            decoded[name] = Gaussian(mean, np.full_like(mean, self.spread))
        return decoded


def echo(name, value):
    """Decode what is given."""
    return value


def ahead(name, value):
    """Decode 1 more than at t-1, at t."""
    return np.stack([value[:, 0], value[:, 0].astype(np.float32) + 1], axis=1)


@pytest.fixture
def formulas():
    return {'echo': echo, 'ahead': ahead}


@pytest.fixture
def formula():
    return Formula


@pytest.fixture
def world(write_world):
    """Return a recorded data set: 6 episodes of 12 rows, the first two of each without t-1."""
    return Dataset(write_world())


def icub_windows(values, **provenance):
    return IcubWindows(Description(MODALITIES, STEP_S, STEP_S, provenance), values)


@pytest.fixture
def icub(random):
    """Return what makes windows of one trajectory in order, in the iCub's modalities."""

    def make(windows=ICUB_WINDOWS, shift=0.0, **provenance):
        values = {}
        for modality in MODALITIES:
            states = shift + random.uniform(-1, 1, (windows + 1, modality.size))
            values[modality.name] = np.stack([states[:-1], states[1:]], axis=1).astype('f4')
        return icub_windows(values, **{'sha256': 'of the training file', **provenance})

    return make


@pytest.fixture
def icub_formula():
    """Return what makes a network for the iCub's modalities; see `Formula`."""

    def make(formula=echo, **options):
        network = Formula(MODALITIES, formula, **options)
        contract = network.contract
        network.contract = ModelContract(
            contract.name,
            contract.modalities,
            contract.normalisers,
            STEP_S,
            2,
            contract.network,
            contract.provenance,
            {'network.onnx': 'sum'},
        )
        return network

    return make
