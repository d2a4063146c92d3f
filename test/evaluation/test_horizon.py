"""Prediction over several steps."""

import math

from mmvae_controller.evaluation.bank import fill_bank
from mmvae_controller.evaluation.errors import EvaluationError
from mmvae_controller.evaluation.horizon import chain_table, chains_of, look_ahead
import numpy as np
import pytest


def ignore(done, total):
    pass


@pytest.fixture
def climbing(icub):
    """Return windows of a trajectory in which everything grows by 1 from step to step."""
    windows = icub()
    for values in windows._values.values():
        values[:] = np.arange(len(values))[:, None, None] + np.array([0, 1])[None, :, None]
    return windows


def test_who_knows_the_rule_sees_as_far_as_asked(climbing, icub_formula, formulas):
    network = icub_formula(formulas['ahead'])
    found = look_ahead(network, climbing, np.arange(80), 4, None, ignore)
    assert found.windows == (80, 79, 78, 77)
    for curve in found.curves.values():
        assert curve.mse == (0, 0, 0, 0)
        assert curve.copy_last == (1, 4, 9, 16)
        assert curve.std == pytest.approx((0.5,) * 4)
        assert curve.mean == ()


def test_an_error_of_each_step_adds_up(climbing, icub_formula, formulas):
    def short(name, value):
        return formulas['ahead'](name, value) - np.float32([0, 0.25])[None, :, None]

    found = look_ahead(icub_formula(short), climbing, np.arange(80), 3, None, ignore)
    assert found.curves['vision'].mse == pytest.approx((0.0625, 0.25, 0.5625))


def test_each_pass_knows_what_was_decoded_before_alone(climbing, icub_formula, formulas):
    network = icub_formula(formulas['ahead'])
    look_ahead(network, climbing, np.arange(80), 2, None, ignore)
    (first, known), (second, again) = network.given
    for mask in (known, again):
        assert mask[:, :, 0].all()
        assert not mask[:, :, 1].any()
    assert np.array_equal(second['joint'][:, 0], first['joint'][:, 0] + 1)
    assert not second['joint'][:, 1].any()


def test_the_mean_of_the_training_rows_stands_beside_it(climbing, icub_formula, formulas):
    bank = fill_bank(climbing, np.arange(80))
    rows = np.arange(10, 20)
    found = look_ahead(icub_formula(formulas['ahead']), climbing, rows, 2, bank, ignore)
    expected = [np.mean((np.arange(h, h + n) - 40.5) ** 2) for h, n in ((11, 10), (12, 9))]
    assert found.curves['joint'].mean == pytest.approx(tuple(expected))


def test_rows_are_followed_only_as_far_as_they_go(climbing, icub_formula, formulas):
    rows = np.array([3, 4, 5, 20, 21, 40])
    network = icub_formula(formulas['ahead'])
    found = look_ahead(network, climbing, rows, 5, None, ignore)
    assert found.windows == (6, 3, 1, 0, 0)
    assert found.curves['joint'].mse[:3] == (0, 0, 0)
    assert all(math.isnan(v) for v in found.curves['joint'].mse[3:])


def test_no_chain_leaves_the_rows_that_are_judged(climbing):
    table = chain_table(climbing, np.array([3, 4, 5, 20]), 3)
    assert table.tolist() == [[3, 4, 5], [4, 5, -1], [5, -1, -1], [20, -1, -1]]


def test_chains_of_a_recording_stay_in_their_episode_a_step_apart(world):
    chains = chains_of(world, 3)
    assert np.all(np.diff(chains, axis=1) == world.description.stride)
    assert len(np.unique(world.episode[chains], axis=1).T) == 1
    # Twelve rows an episode; the first has no t-1, and four more end behind it.
    assert len(chains) == 6 * (12 - 3 * 2)
    assert world.batch(chains[:, 0]).known[:, :, 0].all()


def test_a_recording_is_predicted_with_its_pictures(world, formula):
    def brighter(name, value):
        return np.stack([value[:, 0], value[:, 0].astype(np.float32) + 200.4], axis=1)

    network = formula(world.modalities, brighter)
    found = look_ahead(network, world, np.arange(len(world)), 3, None, ignore)
    assert found.windows == (60, 48, 36)
    pictures = [values['camera'] for values, _ in network.given]
    assert all(p.dtype == np.uint8 for p in pictures)
    expected = np.clip(np.rint(pictures[0][:, 0] + 200.4), 0, 255)
    assert np.array_equal(pictures[1][:, 0], expected)


def test_data_that_does_not_say_what_follows_is_an_error(climbing):
    class Loose:
        description = climbing.description

    with pytest.raises(EvaluationError, match='does not say which windows follow each other'):
        chains_of(Loose(), 1)


def test_a_model_that_breaks_down_on_its_own_output_is_an_error(climbing, icub_formula, formulas):
    def explodes(name, value):
        return np.where(value > 79.5, np.inf, formulas['ahead'](name, value))

    with pytest.raises(EvaluationError, match='decodes a joint that is not finite'):
        look_ahead(icub_formula(explodes), climbing, np.arange(80), 3, None, ignore)
