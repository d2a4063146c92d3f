"""How far a sense is from what the model expects of it."""

from dataclasses import replace

from mmvae_controller.control.surprise import LOOK_BACK_S, MOST_STD, Surprise, widespread
from mmvae_controller.control.window import NS, ObservationWindow
from mmvae_controller.modality.gaussian import Gaussian
from mmvae_controller.modality.observation import CURRENT, PREVIOUS
import numpy as np
import pytest

STEP_S = 0.1
PERIOD_NS = NS // 20
NAMES = ('camera', 'joints', 'touch', 'motor')


class Expecting:
    """A network that expects of everything a number, and notes what it was told."""

    def __init__(self, contract, expected):
        self.contract = replace(contract, longest_age_s={'joints': 1.0, 'camera': 1.0})
        self.expected = expected
        self.told = None

    def decode_one(self, observation, known, wanted):
        self.told = (observation, known)
        (name,) = wanted
        shape = (1, 2, *next(m.shape for m in self.contract.modalities if m.name == name))
        return {name: Gaussian(np.full(shape, self.expected), np.full(shape, 0.5))}


@pytest.fixture
def network(model_folder):
    from mmvae_controller.modality.contract import read_contract

    return Expecting(read_contract(model_folder), 1.0)


@pytest.fixture
def window(robot):
    """Return a window in which every sense was sampled for a second."""
    window = ObservationWindow(
        robot.modalities, STEP_S, {}, {'joints': 1.0}, {'joints': 1.0}, history_s=0.6
    )
    for stamp_ns in range(0, NS + 1, PERIOD_NS):
        for modality in robot.modalities:
            value = np.full(modality.shape, stamp_ns / NS).astype(modality.dtype)
            window.push(modality.name, value, stamp_ns)
    return window


def test_it_is_the_largest_deviation_of_a_vector_in_standard_deviations(network, window):
    value = np.array([1.0, 1.0, 2.5])
    window.push('joints', value, NS)
    assert Surprise(network).of('joints', window, window.read(NS)) == pytest.approx(3.0)


def test_of_a_picture_each_pixel_counts_for_so_much_at_most():
    assert widespread(np.full((8, 8, 3), -2.0)) == pytest.approx(2.0)
    one = np.zeros((8, 8, 3))
    one[0, 0] = 1e6
    assert widespread(one) == pytest.approx(MOST_STD / 8)


def test_the_past_of_a_sense_is_told_with_its_age_and_the_present_is_not(network, window):
    Surprise(network).of('joints', window, window.read(NS))
    told, fresh = network.told
    row = NAMES.index('joints')
    assert told.values['joints'][:, 0].tolist() == pytest.approx([0.4, 0.5])
    assert fresh[row] == pytest.approx([1 / (1 + LOOK_BACK_S)] * 2)
    assert told.values['touch'][CURRENT, 0] == pytest.approx(1.0)
    assert fresh[NAMES.index('motor'), CURRENT] == 0


def test_without_its_past_a_sense_is_masked(network, window):
    Surprise(network).of('joints', window, window.read(NS), past=False)
    assert not network.told[1][NAMES.index('joints')].any()
    assert network.told[1][NAMES.index('touch')].all()


def test_another_sense_can_be_left_out(network, window):
    Surprise(network).of('joints', window, window.read(NS), without='camera')
    assert not network.told[1][NAMES.index('camera')].any()
    assert network.told[1][NAMES.index('joints'), PREVIOUS] > 0


def test_what_was_asked_changes_nothing_in_the_observation(network, window):
    seen = window.read(NS)
    known, age_s = seen.known.copy(), seen.age_s.copy()
    values = {n: v.copy() for n, v in seen.values.items()}
    Surprise(network).of('joints', window, seen, without='camera')
    assert np.array_equal(seen.known, known)
    assert np.array_equal(seen.age_s, age_s)
    assert all(np.array_equal(seen.values[n], v) for n, v in values.items())


def test_there_is_a_past_that_the_model_reads_or_there_is_not(network, window):
    surprise = Surprise(network)
    assert surprise.has_past('joints', window, NS)
    assert not surprise.has_past('touch', window, NS)  # The model never read an old one.
    window.distrust('joints', 0)
    assert not surprise.has_past('joints', window, NS)
    window.trust('joints')
    window.clear()
    assert not surprise.has_past('joints', window, NS)


def test_a_sense_that_never_came_cannot_be_compared(network, robot):
    window = ObservationWindow(robot.modalities, STEP_S, {})
    window.push('touch', np.zeros(2), 0)
    assert Surprise(network).of('joints', window, window.read(0)) is None
