"""What benchmarks find, as plain data and as a table, and how times are taken."""

from io import StringIO
import json
import math

from mmvae_controller.benchmarks.figures import at_least, at_most, Figure, Found
from mmvae_controller.benchmarks.loops import answers
from mmvae_controller.benchmarks.machine import machine
from mmvae_controller.benchmarks.registry import find_benchmark, NAMES
from mmvae_controller.benchmarks.tables import table
from mmvae_controller.benchmarks.timing import in_turns
import numpy as np
import pytest
from rich.console import Console

MS = 1_000_000


def test_a_figure_says_what_it_is_held_against():
    found = at_most('a loop', 's', 3.0, 2.0, 'a bare loop', 1.2)
    assert found.data() == {
        'name': 'a loop',
        'unit': 's',
        'ours': 3.0,
        'beside': 2.0,
        'beside_is': 'a bare loop',
        'ratio': 1.5,
        'goal': 'at most 1.2 x',
        'met': False,
    }


@pytest.mark.parametrize(
    ('figure', 'met'),
    [
        (at_most('', '', 2.4, 2.0, '', 1.2), True),
        (at_most('', '', 2.41, 2.0, '', 1.2), False),
        (at_least('', '', 1.8, 2.0, '', 0.9), True),
        (at_least('', '', 1.79, 2.0, '', 0.9), False),
        (at_most('', '', math.nan, 2.0, '', 1.2), False),
        (at_least('', '', math.nan, 2.0, '', 0.9), False),
        (Figure('', '', 1.0, 2.0, ''), None),
    ],
)
def test_a_goal_is_met_or_missed_and_what_is_not_a_number_misses(figure, met):
    assert figure.met is met


def test_what_cannot_be_divided_or_is_not_finite_is_null_in_json():
    found = Found([Figure('', '', math.inf, 0.0, '')], {'size': 3}, ['a note']).data()
    assert found['ours'] is None
    assert found['ratio'] is None
    assert json.loads(json.dumps(found, allow_nan=False))['settings'] == {'size': 3}


def test_the_first_figure_stands_for_the_benchmark():
    found = Found([Figure('first', 's', 1, 2, 'x'), Figure('second', 's', 3, 4, 'y')], {}).data()
    assert (found['name'], found['ratio']) == ('first', 0.5)
    assert [f['name'] for f in found['figures']] == ['first', 'second']


def test_a_table_shows_every_figure_and_whether_its_goal_was_reached():
    figures = [at_most('fast', 's', 1, 2, 'slow', 1), at_most('slow', 's', 2, 1, 'fast', 1)]
    console = Console(width=110, record=True, file=StringIO())
    console.print(table('speed', Found(figures, {}).data()))
    text = console.export_text()
    assert [line.split()[-1] for line in text.splitlines() if ' x ' in line] == [
        'reached', 'missed',
    ]  # fmt: skip


def test_every_benchmark_that_is_named_is_there():
    assert set(NAMES) == {'control', 'inference', 'importance', 'study', 'jmvae', 'simulation'}
    assert all(callable(find_benchmark(name)) for name in NAMES)


def test_the_machine_is_described_by_what_changes_figures():
    assert {'processor', 'cores', 'load_1min', 'python', 'mmvae_controller'} <= set(machine())


def test_calls_are_timed_in_turns_and_the_warm_up_is_not_counted():
    order = []
    took = in_turns([lambda: order.append('a'), lambda: order.append('b')], rounds=3, warm_up=2)
    assert order == ['a', 'b'] * 5
    assert [len(times) for times in took] == [3, 3]
    assert all((times >= 0).all() for times in took)


def test_an_answer_counts_for_the_state_before_it_and_a_late_one_is_missed():
    published = np.array([0, 5, 10, 15]) * MS
    received = np.array([1, 6, 11, 12, 18]) * MS
    assert answers(published, received).tolist() == [1, 1, 1, 3]
    late = answers(published, np.array([1, 11, 16]) * MS)
    np.testing.assert_array_equal(late, [1, math.nan, 1, 1])
    np.testing.assert_array_equal(answers(published, np.array([], np.int64)), [math.nan] * 4)
