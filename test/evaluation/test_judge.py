"""A network under one mask pattern."""

import math

from mmvae_controller.datasets.store import Dataset
from mmvae_controller.evaluation.bank import fill_bank
from mmvae_controller.evaluation.baselines import Baselines
from mmvae_controller.evaluation.errors import EvaluationError
from mmvae_controller.evaluation.judge import judge
from mmvae_controller.evaluation.patterns import patterns_of
from mmvae_controller.evaluation.windows import BATCH_ROWS
import numpy as np
import pytest

NAMES = ('joint', 'vision', 'touch', 'sound', 'motor')


def judged(network, windows, pattern='complete', baselines=None, rows=None, told=None):
    rows = np.arange(len(windows)) if rows is None else rows
    mask = patterns_of(windows)[pattern]

    def on_rows(done, total):
        if told is not None:
            told.append((done, total))

    return judge(network, windows, rows, mask, baselines, on_rows)


def test_who_decodes_what_is_there_makes_no_error(icub, icub_formula):
    found = judged(icub_formula(spread=0.01), icub())
    floor = 0.5 * math.log(2 * math.pi) + math.log(0.01)
    for scores in found.modalities.values():
        assert scores.model.both.mse == 0
        assert scores.model.both.nll_per_dim == pytest.approx(floor)
        assert scores.baselines == dict.fromkeys(('mean', 'copy_last', 'knn', 'ridge'))


def test_nothing_hidden_reaches_the_network(icub, icub_formula):
    network, windows = icub_formula(), icub(shift=5)
    judged(network, windows, 'control')
    values, known = network.given[0]
    assert np.array_equal(known[0], windows.patterns['control'])
    assert values['joint'][:, 0].min() > 0
    for hidden in (values['joint'][:, 1], values['motor'], values['sound'], values['touch']):
        assert not hidden.any()
    assert values['vision'].min() > 0


def test_every_row_is_decoded_once_in_batches_of_bounded_size(icub, icub_formula):
    network, windows, told = icub_formula(), icub(2 * BATCH_ROWS + 3), []
    found = judged(network, windows, told=told)
    assert [len(known) for _, known in network.given] == [BATCH_ROWS, BATCH_ROWS, 3]
    assert told[-1] == (len(windows), len(windows))
    assert found.modalities['joint'].model.previous.samples == len(windows)


def test_the_command_at_t_is_compared_with_the_right_one(world, formula, formulas):
    network = formula(world.modalities, formulas['echo'])
    assert judged(network, world).modalities['motor'].model.both.mse == 0
    rows = np.arange(len(world))
    assert np.array_equal(network.given[0][0]['motor'][:, 1], world.batch(rows).label)


def test_what_was_not_sensed_is_neither_known_nor_compared(world, formula, formulas):
    network = formula(world.modalities, formulas['echo'])
    scores = judged(network, world).modalities['joints'].model
    assert scores.current.samples == len(world)
    assert scores.previous.samples == len(world) - 6 * 2
    assert not network.given[0][1][0, :, 0].any()


def test_pictures_are_judged_in_intensities(world, formula):
    network = formula(world.modalities, lambda name, value: value.astype(float) + 3)
    scores = judged(network, world).modalities['camera'].model
    assert scores.both.mse == pytest.approx(9)


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_a_decoded_value_that_is_not_finite_is_an_error_that_names_it(icub, icub_formula, value):
    def spoilt(name, given):
        given = np.array(given)
        if name == 'sound':
            given[4:6, 1] = value
        return given

    rows = np.arange(20, 40)
    with pytest.raises(EvaluationError, match=r'formula decodes a sound .* 2 of 20 .* row 24'):
        judged(icub_formula(spoilt), icub(), rows=rows)


def test_a_spread_of_nothing_is_an_error(icub, icub_formula):
    with pytest.raises(EvaluationError, match=r'a joint with standard deviation 0\.0, exp'):
        judged(icub_formula(spread=0.0), icub())


def test_what_is_decoded_as_no_gaussian_has_no_likelihood(icub, icub_formula):
    network = icub_formula(
        spread=0.0, network={'branches': {n: {'likelihood': 'bernoulli'} for n in NAMES}}
    )
    scores = judged(network, icub()).modalities['joint'].model
    assert scores.both.mse == 0
    assert math.isnan(scores.both.nll)


def test_data_that_is_known_but_not_finite_is_an_error(icub, icub_formula):
    windows = icub()
    windows._values['motor'][11, 0, 2] = np.nan
    with pytest.raises(EvaluationError, match='motor is known and yet not finite in row 11'):
        judged(icub_formula(), windows)


def test_baselines_are_judged_on_the_same_rows(icub, icub_formula):
    windows = icub()
    bank = fill_bank(windows, np.arange(40))
    pattern = windows.patterns['prediction']
    rows = np.arange(40, 80)
    baselines = Baselines(bank, pattern, rows_in_bank=True)
    found = judged(icub_formula(), windows, 'prediction', baselines, rows).modalities['joint']
    truth = windows.batch(rows).values['joint'].astype(float)
    expected = np.mean((truth - bank.mean['joint'])[:, 1] ** 2)
    assert found.baselines['mean'].current.mse == pytest.approx(expected)
    copied = np.mean((truth[:, 1] - truth[:, 0]) ** 2)
    assert found.baselines['copy_last'].current.mse == pytest.approx(copied)
    assert found.baselines['knn'].both.samples == 80


def test_known_slots_are_no_error_of_a_baseline_and_have_no_likelihood(icub, icub_formula):
    windows = icub()
    bank, rows = fill_bank(windows, np.arange(40)), np.arange(40, 80)
    for name, pattern in windows.patterns.items():
        baselines = Baselines(bank, pattern, rows_in_bank=True)
        found = judged(icub_formula(), windows, name, baselines, rows)
        for known, modality in zip(pattern, found.modalities.values(), strict=True):
            for scores in filter(None, modality.baselines.values()):
                steps = (scores.previous, scores.current)
                for here, score in zip(known, steps, strict=True):
                    assert (score.mse == 0) == here
                    assert math.isnan(score.nll) == here
                assert scores.both.mse == pytest.approx(np.mean([s.mse for s in steps]))
                assert math.isnan(scores.both.nll) == known.any()


def test_a_recorded_data_set_has_the_patterns_that_fit_any_robot(world):
    assert isinstance(world, Dataset)
    patterns = patterns_of(world)
    motor = [m.name for m in world.modalities].index('motor')
    assert list(patterns) == ['complete', 'policy', 'prediction']
    assert patterns['complete'].all()
    assert np.argwhere(~patterns['policy']).tolist() == [[motor, 1]]
    assert patterns['prediction'][:, 0].all()
    assert not patterns['prediction'][:, 1].any()
