"""What the window makes of a sense that stops: predicted for a while, then masked."""

from mmvae_controller.control.window import ObservationWindow, SenseState
from mmvae_controller.modality.observation import CURRENT, PREVIOUS
from mmvae_controller.modality.spec import Encoder, Modality, Role
import numpy as np
import pytest

MS = 1_000_000
STEP_S = 0.1
SENSE = Modality('s', Role.SENSE, Encoder.VECTOR, (1,), 'm', ('x',), 0.2)
OTHER = Modality('o', Role.SENSE, Encoder.VECTOR, (1,), 'm', ('x',), 0.2)
LAST_MS = 1000


@pytest.fixture
def window():
    """Return a window in which `s` counts up to 1 s, 20 times a second, and is then silent."""
    window = ObservationWindow((SENSE, OTHER), STEP_S, {}, {'s': 1.5}, {'s': 1.5, 'o': 9.0})
    for ms in range(0, LAST_MS + 1, 50):
        for name in 'so':
            window.push(name, np.array([ms / 1000]), ms * MS)
    return window


def state(window, ms, name='s'):
    window.read(ms * MS)
    return window.states()[name]


@pytest.mark.parametrize('silent_ms', [0, 30, 150, 250, 700, 1490])
def test_the_last_two_samples_stay_a_step_apart_however_old_they_are(window, silent_ms):
    seen = window.read((LAST_MS + silent_ms) * MS)
    assert seen.values['s'][:, 0].tolist() == pytest.approx([0.9, 1.0])
    assert seen.known[0].all()
    assert seen.age_s[0].tolist() == pytest.approx([silent_ms / 1000] * 2, abs=1e-6)


@pytest.mark.parametrize(
    ('silent_ms', 'expected'),
    [
        (200, SenseState.MEASURED),
        (201, SenseState.PREDICTED),
        (1500, SenseState.PREDICTED),
        (1501, SenseState.MASKED),
    ],
)
def test_it_is_measured_then_predicted_then_masked(window, silent_ms, expected):
    assert state(window, LAST_MS + silent_ms) is expected
    assert window.read((LAST_MS + silent_ms) * MS).known[0, CURRENT] == (
        expected is not SenseState.MASKED
    )


def test_a_sense_without_a_policy_is_masked_once_it_is_too_old(window):
    assert state(window, LAST_MS + 201, 'o') is SenseState.MASKED
    assert not window.read((LAST_MS + 201) * MS).known[1, CURRENT]


def test_unsound_samples_are_passed_over_and_do_not_prolong_the_prediction(window):
    for ms in range(LAST_MS + 50, LAST_MS + 1600, 50):
        window.push('s', np.array([np.nan]), ms * MS)
        if ms == LAST_MS + 700:
            seen = window.read(ms * MS)
            assert seen.values['s'][:, 0].tolist() == pytest.approx([0.9, 1.0])
    assert state(window, LAST_MS + 1600) is SenseState.MASKED


def test_a_sense_that_was_never_there_is_not_predicted():
    window = ObservationWindow((SENSE, OTHER), STEP_S, {}, {'s': 1.5}, {'s': 1.5, 'o': 9.0})
    window.push('o', np.zeros(1), 0)
    assert state(window, 0) is SenseState.MASKED


def test_back_after_a_break_it_has_no_sample_of_a_step_before(window):
    window.push('s', np.array([9.0]), (LAST_MS + 800) * MS)
    seen = window.read((LAST_MS + 800) * MS)
    assert seen.known[0].tolist() == [False, True]
    assert seen.values['s'][CURRENT, 0] == 9.0


def test_what_is_distrusted_is_not_read_from_then_on_back_into_the_past(window):
    window.distrust('s', 750 * MS)
    seen = window.read(LAST_MS * MS)
    assert seen.values['s'][:, 0].tolist() == pytest.approx([0.6, 0.7])
    assert seen.age_s[0].tolist() == pytest.approx([0.3, 0.3], abs=1e-6)
    window.push('s', np.array([5.0]), (LAST_MS + 50) * MS)
    assert window.read((LAST_MS + 50) * MS).values['s'][CURRENT, 0] == pytest.approx(0.7)
    assert window.newest('s', (LAST_MS + 50) * MS).value[0] == 5.0
    window.trust('s')
    assert window.read((LAST_MS + 50) * MS).values['s'][CURRENT, 0] == 5.0


def test_a_sense_distrusted_from_its_first_sample_on_is_masked(window):
    window.distrust('s', 0)
    assert not window.read(LAST_MS * MS).known[0].any()
    assert state(window, LAST_MS) is SenseState.MASKED


def test_how_long_a_liar_is_predicted_counts_from_when_it_began_to_lie(window):
    begun = 900
    window.distrust('s', begun * MS)
    believed = begun - 50
    assert state(window, believed + 1500) is SenseState.PREDICTED
    assert state(window, believed + 1501) is SenseState.MASKED


def test_samples_pushed_while_distrusted_do_not_prolong_the_prediction(window):
    window.distrust('s', 900 * MS)
    for ms in range(LAST_MS + 50, LAST_MS + 1600, 50):
        window.push('s', np.zeros(1), ms * MS)
    assert state(window, LAST_MS + 1550) is SenseState.MASKED


def test_a_sense_without_a_policy_is_masked_while_it_is_distrusted(window):
    window.distrust('o', 900 * MS)
    assert state(window, LAST_MS, 'o') is SenseState.MASKED
    window.push('o', np.zeros(1), (LAST_MS + 100) * MS)
    assert state(window, LAST_MS + 100, 'o') is SenseState.MASKED


def test_after_clear_nothing_is_predicted_and_nothing_distrusted(window):
    window.distrust('s', 0)
    window.clear()
    assert window.distrusted_since_ns('s') is None
    assert state(window, LAST_MS) is SenseState.MASKED
    window.push('s', np.zeros(1), LAST_MS * MS)
    assert state(window, LAST_MS) is SenseState.MEASURED


def test_a_clock_that_was_set_back_ends_a_prediction(window):
    assert state(window, 500) is SenseState.MASKED


def test_the_past_can_be_looked_at_as_far_as_the_history_goes():
    window = ObservationWindow((SENSE,), STEP_S, {}, history_s=0.5)
    for ms in range(0, 2001, 50):
        window.push('s', np.array([ms / 1000]), ms * MS)
    pair = window.pair('s', 2000 * MS, before_ns=1500 * MS)
    assert [sample.value[0] for sample in pair] == pytest.approx([1.4, 1.5])
    assert window.read(2000 * MS).values['s'][PREVIOUS, 0] == pytest.approx(1.9)


@pytest.mark.parametrize('ages', [{}, {'s': 0.6}])
def test_what_is_older_than_the_model_reads_is_masked_and_still_predicted_from_the_others(ages):
    window = ObservationWindow((SENSE, OTHER), STEP_S, {}, {'s': 1.5}, ages)
    for ms in range(0, LAST_MS + 1, 50):
        window.push('s', np.zeros(1), ms * MS)
    for silent_ms, expected in ((150, True), (500, bool(ages)), (700, False)):
        assert state(window, LAST_MS + silent_ms) is not SenseState.MASKED
        assert window.read((LAST_MS + silent_ms) * MS).known[0, CURRENT] == expected
    assert state(window, LAST_MS + 1501) is SenseState.MASKED


def set_back(window):
    window.push('s', np.array([7.0]), 100 * MS)
    window.push('o', np.zeros(1), 100 * MS)


def test_what_is_distrusted_remains_so_when_the_clock_is_set_back(window):
    window.distrust('s', 750 * MS)
    set_back(window)
    assert not window.read(100 * MS).known[0].any()


def test_what_was_assumed_before_the_clock_was_set_back_is_forgotten(window):
    window.assume('s', np.array([5.0]), LAST_MS * MS)
    set_back(window)
    assert window.read((LAST_MS + 50) * MS).values['s'][CURRENT, 0] == 7.0
