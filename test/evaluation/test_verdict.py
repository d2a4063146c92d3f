"""The last line of an evaluation says what its tables come to."""

from dataclasses import replace
import math

from mmvae_controller.evaluation.evaluation import evaluate, Question
from mmvae_controller.evaluation.judge import ModalityScores, PatternScores
from mmvae_controller.evaluation.patterns import steering_pattern
from mmvae_controller.evaluation.report import report_data
from mmvae_controller.evaluation.scores import Score, Scores
from mmvae_controller.evaluation.selection import Selection, Split
from mmvae_controller.evaluation.verdict import verdict
import numpy as np
import pytest

NOTHING = math.nan


@pytest.fixture
def evaluation(icub, icub_formula):
    return evaluate(icub_formula(), icub(), None, Question('data', steps=0), lambda *told: None)


def scores(rmse_t):
    at_t = Score(10, rmse_t**2, NOTHING, NOTHING)
    other = Score(10, 100.0, NOTHING, NOTHING)
    return Scores(other, at_t, other)


@pytest.fixture
def judged(evaluation):
    """Return what has the command at t, asked as a policy, as far off as is said."""

    def make(model, selection=None, **baselines):
        others = dict.fromkeys(('mean', 'copy_last', 'ridge', 'knn'))
        others |= {name: scores(rmse) for name, rmse in baselines.items()}
        known = np.array([[True, False]])
        pattern = PatternScores(known, {'motor': ModalityScores(scores(model), others)})
        chosen = selection or Selection(np.arange(10), Split.HELD_OUT, 0, ())
        return replace(evaluation, patterns={'policy': pattern}, selection=chosen)

    return make


def test_each_baseline_is_better_or_worse(judged):
    assert verdict(judged(0.07, mean=0.5, copy_last=0.02, ridge=0.3)) == (
        'motor: worse than a copy of the other step (0.02), better than the mean (0.5) and ridge '
        '(0.3); RMSE 0.07 normalised, under policy, on held-out windows'
    )


def test_a_model_that_nothing_beats_is_worse_than_none(judged):
    said = verdict(judged(0.01, mean=0.5, copy_last=0.02, ridge=0.3, knn=0.1))
    assert said.startswith('motor: better than the mean (0.5), a copy of the other step (0.02), ')
    assert 'worse' not in said


def test_one_that_knows_no_more_than_a_baseline_is_not_better(judged):
    assert verdict(judged(0.5, mean=0.5)).startswith('motor: worse than the mean (0.5);')


def test_without_baselines_none_is_made_up(judged):
    assert 'RMSE 0.07 normalised, with no baseline' in verdict(judged(0.07))


def test_a_command_that_is_nowhere_known_is_told(judged):
    assert verdict(judged(math.nan, mean=0.5)) == (
        'motor: nothing of it could be compared under policy'
    )


@pytest.mark.parametrize(
    ('trained_on', 'split', 'told'),
    [
        (None, Split.ALL, 'windows of which it may know some'),
        (4, Split.ALL, '10 windows, 4 of them trained on'),
        (0, Split.ALL, 'windows new to it'),
    ],
)
def test_what_the_model_was_trained_on_is_told(judged, trained_on, split, told):
    selection = Selection(np.arange(10), split, trained_on, ())
    assert verdict(judged(0.07, selection, mean=0.5)).endswith(told)


def test_the_mask_is_that_under_which_a_robot_steers(evaluation):
    assert 'under control' in verdict(evaluation)
    assert report_data(evaluation)['verdict'] == verdict(evaluation)
    assert steering_pattern({'complete', 'policy', 'prediction'}) == 'policy'


def test_where_nobody_asked_for_the_command_there_is_none(evaluation):
    unasked = replace(evaluation, patterns={'complete': evaluation.patterns['complete']})
    assert not verdict(unasked)
    assert report_data(unasked)['verdict'] is None
