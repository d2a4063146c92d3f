"""What could be had without a model."""

from mmvae_controller.evaluation import bank as bank_module
from mmvae_controller.evaluation.bank import fill_bank
from mmvae_controller.evaluation.baselines import Baselines
from mmvae_controller.evaluation.errors import EvaluationError
from mmvae_controller.evaluation.patterns import patterns_of, prediction_mask
from mmvae_controller.modality.observation import everything_known, nothing_known
import numpy as np
import pytest


def every(windows):
    return np.arange(len(windows))


def guesses(windows, bank, pattern, rows, rows_in_bank=False):
    batch = windows.batch(rows)
    baselines = Baselines(bank, pattern, rows_in_bank)
    return batch.values, baselines.guess(batch.values, batch.known & pattern, rows)


def test_the_bank_knows_mean_spread_and_change_of_what_was_sensed(world):
    bank = fill_bank(world, every(world))
    batch = world.batch(every(world))
    earlier = batch.known[:, 1, 0]
    assert 0 < earlier.sum() < len(world)
    joints = batch.values['joints'].astype(float)
    assert np.allclose(bank.mean['joints'][0], joints[earlier, 0].mean(axis=0))
    assert np.allclose(bank.scale['joints'][0], joints[earlier, 0].std(axis=0))
    assert np.allclose(bank.mean['joints'][1], joints[:, 1].mean(axis=0))
    change = (joints[:, 1] - joints[:, 0])[earlier]
    assert np.allclose(bank.change['joints'], np.sqrt((change**2).mean(axis=0)))
    assert bank.rows.tolist() == np.flatnonzero(earlier).tolist()
    assert bank.vectors.shape == (earlier.sum(), 2, 3 + 2 + 2)


def test_the_command_at_t_is_the_right_one(world):
    bank = fill_bank(world, every(world))
    label = world.batch(every(world)).label
    assert np.allclose(bank.mean['motor'][1], label.mean(axis=0))


def test_a_picture_has_a_mean_picture(world):
    bank = fill_bank(world, every(world))
    pictures = world.batch(every(world)).values['camera'][:, 1]
    assert np.allclose(bank.mean['camera'][1], pictures.astype(float).mean(axis=0))


def test_what_never_changed_has_some_spread(icub, random):
    windows = icub()
    windows._values['touch'][:] = 1
    bank = fill_bank(windows, every(windows))
    assert np.all(bank.scale['touch'] == 1e-3)
    assert np.all(bank.floored('touch', np.zeros((2, 1))) == pytest.approx(1e-5))


def test_of_many_training_rows_every_nth_is_read(icub, monkeypatch):
    windows = icub()
    monkeypatch.setattr(bank_module, 'BANK_ROWS', 30)
    assert fill_bank(windows, np.arange(5, 80)).rows.tolist() == list(range(5, 80, 3))


def test_no_training_row_is_an_error(icub):
    with pytest.raises(EvaluationError, match='the 0 training rows never hold joint, vision, tou'):
        fill_bank(icub(), np.arange(0))


def test_the_mean_is_the_same_for_all(icub):
    windows = icub()
    bank = fill_bank(windows, np.arange(40))
    _, found = guesses(windows, bank, windows.patterns['vision_only'], np.arange(40, 50))
    assert np.all(found['mean']['joint'].mean == bank.mean['joint'])
    assert np.array_equal(found['mean']['joint'].std, bank.scale['joint'])
    assert found['mean']['joint'].present.all()


def test_each_step_is_copied_from_the_other_where_that_is_known(icub):
    windows = icub()
    bank = fill_bank(windows, np.arange(40))
    rows = np.arange(40, 50)
    values, found = guesses(windows, bank, prediction_mask(bank.modalities), rows)
    copied = found['copy_last']['joint']
    assert copied.present.all()
    assert np.array_equal(copied.mean[:, 1], values['joint'][:, 0])
    assert np.allclose(copied.std[1], bank.change['joint'])
    values, found = guesses(windows, bank, ~prediction_mask(bank.modalities), rows)
    copied = found['copy_last']['joint']
    assert copied.present.all()
    assert np.array_equal(copied.mean[:, 0], values['joint'][:, 1])


def test_every_baseline_returns_what_is_known_as_it_is(world, icub):
    for windows in (icub(), world):
        bank, rows = fill_bank(windows, every(windows)), every(windows)
        known = windows.batch(rows).known
        for pattern in patterns_of(windows).values():
            values, found = guesses(windows, bank, pattern, rows, rows_in_bank=True)
            for row, modality in enumerate(bank.modalities):
                here = known[:, row] & pattern[row]
                for baseline in found.values():
                    if modality.name in baseline:
                        guess = baseline[modality.name]
                        assert guess.present[here].all()
                        assert np.array_equal(guess.mean[here], values[modality.name][here])
                        never = np.isnan(guess.std).all(axis=tuple(range(1, guess.std.ndim)))
                        assert never.tolist() == pattern[row].tolist()


def test_nothing_is_copied_of_what_the_pattern_hides(icub):
    windows = icub()
    bank = fill_bank(windows, every(windows))
    _, found = guesses(windows, bank, windows.patterns['control'], np.arange(5))
    assert set(found['copy_last']) == {'joint', 'vision'}


def test_neighbours_guess_from_what_is_known_alone(icub):
    """Vision decides everything here, and is the only thing that is known."""
    windows = icub()
    for name in ('joint', 'motor'):
        windows._values[name][:] = 2 * windows._values['vision']
    bank = fill_bank(windows, np.arange(80))
    rows = np.array([3, 70])
    values, found = guesses(windows, bank, windows.patterns['vision_only'], rows)
    vision = bank.vectors[:, :, 4:8]
    for row, guess in zip(rows, found['knn']['joint'].mean, strict=True):
        distance = np.sum(((vision - vision[row]) / bank.scale['vision']) ** 2, axis=(1, 2))
        assert np.allclose(guess, 2 * vision[np.argsort(distance)[:5]].mean(axis=0))
    assert np.allclose(found['ridge']['motor'].mean, 2 * values['vision'], atol=1e-5)
    for name in ('knn', 'ridge'):
        assert found[name]['joint'].std.shape == (2, 4)


@pytest.mark.parametrize('baseline', ['knn', 'ridge'])
def test_no_window_is_guessed_from_itself_if_the_bank_has_it(icub, baseline):
    windows = icub()
    bank = fill_bank(windows, np.arange(10, 80))
    pattern = windows.patterns['vision_only']
    rows = np.array([12, 5])
    values, apart = guesses(windows, bank, pattern, rows, rows_in_bank=False)
    values, inside = guesses(windows, bank, pattern, rows, rows_in_bank=True)
    error = {
        name: np.abs(found[baseline]['joint'].mean - values['joint']).mean(axis=(1, 2))
        for name, found in (('apart', apart), ('inside', inside))
    }
    assert error['inside'][0] > error['apart'][0]
    assert error['inside'][1] == error['apart'][1]


def test_pictures_are_neither_compared_nor_guessed(world):
    bank = fill_bank(world, every(world))
    _, found = guesses(world, bank, everything_known(bank.modalities), np.arange(5))
    assert set(found['knn']) == set(found['ridge']) == {'joints', 'touch', 'motor'}
    camera_only = nothing_known(bank.modalities)
    camera_only[0] = True
    _, found = guesses(world, bank, camera_only, np.arange(5))
    assert found['knn'] == found['ridge'] == {}
    assert set(found['copy_last']) == {'camera'}


def test_five_training_windows_are_too_few_for_neighbours_and_a_fit(icub):
    windows = icub()
    bank = fill_bank(windows, np.arange(5))
    _, found = guesses(windows, bank, everything_known(bank.modalities), np.arange(5))
    assert found['knn'] == found['ridge'] == {}


def test_nothing_known_leaves_the_mean_alone(icub):
    windows = icub()
    bank = fill_bank(windows, every(windows))
    _, found = guesses(windows, bank, nothing_known(bank.modalities), np.arange(5))
    assert {name for name, guess in found.items() if guess} == {'mean'}


def test_windows_without_an_earlier_step_are_guessed_from_the_rest(world):
    """The first rows of an episode: under `prediction` nothing is known of them."""
    bank = fill_bank(world, every(world))
    _, found = guesses(world, bank, prediction_mask(bank.modalities), np.array([0, 5]))
    for baseline in ('knn', 'ridge'):
        means = found[baseline]['joints'].mean
        assert np.allclose(means[0], bank.vectors.mean(axis=0)[:, :3])
        assert not np.allclose(means[1], means[0])
