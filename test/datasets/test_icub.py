"""The published iCub files: read as windows in our order, or refused by row."""

import hashlib
from pathlib import Path

from mmvae_controller.datasets.errors import DatasetError
from mmvae_controller.datasets.icub import (
    MODALITIES,
    PATTERNS,
    PUBLISHED_ROWS,
    read_icub,
    TEST,
    TRAIN,
    trajectory_order,
)
from mmvae_controller.modality.spec import command_of, Quantity
import numpy as np
import pytest
from scipy.io import savemat

WINDOWS = 80
REAL_FILE = Path(__file__).parents[3] / 'shared/data/icub/final_database_train.mat'
# First column at t, first column at t-1, how many: as the README of the data has it.
COLUMNS = {
    'joint': (0, 4, 4),
    'vision': (8, 12, 4),
    'touch': (16, 17, 1),
    'sound': (18, 19, 1),
    'motor': (20, 24, 4),
}
KEPT = {
    'complete': slice(0, 28),
    'vision_only': slice(8, 16),
    'prediction': [*range(4, 8), *range(12, 16), 17, 19, *range(24, 28)],
    'control': slice(4, 16),
}


def trajectory(random, windows):
    """Return complete rows `(N, 28)` in order: each begins where the one before ended."""
    states = {n: random.uniform(-1, 1, (windows + 1, size)) for n, (_, _, size) in COLUMNS.items()}
    states['touch'] = np.sign(states['touch'])
    rows = np.empty((windows, 28))
    for name, (now, before, size) in COLUMNS.items():
        rows[:, now : now + size] = states[name][1:]
        rows[:, before : before + size] = states[name][:-1]
    return rows


def training_rows(targets):
    """Return rows `(4 N, 56)`: the targets four times, with the published inputs muted."""
    blocks = []
    for kept in KEPT.values():
        inputs = np.full_like(targets, -2)
        inputs[:, kept] = targets[:, kept]
        blocks.append(np.hstack([inputs, targets]))
    return np.vstack(blocks)


@pytest.fixture
def complete(random):
    return trajectory(random, WINDOWS)


@pytest.fixture
def read(tmp_path):
    """Return what reads variables by way of a file."""

    def write_and_read(**variables):
        path = tmp_path / 'any name'
        with path.open('wb') as file:
            savemat(file, variables)
        return read_icub(path)

    return write_and_read


@pytest.fixture(params=[TRAIN, TEST])
def windows(request, read, complete):
    return read(**{request.param: training_rows(complete) if request.param == TRAIN else complete})


def test_a_file_gives_each_window_once_with_the_earlier_step_first(windows, complete):
    assert len(windows) == WINDOWS
    rows = np.array([7, 3, 3])
    batch = windows.batch(rows)
    for name, (now, before, size) in COLUMNS.items():
        values = batch.values[name]
        assert values.dtype == np.float32
        assert np.array_equal(values[:, 0], complete[rows, before : before + size].astype('f4'))
        assert np.array_equal(values[:, 1], complete[rows, now : now + size].astype('f4'))
        assert np.array_equal(windows.column(name, rows), values[:, 1])
    assert batch.known.all()
    assert batch.known.shape == (3, 5, 2)
    assert windows.known.all()
    assert windows.known.shape == (WINDOWS, 5)
    assert np.array_equal(batch.label, batch.values['motor'][:, 1])
    assert np.array_equal(windows.column('label', rows), batch.label)


def test_what_is_done_to_a_batch_leaves_the_windows_as_they_are(windows):
    rows = np.arange(4)
    for array in (*windows.batch(rows).values.values(), windows.batch(rows).label):
        array[:] = 9
    assert max(np.abs(v).max() for v in windows.batch(rows).values.values()) <= 1


def test_the_command_is_a_velocity_of_the_measured_joints():
    command = command_of(MODALITIES)
    assert (command.name, command.quantity) == ('motor', Quantity.VELOCITY)
    assert command.channels == MODALITIES[0].channels


def test_the_patterns_are_those_published(windows):
    known = {
        name: {m.name: row.tolist() for m, row in zip(MODALITIES, pattern, strict=True)}
        for name, pattern in windows.patterns.items()
    }
    both, previous, neither = [True, True], [True, False], [False, False]
    names = list(COLUMNS)
    assert known == {
        'complete': dict.fromkeys(names, both),
        'vision_only': dict.fromkeys(names, neither) | {'vision': both},
        'prediction': dict.fromkeys(names, previous),
        'control': dict.fromkeys(names, neither) | {'joint': previous, 'vision': both},
    }


def test_the_description_says_which_file_it_was(read, complete, tmp_path):
    description = read(**{TEST: complete}).description
    content = (tmp_path / 'any name').read_bytes()
    assert description.provenance['sha256'] == hashlib.sha256(content).hexdigest()
    assert description.provenance['file'] == 'any name'
    assert description.provenance['variable'] == TEST
    assert description.stride == 1


@pytest.mark.parametrize('seed', range(5))
@pytest.mark.parametrize('held_out', [0.05, 0.2, 0.5])
def test_no_time_step_is_in_both_parts_of_a_split(read, complete, random, held_out, seed):
    shuffled = complete[random.permutation(WINDOWS)]
    windows = read(**{TRAIN: training_rows(shuffled)})
    train, validation = windows.split(held_out, seed)
    assert len(validation) == round(WINDOWS * held_out)
    assert len(train) + len(validation) >= WINDOWS - 2 * round(20 * held_out)
    seen, unseen = (
        windows.batch(rows).values['joint'].reshape(-1, 4) for rows in (train, validation)
    )
    assert not set(map(bytes, seen)) & set(map(bytes, unseen))


def test_held_out_rows_of_a_trajectory_in_order_are_stretches_with_a_gap(read, complete):
    windows = read(**{TEST: complete})
    assert windows.order.tolist() == list(range(WINDOWS))
    train, validation = windows.split(0.2, seed=3)
    length = WINDOWS // 20
    assert {row // length for row in validation} == {row // length for row in validation[::length]}
    assert all({row - 1, row + 1}.isdisjoint(validation) for row in train)


def test_windows_that_continue_none_are_still_held_out_with_a_gap(read, complete):
    windows = read(**{TEST: complete[::2]})
    train, validation = windows.split(0.2, seed=3)
    assert len(validation) == 8
    assert all({row - 1, row + 1}.isdisjoint(validation) for row in train)


def test_a_split_is_the_same_for_the_same_seed_only(windows):
    first, again, other = (windows.split(0.3, seed)[1].tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_nothing_is_left_out_when_nothing_is_held_out(windows):
    train, validation = windows.split(0.0, seed=1)
    assert train.tolist() == list(range(WINDOWS))
    assert len(validation) == 0


def test_few_windows_can_be_split(read, complete):
    train, validation = read(**{TEST: complete[:3]}).split(0.2, seed=1)
    assert len(validation) == 1
    assert set(train).isdisjoint(validation)


@pytest.mark.parametrize(
    ('states', 'order'),
    [
        ([[1, 2], [3, 4], [2, 3]], [0, 2, 1]),
        ([[5, 6], [1, 2], [8, 9], [2, 3]], [0, 1, 3, 2]),
        ([[1, 2], [2, 3], [3, 1]], [0, 1, 2]),
        ([[1, 1], [1, 1], [1, 2]], [0, 1, 2]),
    ],
    ids=['chain', 'pieces', 'circle', 'standing still'],
)
def test_windows_are_put_in_the_order_of_their_trajectory(states, order):
    assert trajectory_order(np.array(states)).tolist() == order


def test_chains_are_windows_of_which_each_continues_the_one_before(read, complete, random):
    shuffled = random.permutation(WINDOWS)
    windows = read(**{TEST: complete[shuffled]})
    chains = windows.chains(5)
    assert chains.shape == (WINDOWS - 4, 5)
    assert np.array_equal(np.diff(shuffled[chains], axis=1), np.ones((WINDOWS - 4, 4)))
    assert sorted(windows.chains(1)[:, 0]) == list(range(WINDOWS))
    assert windows.chains(WINDOWS).shape == (1, WINDOWS)
    assert windows.chains(WINDOWS + 1).shape == (0, WINDOWS + 1)


def test_no_chain_bridges_a_gap(read, complete):
    windows = read(**{TEST: np.delete(complete, [10, 11, 40], axis=0)})
    assert len(windows.chains(2)) == 9 + 27 + 38
    for row, following in windows.chains(2):
        values = windows.batch(np.array([row, following])).values
        assert all(np.array_equal(v[0, 1], v[1, 0]) for v in values.values())
    assert len(windows.chains(11)) == 0 + 18 + 29


def test_the_published_rows_are_the_thousand_from_row_100(read, random):
    rows = read(**{TEST: trajectory(random, PUBLISHED_ROWS.stop)}).published_rows
    assert rows.tolist() == list(range(100, 1100))


def test_a_file_too_short_for_the_published_rows_says_so(windows):
    with pytest.raises(DatasetError, match='any name: 80 windows, the published rows end at 1100'):
        _ = windows.published_rows


def test_a_file_without_the_variable_is_refused_with_those_it_has(read, complete):
    with pytest.raises(DatasetError, match=r"has variables \['a', 'b'\], expected final_database"):
        read(a=complete, b=complete)


@pytest.mark.parametrize('content', [None, b'', b'no MATLAB file', b'MATLAB 5.0' + bytes(300)])
def test_a_file_that_is_no_matlab_file_is_refused(tmp_path, content):
    path = tmp_path / 'data.mat'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(
        DatasetError, match=r'data\.mat: (no such file|cannot be read|has variables \[\])'
    ):
        read_icub(path)


def test_a_file_that_is_not_there_is_told_with_where_to_get_it(tmp_path):
    with pytest.raises(DatasetError, match=r'none\.mat: no such file; .*github\.com/Imperial'):
        read_icub(tmp_path / 'none.mat')


def test_a_table_without_rows_says_so(read):
    with pytest.raises(DatasetError, match=f'{TEST}: has no rows'):
        read(**{TEST: np.zeros((0, 28))})


def test_a_file_cut_short_anywhere_is_refused(read, complete, tmp_path):
    read(**{TEST: complete})
    path = tmp_path / 'any name'
    content = path.read_bytes()
    for length in (*range(0, 300, 7), *range(300, len(content), 997)):
        path.write_bytes(content[:length])
        with pytest.raises(DatasetError, match='any name'):
            read_icub(path)


@pytest.mark.parametrize('variable', [TRAIN, TEST])
@pytest.mark.parametrize('shape', [(8, 27), (8, 57), (2, 2, 28)])
def test_a_table_of_another_shape_is_refused(read, variable, shape):
    with pytest.raises(DatasetError, match=rf'{variable}: shape \({shape[0]}, .*expected rows of'):
        read(**{variable: np.zeros(shape)})


@pytest.mark.parametrize('value', ['text', np.full((4, 28), 1j), {'field': 1.0}])
def test_a_variable_that_holds_no_numbers_is_refused(read, value):
    with pytest.raises(DatasetError, match=f'{TEST}: .*expected real numbers'):
        read(**{TEST: value})


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf, 1e300])
def test_rows_that_are_not_finite_are_refused_by_number(read, complete, value):
    complete[[2, 5, 6, 7, 30, 40, 41], 11] = value
    with pytest.raises(DatasetError, match='not finite, in row 2, 5, 6, 7, 30 and 2 more'):
        read(**{TEST: complete})


def test_a_touch_of_another_value_is_refused_by_row(read, complete):
    complete[4, 16] = 0.5
    with pytest.raises(DatasetError, match=r'touch that is none of .*in row 4$'):
        read(**{TRAIN: training_rows(complete)})


@pytest.mark.parametrize('variable', [TRAIN, TEST])
def test_a_complete_window_that_is_muted_is_refused_by_row(read, complete, variable):
    rows = complete.copy()
    rows[9, 20:24] = -2
    with pytest.raises(DatasetError, match='in row 9'):
        read(**{variable: training_rows(rows) if variable == TRAIN else rows})


def test_training_rows_that_are_not_four_blocks_are_refused(read, complete):
    with pytest.raises(DatasetError, match='318 rows, expected 4 equal blocks'):
        read(**{TRAIN: training_rows(complete)[:-2]})


@pytest.mark.parametrize('block', range(4))
def test_a_training_row_that_fits_no_pattern_is_refused_by_row(read, complete, block):
    rows = training_rows(complete)
    row = block * WINDOWS + 11
    rows[row, 13] = -2 if block != 3 else rows[row, 13]
    rows[row, 20] = rows[row, 48] if block == 3 else rows[row, 20]
    name = list(PATTERNS)[block]
    with pytest.raises(DatasetError, match=f"muted than in the pattern '{name}', in row {row}$"):
        read(**{TRAIN: rows})


def test_an_input_that_differs_from_its_target_is_refused_by_row(read, complete):
    rows = training_rows(complete)
    rows[WINDOWS + 1, 9] = 0.25
    with pytest.raises(DatasetError, match=f'not its target, in row {WINDOWS + 1}$'):
        read(**{TRAIN: rows})


def test_blocks_of_different_targets_are_refused_by_row(read, complete):
    rows = training_rows(complete)
    rows[3 * WINDOWS, 28] = 0.25
    with pytest.raises(DatasetError, match=f'than in the first block, in row {3 * WINDOWS}$'):
        read(**{TRAIN: rows})


@pytest.mark.skipif(not REAL_FILE.is_file(), reason='the published file is not here')
def test_the_published_training_file_is_read():
    windows = read_icub(REAL_FILE)
    assert len(windows) == 1845
    values = windows.batch(np.arange(1845)).values
    moved = values['joint'][:, 1] - values['joint'][:, 0]
    together = [np.corrcoef(values['motor'][:, 0, j], moved[:, j])[0, 1] for j in range(4)]
    assert np.round(together, 2).tolist() == [0.96, 0.96, 0.5, 0.96]
    train, validation = windows.split(0.2, seed=1)
    assert len(validation) == 369
    assert len(train) > 1400
    states = np.concatenate(list(values.values()), axis=2)
    seen, unseen = (set(map(bytes, states[rows].reshape(-1, 14))) for rows in (train, validation))
    assert seen.isdisjoint(unseen)
