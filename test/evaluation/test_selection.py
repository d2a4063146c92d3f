"""Which rows a model was trained on, and which it is judged on."""

from mmvae_controller.evaluation.errors import EvaluationError
from mmvae_controller.evaluation.selection import (
    is_same_data,
    is_trained_on,
    rows_named,
    rows_trained_on,
    select,
    Split,
)
import numpy as np
import pytest

SEED = 3


@pytest.fixture
def windows(icub):
    return icub(file='train.mat')


def provenance_of(windows, held_out=0.2, seed=SEED):
    trained, _ = windows.split(held_out, seed)
    return {
        'dataset': dict(windows.description.provenance),
        'split': {'held_out': held_out, 'seed': seed, 'train_rows': len(trained)},
    }


def test_data_is_known_by_its_checksum(icub, windows):
    provenance = provenance_of(windows)
    assert is_trained_on(provenance, icub(file='renamed.mat'))
    assert not is_trained_on(provenance, icub(sha256='of another file', file='train.mat'))
    assert not is_trained_on({}, windows)


def test_a_recording_is_known_by_how_it_was_made(world):
    assert is_trained_on({'dataset': {'from': 'test'}}, world)
    assert not is_trained_on({'dataset': {'from': 'test', 'seed': 2}}, world)
    assert not is_trained_on({'dataset': {'from': 'test', 'sha256': 'x'}}, world)


def test_rows_are_the_same_only_in_the_same_data(icub, windows):
    assert is_same_data(windows, windows)
    assert is_same_data(windows, icub(file='train.mat'))
    assert not is_same_data(windows, icub(sha256='of another file', file='train.mat'))
    assert not is_same_data(windows, icub(windows=70, file='train.mat'))


def test_the_split_of_the_training_is_found_again(windows):
    trained, held_out = windows.split(0.2, SEED)
    found = rows_trained_on(provenance_of(windows), windows)
    assert np.array_equal(found.trained, trained)
    assert np.array_equal(found.held_out, held_out)


def test_the_count_of_training_rows_may_stand_beside_the_split(windows):
    provenance = provenance_of(windows)
    provenance['rows'] = provenance['split'].pop('train_rows')
    assert rows_trained_on(provenance, windows) is not None


def test_a_split_that_gives_other_rows_is_an_error(windows):
    provenance = provenance_of(windows)
    provenance['split']['train_rows'] -= 1
    with pytest.raises(EvaluationError, match=r'trained on \d+ rows, splitting this data as it'):
        rows_trained_on(provenance, windows)


def test_a_model_that_does_not_tell_its_split_counts_as_trained_on_everything(windows):
    provenance = provenance_of(windows)
    del provenance['split']
    found = rows_trained_on(provenance, windows)
    assert (len(found.trained), len(found.held_out)) == (80, 0)
    selection = select(windows, found, None, None)
    assert selection.trained_on == 80
    assert 'does not say how its data was split' in ' '.join(selection.notes)


def test_held_out_rows_are_judged_if_there_are_any(windows):
    trained = rows_trained_on(provenance_of(windows), windows)
    selection = select(windows, trained, None, None)
    assert np.array_equal(selection.rows, trained.held_out)
    assert (selection.split, selection.trained_on, selection.notes) == (Split.HELD_OUT, 0, ())


def test_a_model_trained_on_everything_is_judged_on_it_with_a_warning(windows):
    trained = rows_trained_on(provenance_of(windows, held_out=0.0), windows)
    selection = select(windows, trained, None, None)
    assert (selection.split, selection.trained_on) == (Split.ALL, 80)
    assert selection.notes == (
        'The model was trained on every row it is judged on: 80.',
        'This says nothing of new data: it was trained with held_out 0.',
    )
    with pytest.raises(EvaluationError, match='held_out: it was trained with held_out 0'):
        select(windows, trained, Split.HELD_OUT, None)


def test_each_part_can_be_asked_for(windows):
    trained = rows_trained_on(provenance_of(windows), windows)
    assert len(select(windows, trained, Split.ALL, None).rows) == 80
    selection = select(windows, trained, Split.TRAINED, None)
    assert np.array_equal(selection.rows, trained.trained)
    assert selection.trained_on == len(trained.trained)


def test_rows_named_are_counted_for_training_too(windows):
    trained = rows_trained_on(provenance_of(windows), windows)
    selection = select(windows, trained, None, '10:60')
    assert selection.rows.tolist() == list(range(10, 60))
    assert selection.split is Split.ALL
    assert 0 < selection.trained_on < 50
    assert f'trained on {selection.trained_on} of the 50 rows' in selection.notes[0]


def test_other_data_is_judged_whole(icub, windows):
    other = icub(sha256='of the test file')
    assert rows_trained_on(provenance_of(windows), other) is None
    selection = select(other, None, None, None)
    assert (len(selection.rows), selection.split, selection.trained_on) == (80, Split.ALL, None)
    with pytest.raises(EvaluationError, match='trained: this is not known as the data'):
        select(other, None, Split.TRAINED, None)


def test_rows_and_a_split_contradict_each_other(windows):
    with pytest.raises(EvaluationError, match='rows 0:5 and split held_out: name one of them'):
        select(windows, None, Split.HELD_OUT, '0:5')


@pytest.mark.parametrize(
    ('text', 'first', 'end'), [('100:1100', 100, 1100), (':7', 0, 7), ('1480:', 1480, 1487)]
)
def test_a_range_counts_from_0_without_its_end(text, first, end):
    assert rows_named(text, 1487).tolist() == list(range(first, end))


@pytest.mark.parametrize('text', ['100:1100', '80:', '100:', '0:81'])
def test_a_range_that_is_not_there_is_an_error_that_names_it_and_the_count(text):
    with pytest.raises(EvaluationError, match=f'rows {text}: the data has 80 windows'):
        rows_named(text, 80)


@pytest.mark.parametrize(('text', 'problem'), [('5:5', 'empty'), ('7:3', 'reversed')])
def test_a_range_of_nothing_is_an_error_that_says_so(text, problem):
    with pytest.raises(EvaluationError, match=f'rows {text}: is {problem}.* FIRST below END'):
        rows_named(text, 80)


@pytest.mark.parametrize('text', ['', '5', '-5:10', 'a:b', '0:10:2', '1.5:3'])
def test_what_is_no_range_is_an_error(text):
    with pytest.raises(EvaluationError, match='expected FIRST:END'):
        rows_named(text, 80)
