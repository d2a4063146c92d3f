"""The laws of the divergences over many windows."""

from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
from mmvae_controller.control.network import Network
from mmvae_controller.datasets.store import Dataset
from mmvae_controller.importance import measuring
from mmvae_controller.importance.errors import ImportanceError
from mmvae_controller.importance.live import LiveImportance
from mmvae_controller.importance.measures import MEASURES
from mmvae_controller.importance.measuring import measure
from mmvae_controller.modality.gaussian import Gaussian
from mmvae_controller.modality.observation import Observation, policy_query
import numpy as np
import pytest

ALL = slice(None)


def measured(decoder, windows, pattern=None, step=1, per_number=False, rows=ALL):
    """Return what is measured under one protocol; everything known if none is named."""
    if pattern is None:
        pattern = np.ones((len(decoder.contract.modalities), 2), bool)
    chosen = np.arange(len(windows))[rows]
    told = []
    found = measure(
        decoder, windows, chosen, {'p': pattern}, step, per_number, lambda *t: told.append(t)
    )
    assert told[-1] == (len(chosen), len(chosen))
    return found['p']


@given(
    gains=st.lists(st.floats(0, 5), min_size=3, max_size=3),
    masks=st.lists(st.booleans(), min_size=6, max_size=6),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_no_divergence_is_negative_whatever_is_known(factor, draw, modalities, gains, masks):
    pattern = np.array(masks).reshape(3, 2)
    names = [m.name for m in modalities]
    decoder = factor(modalities, dict(zip(names, gains, strict=True)))
    found = measured(decoder, draw(6), pattern)
    known = pattern.any(axis=1)
    for matrix in (found.without, found.alone):
        assert np.all(matrix[:, known] >= 0)
        assert np.isnan(matrix[:, ~known]).all()
    for name in MEASURES:
        assert np.array_equal(np.isfinite(found.measures[name]).all(axis=0), known)


def test_a_modality_that_the_network_ignores_has_no_loss_anywhere(factor, draw, modalities, gains):
    found = measured(factor(modalities, gains | {'skin': 0.0}), draw())
    assert np.all(found.without[:, 1] == 0)
    for name in MEASURES[2:]:
        assert np.all(found.measures[name][:, 1] == 0)
    assert np.all(found.without[:, 0, 0] > 0)
    # Nobody loses or tells anything of it either: it is decoded as the same in any case.
    assert np.all(found.without[:, :, 1] == 0)
    assert np.all(found.alone[:, :, 1] == 0)


def test_the_formula_is_the_divergence_of_what_is_decoded(factor, modalities, gains, memory):
    """One window of zeros, so that only variances differ: KL = -log r + (r^2 - 1) / 2 a number."""
    values = {m.name: np.zeros((1, 2, m.size), np.float32) for m in modalities}
    found = measured(factor(modalities, gains, noise=0.5), memory(modalities, values))
    weight = {name: 2 * gain**2 / 0.25 for name, gain in gains.items()}
    total = 1 + sum(weight.values())

    def std(name, precision):
        return np.sqrt(gains[name] ** 2 / precision + 0.25)

    for i, left_out in enumerate(gains):
        for j, (name, size) in enumerate({'eye': 3, 'skin': 2, 'motor': 2}.items()):
            for matrix, precision in (
                (found.without, total - weight[left_out]),
                (found.alone, 1 + weight[left_out]),
            ):
                ratio = std(name, total) / std(name, precision)
                expected = size * (0.5 * (ratio**2 - 1) - np.log(ratio))
                assert matrix[0, i, j] == pytest.approx(expected)


def test_measures_are_the_rows_the_diagonal_and_the_command_of_the_matrices(
    factor, draw, modalities, gains
):
    found = measured(factor(modalities, gains), draw())
    for row in range(3):
        expected = (
            found.alone[:, row, row],
            found.alone[:, row].sum(axis=1),
            found.without[:, row, row],
            found.without[:, row].sum(axis=1),
            found.without[:, row, 2],
        )
        for name, values in zip(MEASURES, expected, strict=True):
            assert np.array_equal(found.measures[name][:, row], values)


@pytest.mark.parametrize('order', [(1, 0, 2), (2, 0, 1), (2, 1, 0)])
def test_the_order_of_the_modalities_only_permutes_the_matrices(
    factor, draw, memory, modalities, gains, order
):
    windows = draw()
    other = tuple(modalities[place] for place in order)
    found = measured(factor(modalities, gains), windows)
    permuted = measured(factor(other, gains), memory(other, windows.values))
    for one, two in ((found.without, permuted.without), (found.alone, permuted.alone)):
        assert two == pytest.approx(one[:, order][:, :, order])
    for name in MEASURES:
        assert permuted.measures[name] == pytest.approx(found.measures[name][:, order])


def test_windows_one_by_one_say_the_same_as_together(factor, draw, modalities, gains, monkeypatch):
    windows, decoder = draw(), factor(modalities, gains)
    together = measured(decoder, windows, per_number=True)
    assert decoder.batches == [40 * 7]
    monkeypatch.setattr(measuring, 'NUMBERS_AT_ONCE', 1)
    apart = measured(decoder, windows, per_number=True)
    assert decoder.batches[1:] == [7] * 40
    assert np.array_equal(together.without, apart.without)
    assert np.array_equal(together.alone, apart.alone)
    assert apart.numbers.without['eye'] == pytest.approx(together.numbers.without['eye'])


def test_offline_is_what_the_robot_publishes_for_the_same_window(model_folder, write_world):
    network, windows = Network(model_folder), Dataset(write_world())
    modalities = network.contract.modalities
    found = measured(network, windows, policy_query(modalities), rows=slice(0, 12))
    live = LiveImportance(network)
    for row in range(12):
        batch = windows.batch(np.array([row]))
        ages = np.zeros((4, 2), np.float32)
        values = {name: value[0] for name, value in batch.values.items()}
        told = live.evaluate(Observation(0, values, batch.known[0], ages))
        there = np.flatnonzero((batch.known[0] & policy_query(modalities)).any(axis=1))
        assert found.without[row, there] == pytest.approx(told.without[there], rel=1e-4, abs=1e-6)
        assert found.alone[row, there] == pytest.approx(told.alone[there], rel=1e-4, abs=1e-6)
        for name in MEASURES:
            expected = np.array(list(told.measures[name].values()))[there]
            offline = found.measures[name][row, there]
            assert offline == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_of_two_copies_each_is_dispensable_and_both_are_not(factor, memory, one_modality, random):
    """A sense that another can stand in for loses nothing: the measure is of failing alone."""
    modalities = tuple(one_modality(name, 2) for name in ('left', 'right', 'motor'))
    values = random.normal(size=(20, 1, 1)) * np.ones((20, 2, 2))
    windows = memory(modalities, {m.name: values.astype(np.float32) for m in modalities})
    decoder = factor(modalities, {'left': 30.0, 'right': 30.0, 'motor': 1.0}, noise=1.0)
    query = policy_query(modalities)
    query[2] = False
    both = measured(decoder, windows, query).measures['precision_loss_command']
    assert np.all(both[:, :2] < 0.001)
    query[1] = False
    one = measured(decoder, windows, query).measures['precision_loss_command']
    assert np.all(one[:, 0] > 0.1)


def test_what_was_not_sensed_is_not_known_and_has_no_loss(factor, draw, modalities, gains):
    known = np.ones((40, 3, 2), bool)
    known[:10, 1] = False
    known[10:20, 1, 0] = False
    windows = draw(known=known)
    found = measured(factor(modalities, gains), windows)
    undefined = np.isnan(found.without[:, 1]).all(axis=1)
    assert np.array_equal(undefined, np.arange(40) < 10)
    assert np.isnan(found.measures['precision_loss_own'][:10, 1]).all()
    assert np.isfinite(found.measures['precision_loss_own'][:, 0]).all()
    # What stands in the place of what was not sensed cannot matter.
    windows.values['skin'] = windows.values['skin'].copy()
    windows.values['skin'][:10] = np.nan
    windows.values['skin'][10:20, 0] = 1e6
    assert np.array_equal(
        measured(factor(modalities, gains), windows).without, found.without, equal_nan=True
    )


def test_numbers_add_up_to_the_matrices_of_the_windows_in_which_they_are_defined(
    factor, draw, modalities, gains
):
    known = np.ones((40, 3, 2), bool)
    known[:10, 1] = False
    found = measured(factor(modalities, gains), draw(known=known), per_number=True)
    pairs = ((found.numbers.without, found.without), (found.numbers.alone, found.alone))
    for numbers, matrix in pairs:
        for column, modality in enumerate(modalities):
            assert numbers[modality.name].shape == (3, modality.size)
            expected = np.nanmean(matrix[:, :, column], axis=0)
            assert numbers[modality.name].sum(axis=1) == pytest.approx(expected)


def test_numbers_of_what_is_never_known_are_not_defined(factor, draw, modalities, gains):
    pattern = np.array([[True, True], [False, False], [True, False]])
    found = measured(factor(modalities, gains), draw(), pattern, per_number=True)
    assert np.isnan(found.numbers.without['eye'][1]).all()
    assert np.isfinite(found.numbers.without['eye'][[0, 2]]).all()


def test_the_step_that_is_asked_for_is_compared(factor, draw, modalities, gains):
    class Ahead(factor):
        """Is surer of t-1 than of t."""

        def decode(self, values, known, wanted):
            decoded = super().decode(values, known, wanted)
            width = np.array([1.0, 3.0])[None, :, None]
            return {
                n: Gaussian(g.mean, g.std * width) if g.mean.ndim == 3 else g
                for n, g in decoded.items()
            }

    decoder, windows = Ahead(modalities, gains), draw()
    before, now = (measured(decoder, windows, step=step).without for step in (0, 1))
    assert np.all(before.sum(axis=(1, 2)) > now.sum(axis=(1, 2)))


@pytest.mark.filterwarnings('ignore:invalid value')
@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_what_is_decoded_as_not_finite_is_refused_with_its_row(
    factor, draw, modalities, gains, value
):
    class Broken(factor):
        def decode(self, values, known, wanted):
            decoded = super().decode(values, known, wanted)
            bad = np.array(decoded['skin'].mean)
            bad[values['eye'][np.repeat(np.arange(40), 7), 0, 0] == 77] = value
            return decoded | {'skin': Gaussian(bad, decoded['skin'].std)}

    windows = draw()
    windows.values['eye'][23, 0, 0] = 77
    with pytest.raises(ImportanceError, match=r'the decoded skin is not finite.* row 23'):
        measured(Broken(modalities, gains), windows)
