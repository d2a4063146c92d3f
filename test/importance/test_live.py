"""Importance of every sense, asked of a network that is a formula."""

from dataclasses import replace

from mmvae_controller.importance.divergences import masked_copies
from mmvae_controller.importance.errors import ImportanceError
from mmvae_controller.importance.live import LiveImportance
from mmvae_controller.importance.measures import gaussian_kl
from mmvae_controller.modality.contract import LATENT, ModelContract
from mmvae_controller.modality.gaussian import Gaussian
from mmvae_controller.modality.observation import Observation
import numpy as np
import pytest

# How many units the command moves for each modality that is known: nothing for the touch.
PULL = np.array([3.0, 1.0, 0.0, 0.0])


class Formula:
    """Every sense is itself where known; the command is the sum of the pulls of what is known."""

    def __init__(self, robot, normalisers):
        self.contract = ModelContract('f', robot.modalities, normalisers, 0.1, 2, {}, {}, {})
        self.batches = []

    def decode(self, values, known, wanted):
        self.batches.append(len(known))
        current = known[:, :, 1].astype(float)
        decoded = {}
        for row, modality in enumerate(self.contract.modalities):
            shape = (len(known), 2, *modality.shape)
            mean = np.zeros(shape, np.float32)
            if modality.name == 'motor':
                mean += (known.any(axis=2) @ PULL).reshape(-1, 1, 1).astype(np.float32)
            else:
                mean += current[:, row].reshape(-1, *[1] * (len(shape) - 1)).astype(np.float32)
            decoded[modality.name] = Gaussian(mean, np.ones(shape, np.float32))
        latent = np.array([[2.0, 0.0]], np.float32) * known.any(axis=(1, 2))[:, None]
        decoded[LATENT] = Gaussian(latent, np.ones_like(latent))
        return {name: decoded[name] for name in wanted}


@pytest.fixture
def network(robot, normalisers):
    return Formula(robot, normalisers)


def observe(robot, unknown=()):
    known = np.ones((4, 2), dtype=bool)
    for row, modality in enumerate(robot.modalities):
        known[row] = modality.name not in unknown
    values = {m.name: np.zeros((2, *m.shape), m.dtype) for m in robot.modalities}
    return Observation(0, values, known, np.zeros((4, 2), np.float32))


def test_masked_copies_are_the_whole_each_alone_and_each_left_out():
    known = np.array([[True, True], [False, True], [True, False]])
    other = ~known
    copies, others = masked_copies(np.stack([known, other]))
    assert copies.shape == (7, 3, 2)
    assert np.array_equal(others[0], other)
    assert np.array_equal(copies[0], known)
    for row in range(3):
        alone, without = copies[1 + row], copies[4 + row]
        assert np.array_equal(alone[row], known[row])
        assert not np.delete(alone, row, axis=0).any()
        assert not without[row].any()
        assert np.array_equal(np.delete(without, row, axis=0), np.delete(known, row, axis=0))


def test_one_pass_through_the_network_is_enough(network, robot):
    LiveImportance(network).evaluate(observe(robot))
    assert network.batches == [9]


def test_the_command_loses_what_each_sense_pulls(network, robot):
    found = LiveImportance(network).evaluate(observe(robot))
    losses = found.measures['precision_loss_command']
    # Two joints, each shifted by the pull: KL = pull^2 / 2 each.
    assert losses == {'camera': 9.0, 'joints': 1.0, 'touch': 0.0, 'motor': 0.0}


def test_own_is_the_diagonal_and_all_is_the_row(network, robot):
    found = LiveImportance(network).evaluate(observe(robot))
    for row, name in enumerate(found.modalities):
        assert found.measures['precision_loss_own'][name] == found.without[row, row]
        assert found.measures['precision_loss_all'][name] == found.without[row].sum()
        assert found.measures['single_error_own'][name] == found.alone[row, row]
        assert found.measures['single_error_all'][name] == found.alone[row].sum()
        assert found.measures['precision_loss_command'][name] == found.without[row, 3]


def test_what_only_one_sense_explains_is_lost_without_it_and_kept_by_it_alone(network, robot):
    found = LiveImportance(network).evaluate(observe(robot))
    joints = found.modalities.index('joints')
    shift = gaussian_kl(np.ones(3), np.ones(3), np.zeros(3), np.ones(3)).sum()
    assert found.without[joints, joints] == shift
    assert found.alone[joints, joints] == 0


@pytest.mark.parametrize('name', ['camera', 'joints', 'touch'])
def test_a_modality_that_is_not_known_has_no_loss_of_precision(network, robot, name):
    found = LiveImportance(network).evaluate(observe(robot, unknown=(name,)))
    assert np.all(found.without[found.modalities.index(name)] == 0)


@pytest.mark.parametrize('name', ['camera', 'touch'])
def test_of_a_missing_modality_no_single_error_is_told(network, robot, name):
    found = LiveImportance(network).evaluate(observe(robot, unknown=(name,)))
    for measure in ('single_error_own', 'single_error_all'):
        told = [n for n, nats in found.measures[measure].items() if np.isfinite(nats)]
        assert told == [n for n in found.modalities if n != name]


def test_what_was_known_is_told_as_it_was_asked(network, robot):
    found = LiveImportance(network).evaluate(observe(robot, unknown=('camera',)))
    # The command at t is what is asked for.
    assert found.known.tolist() == [[False] * 2, [True] * 2, [True] * 2, [True, False]]
    assert np.array_equal(np.isnan(found.alone).all(axis=1), ~found.known.any(axis=1))


class Broken(Formula):
    """Answers nonsense when it is asked from the camera alone."""

    def decode(self, values, known, wanted):
        decoded = super().decode(values, known, wanted)
        for gaussian in decoded.values():
            gaussian.mean[1] = np.nan
        return decoded


def test_a_broken_answer_is_not_taken_for_a_missing_modality(robot, normalisers):
    found = LiveImportance(Broken(robot, normalisers)).evaluate(observe(robot))
    assert np.isnan(found.alone[0]).all()
    assert found.known[0].all()


def test_no_divergence_is_negative(network, robot):
    found = LiveImportance(network).evaluate(observe(robot))
    assert np.all(found.alone >= 0)
    assert np.all(found.without >= 0)


def test_nothing_known_has_no_importance(network, robot):
    found = LiveImportance(network).evaluate(
        observe(robot, ('camera', 'joints', 'touch', 'motor'))
    )
    assert not found.without.any()
    assert found.latent_kl == 0
    assert found.active_units == 0


def test_the_latent_reports_its_divergence_and_its_active_units(network, robot):
    found = LiveImportance(network).evaluate(observe(robot))
    assert found.latent_kl == 2.0
    assert found.active_units == 1


def test_the_prediction_is_that_from_everything_known(network, robot):
    found = LiveImportance(network).evaluate(observe(robot, unknown=('camera',)))
    assert np.all(found.predicted['camera'].mean == 0)
    assert np.all(found.predicted['joints'].mean == 1)
    assert found.predicted['joints'].mean.shape == (1, 2, 3)


def test_a_network_that_is_sure_of_everything_is_refused_by_name(robot, normalisers):
    class Sure(Formula):
        def decode(self, values, known, wanted):
            decoded = super().decode(values, known, wanted)
            touch = decoded['touch']
            decoded['touch'] = Gaussian(touch.mean, touch.std * 0)
            return decoded

    with pytest.raises(ImportanceError, match=r'touch: standard deviation 0.0, expected above 0'):
        LiveImportance(Sure(robot, normalisers)).evaluate(observe(robot))


def test_a_model_with_one_modality_has_nothing_to_compare(network):
    modalities = network.contract.modalities[-1:]
    network.contract = replace(network.contract, modalities=modalities)
    with pytest.raises(ImportanceError, match="model 'f' has one modality, motor"):
        LiveImportance(network)


class Doubter(Formula):
    """Is twice as certain of the touch where it is known at t, and ten times at t-1."""

    def decode(self, values, known, wanted):
        decoded = super().decode(values, known, wanted)
        std = np.where(known[:, 2], [0.1, 1.0], [1.0, 2.0])[:, :, None].astype(np.float32)
        mean = np.zeros((len(known), 2, 2), np.float32)
        decoded['touch'] = Gaussian(mean, np.broadcast_to(std, mean.shape))
        return decoded


def test_the_divergence_is_from_everything_known_to_what_remains_and_at_t(robot, normalisers):
    found = LiveImportance(Doubter(robot, normalisers)).evaluate(observe(robot))
    # Two channels, KL(N(0, 1) || N(0, 2)) each: 0.318. The other way round it would be 0.807.
    one_channel = 0.5 * (0.25 - 1) + np.log(2)
    lost = found.measures['precision_loss_own']['touch']
    assert lost == pytest.approx(2 * one_channel)
