"""The closed forms of a linear-Gaussian world, against samples and against what must hold."""

from mmvae_controller.datasets.linear_world import ROBOT
from mmvae_controller.importance.divergences import diverge, diverge_without, matrix_of
from mmvae_controller.importance.errors import ImportanceError
from mmvae_controller.importance.exact import ExactDecoder, expected_matrices, expected_measures
from mmvae_controller.modality.observation import everything_known, policy_query
import numpy as np
import pytest

NAMES = [m.name for m in ROBOT.modalities]
QUERIES = {
    'policy': policy_query(ROBOT.modalities),
    'complete': everything_known(ROBOT.modalities),
}
WINDOWS = 4000


@pytest.fixture(scope='module')
def drawn():
    return ROBOT.draw(WINDOWS, 11).batch(np.arange(WINDOWS))


@pytest.fixture(params=QUERIES)
def query(request):
    return QUERIES[request.param]


@pytest.fixture
def losses():
    found = expected_measures(ROBOT, QUERIES['policy'])
    return {m: dict(zip(NAMES, row, strict=True)) for m, row in found.items()}


def test_the_average_over_windows_is_the_closed_form(drawn, query):
    found = diverge(ExactDecoder(ROBOT), drawn.values, drawn.known & query)
    for nats, wanted in zip(
        (found.alone, found.without), expected_matrices(ROBOT, query), strict=True
    ):
        np.testing.assert_allclose(matrix_of(nats, NAMES).mean(0), wanted, rtol=0.03, atol=0.01)


def test_a_decoded_number_is_off_by_what_its_variance_says(drawn, query):
    decoder = ExactDecoder(ROBOT)
    known = np.repeat(query[None], WINDOWS, axis=0)
    known[:, NAMES.index('joints')] = known[:, NAMES.index('goal')] = False
    decoded = decoder.decode(drawn.values, known, ['joints', 'goal', 'motor'])
    for name in ('joints', 'goal'):  # What is known is decoded as a new reading, not the old.
        squares = ((drawn.values[name] - decoded[name].mean) / decoded[name].std) ** 2
        assert squares.mean() == pytest.approx(1, abs=0.05)


def test_the_posterior_is_that_of_one_regression_over_all_readings(drawn):
    """The textbook formula for jointly Gaussian numbers, by another road."""
    values = {n: v[:1] for n, v in drawn.values.items()}
    gain = np.concatenate([ROBOT.readings(s) for s in ROBOT.sensors for _ in range(2)])
    noise = np.concatenate([[s.noise_std] * 2 * len(s.readings) for s in ROBOT.sensors])
    seen = np.concatenate([values[s.name][0].reshape(-1) for s in ROBOT.sensors])
    total = gain @ gain.T + np.diag(noise**2)
    mean, covariance = ExactDecoder(ROBOT).posterior(values, QUERIES['complete'][None])
    np.testing.assert_allclose(mean[0], gain.T @ np.linalg.solve(total, seen), rtol=1e-6)
    wanted = np.eye(gain.shape[1]) - gain.T @ np.linalg.solve(total, gain)
    np.testing.assert_allclose(covariance[0], wanted, atol=1e-9)


def test_a_sense_that_is_noise_costs_nothing_and_explains_nothing(losses):
    alone, without = expected_matrices(ROBOT, QUERIES['policy'])
    antenna = NAMES.index('antenna')
    assert np.all(without[antenna] == 0)
    assert np.all(without[:, antenna] == 0)
    assert losses['single_error_all']['antenna'] == max(losses['single_error_all'].values())
    assert np.all(alone[:, antenna] == 0)  # Its own noise is as little known with all the rest.


def test_of_two_eyes_that_see_the_same_each_is_dispensable_and_both_are_not(drawn, losses):
    each = losses['precision_loss_command']
    assert each['left_eye'] == pytest.approx(each['right_eye'])
    known = drawn.known & QUERIES['policy']
    eyes = ['left_eye', 'right_eye']
    both = diverge_without(ExactDecoder(ROBOT), drawn.values, known, eyes)['motor']
    together = both.sum(axis=1).mean()
    assert together > 4 * (each['left_eye'] + each['right_eye'])


def test_leaving_out_a_single_sense_is_a_row_of_the_matrix(drawn):
    known = drawn.known & QUERIES['policy']
    decoder = ExactDecoder(ROBOT)
    found = diverge(decoder, drawn.values, known)
    for row, name in enumerate(NAMES):
        for column, nats in diverge_without(decoder, drawn.values, known, [name]).items():
            np.testing.assert_allclose(nats, found.without[column][:, row])


def test_leaving_out_what_is_not_there_is_refused(drawn):
    with pytest.raises(ImportanceError, match=r"no modality 'nose', there are \['left_eye'"):
        diverge_without(ExactDecoder(ROBOT), drawn.values, drawn.known, ['goal', 'nose'])


def test_the_goal_matters_to_the_command_alone():
    _, without = expected_matrices(ROBOT, QUERIES['policy'])
    row = without[NAMES.index('goal')]
    others = [j for j, name in enumerate(NAMES) if name not in ('goal', 'motor')]
    assert row[NAMES.index('motor')] > 0.2
    assert np.all(row[others] == 0)
