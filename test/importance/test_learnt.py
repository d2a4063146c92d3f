"""A model that learnt the linear world from samples measures what is true of it."""

from dataclasses import replace
from pathlib import Path

from mmvae_controller.datasets.linear_world import ROBOT
from mmvae_controller.importance.divergences import diverge, diverge_without, matrix_of
from mmvae_controller.importance.exact import ExactDecoder, expected_matrices, expected_measures
from mmvae_controller.importance.measures import MEASURES, measures_of
from mmvae_controller.importance.sampled import SampledNetwork
from mmvae_controller.modality.observation import policy_query
from mmvae_controller.training.config import load_training_config
from mmvae_controller.training.trainer import Trainer
import numpy as np
import pytest

CONFIG = Path(__file__).parents[2] / 'config' / 'train' / 'linear_world.yaml'
NAMES = [m.name for m in ROBOT.modalities]
QUERY = policy_query(ROBOT.modalities)
ROWS, EPOCHS = 20000, 30
WINDOWS, SAMPLES = 500, 128
# The share of the truth by which a measure may be off, and nats that nobody would miss.
TOLERANCE, NATS = 0.15, 0.02

pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def learnt():
    config = replace(load_training_config(CONFIG, ROBOT.modalities), epochs=EPOCHS)
    trainer = Trainer(config, ROBOT.draw(ROWS, 0))
    for _ in trainer.epochs(lambda step, loss: None):
        pass
    contract = replace(ExactDecoder(ROBOT).contract, latent_size=config.network.latent)
    return SampledNetwork(trainer.model.eval(), contract, SAMPLES, seed=0)


@pytest.fixture(scope='module')
def windows():
    return ROBOT.draw(WINDOWS, 99).batch(np.arange(WINDOWS))


@pytest.fixture(scope='module')
def matrices(learnt, windows):
    found = diverge(learnt, windows.values, windows.known & QUERY)
    return [matrix_of(nats, NAMES).mean(axis=0) for nats in (found.alone, found.without)]


def test_both_matrices_are_the_true_ones(matrices):
    for found, wanted in zip(matrices, expected_matrices(ROBOT, QUERY), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=TOLERANCE, atol=NATS)


@pytest.mark.parametrize('measure', MEASURES)
def test_every_measure_is_the_true_one_and_in_the_true_order(matrices, measure):
    found = measures_of(*matrices, NAMES.index('motor'))[measure]
    wanted = expected_measures(ROBOT, QUERY)[measure]
    np.testing.assert_allclose(found, wanted, rtol=TOLERANCE, atol=NATS)
    for one in range(len(NAMES)):
        for other in range(len(NAMES)):
            # Two that are nearly the same have no order.
            if wanted[one] > wanted[other] * (1 + TOLERANCE) + NATS:
                assert found[one] > found[other], (NAMES[one], NAMES[other])


def test_two_eyes_are_missed_together(learnt, windows):
    known = windows.known & QUERY
    eyes = ['left_eye', 'right_eye']
    lost = [
        diverge_without(decoder, windows.values, known, eyes)['motor'].sum(axis=1).mean()
        for decoder in (learnt, ExactDecoder(ROBOT))
    ]
    assert lost[0] == pytest.approx(lost[1], rel=TOLERANCE)
    assert lost[0] > 0.2
