"""The whole evaluation, as data, tables and pictures."""

from dataclasses import replace
from io import StringIO
import json

from mmvae_controller.evaluation import bank as bank_module
from mmvae_controller.evaluation.errors import EvaluationError
from mmvae_controller.evaluation.evaluation import evaluate, Question
from mmvae_controller.evaluation.figures import figures
from mmvae_controller.evaluation.published import MEDIANS
from mmvae_controller.evaluation.report import report_data
from mmvae_controller.evaluation.selection import Split
from mmvae_controller.evaluation.tables import tables
import numpy as np
import pytest
from rich.console import Console

PAPER = 'iCub data of Zambelli, Cully, Demiris 2020, arXiv 1910.03854'
STEP_KEYS = {'samples', 'mse', 'rmse', 'nll', 'nll_per_dim'}


@pytest.fixture
def windows(icub):
    return icub(**{'from': PAPER})


@pytest.fixture
def network(icub_formula, windows):
    trained, _ = windows.split(0.2, 1)
    split = {'held_out': 0.2, 'seed': 1, 'train_rows': len(trained)}
    return icub_formula(
        provenance={'dataset': dict(windows.description.provenance), 'split': split}
    )


def asked(network, windows, bank=None, dataset='data', **question):
    return evaluate(network, windows, bank, Question(dataset, **question), lambda *told: None)


def drawn(evaluation, width=100):
    console = Console(width=width, record=True, file=StringIO())
    for table in tables(evaluation):
        console.print(table)
    return console.export_text()


def test_the_report_holds_every_pattern_modality_and_step(network, windows):
    data = report_data(asked(network, windows))
    assert data['rows'] == 16
    assert data['trained_on'] == 0
    assert data['split'] == 'held_out'
    assert (data['model'], data['checksum'], data['dataset']) == ('formula', 'sum', 'data')
    assert list(data['patterns']) == list(windows.patterns)
    for pattern in data['patterns'].values():
        assert list(pattern) == ['joint', 'vision', 'touch', 'sound', 'motor']
        for scores in pattern.values():
            assert scores.keys() >= STEP_KEYS | {'t-1', 't', 'known', 'calibration', 'baselines'}
            assert scores['t'].keys() >= STEP_KEYS
            assert set(scores['baselines']) == {'mean', 'copy_last', 'knn', 'ridge'}
    complete = data['patterns']['complete']['joint']
    assert complete['mse'] == 0
    assert complete['calibration']['coverage']['0.9'] == 1
    for baseline in complete['baselines'].values():
        assert (baseline['mse'], baseline['t']['mse'], baseline['nll']) == (0, 0, None)
    hidden = data['patterns']['control']['motor']
    assert hidden['baselines']['copy_last'] is None
    assert hidden['baselines']['ridge']['nll'] is not None
    for name, baseline in data['patterns']['prediction']['joint']['baselines'].items():
        assert baseline['t-1']['mse'] == 0, name
        assert baseline['mse'] == pytest.approx(baseline['t']['mse'] / 2)
        assert (baseline['t-1']['nll'], baseline['nll']) == (None, None)
        assert baseline['t']['nll'] is not None
    assert data['horizon']['steps'] == 5
    assert len(data['horizon']['modalities']['joint']['baselines']['mean']) == 5


def test_the_report_is_strict_json(network, windows):
    data = report_data(asked(network, windows, rows='0:3'))
    assert data['horizon']['windows'] == [3, 2, 1, 0, 0]
    assert data['horizon']['modalities']['joint']['mse'][4] is None
    assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_rows_that_do_not_follow_each_other_are_told(network, windows):
    notes = ' '.join(asked(network, windows, rows='0:3').notes)
    assert 'follow each other for 3 steps at most' in notes


def test_the_training_rows_are_the_bank_and_the_held_out_rows_are_judged(network, windows):
    evaluation = asked(network, windows)
    trained, held_out = windows.split(0.2, 1)
    assert evaluation.bank_rows == len(trained)
    assert np.array_equal(evaluation.selection.rows, held_out)


def test_other_data_has_no_baselines_until_the_bank_is_named(network, icub, windows):
    other = icub(sha256='of the test file', **{'from': PAPER})
    evaluation = asked(network, other, split=Split.ALL)
    data = report_data(evaluation)
    assert data['trained_on'] is None
    assert any('is unknown: only --bank' in note for note in evaluation.notes)
    assert data['baseline_rows'] is None
    joint = data['patterns']['vision_only']['joint']
    assert joint['baselines'] == dict.fromkeys(('mean', 'copy_last', 'knn', 'ridge'))
    assert data['horizon']['modalities']['joint']['baselines']['mean'] is None
    assert '--bank' in ' '.join(evaluation.notes)
    assert ' - ' in drawn(evaluation)
    evaluation = asked(network, other, windows)
    assert evaluation.bank_rows == len(windows.split(0.2, 1)[0])
    assert report_data(evaluation)['trained_on'] == 0
    assert not any('--bank' in note for note in evaluation.notes)


def test_a_bank_that_is_not_the_training_data_is_told(network, icub):
    other, bank = icub(sha256='other'), icub(sha256='third')
    evaluation = asked(network, other, bank)
    assert evaluation.bank_rows == 80
    assert 'other data than the model was trained on' in ' '.join(evaluation.notes)
    assert evaluation.selection.trained_on is None
    assert 'trained on any of these windows is unknown' in ' '.join(evaluation.notes)


@pytest.mark.parametrize('bank_rows', [5000, 10])
def test_training_windows_in_another_file_are_found_out(
    network, windows, icub, monkeypatch, bank_rows
):
    monkeypatch.setattr(bank_module, 'BANK_ROWS', bank_rows)
    copy = icub(sha256='of a copy', **{'from': PAPER})
    for name, values in windows._values.items():
        copy._values[name][:] = values
        copy._values[name][:3] += 0.125
    evaluation = asked(network, copy, windows)
    trained, _ = windows.split(0.2, 1)
    expected = int((trained >= 3).sum())
    assert report_data(evaluation)['trained_on'] == expected
    assert f'{expected} of the 80 windows judged are, number for number' in evaluation.notes[0]


def test_the_bank_may_be_the_data_itself(network, windows, icub):
    alone, twice = asked(network, windows), asked(network, windows, windows)
    assert report_data(alone) == report_data(twice)


def test_published_errors_stand_beside_the_icub_alone(network, windows, icub, icub_formula):
    evaluation = asked(network, windows)
    assert evaluation.published['prediction']['sound'] == 0.1360
    assert set(evaluation.published) == set(windows.patterns)
    assert 'judged here are other rows' in evaluation.notes[-1]
    assert '0.3769' in drawn(evaluation)
    evaluation = asked(icub_formula(), icub())
    assert evaluation.published == {}
    assert 'publ.' not in drawn(evaluation)


def test_the_published_rows_of_the_test_file_are_told_apart(icub, icub_formula):
    test_file = icub(windows=1487, variable='final_database_test', **{'from': PAPER})
    notes = asked(icub_formula(), test_file, rows='100:1100', steps=0).notes
    assert notes[-1].endswith('the rows judged here.')
    notes = asked(icub_formula(), test_file, rows='101:1101', steps=0).notes
    assert notes[-1].endswith('judged here are other rows.')


def test_other_data_under_the_name_of_the_test_file_is_not_taken_for_it(icub, icub_formula):
    other = icub(windows=1845, variable='final_database_test', **{'from': PAPER})
    evaluation = asked(icub_formula(), other, rows='100:1100', steps=0)
    assert evaluation.notes[-1].endswith('judged here are other rows.')
    assert not evaluation.published_rows


def test_the_published_table_names_every_pattern_of_the_data(windows):
    assert set(MEDIANS) == set(windows.patterns)


def test_steps_ahead_can_be_left_out(network, windows):
    evaluation = asked(network, windows, steps=0)
    assert evaluation.horizon is None
    assert report_data(evaluation)['horizon'] is None
    assert set(figures(evaluation)) == {'errors', 'calibration'}


def test_tables_fit_a_terminal_of_100_columns(network, windows):
    lines = drawn(asked(network, windows)).splitlines()
    rows = [line for line in lines if line.strip().startswith(('joint ', 'vision ', 'sound '))]
    assert max(map(len, lines)) <= 100
    assert len(rows) == 3 * 5
    assert '…' not in ''.join(rows)


def cells_of(evaluation, pattern, modality):
    """Return the cells of a row with their colours."""
    table = tables(evaluation)[list(evaluation.patterns).index(pattern)]
    row = list(evaluation.patterns[pattern].modalities).index(modality)
    titles = [str(column.header).replace('\n', ' ') for column in table.columns]
    return dict(zip(titles, (list(c.cells)[row] for c in table.columns), strict=True))


def test_only_the_error_of_masked_steps_is_coloured(icub, icub_formula, windows):
    def perfect(name, value):
        return value if name != 'joint' else value + np.float32(0.5)

    trained, _ = windows.split(0.2, 1)
    split = {'held_out': 0.2, 'seed': 1, 'train_rows': len(trained)}
    provenance = {'dataset': dict(windows.description.provenance), 'split': split}
    evaluation = asked(icub_formula(perfect, provenance=provenance), windows, steps=0)
    joint = cells_of(evaluation, 'complete', 'joint')
    assert [joint[f'MSE {step}'] for step in ('t-1', 't', 'both')] == ['0.2500'] * 3
    for name in ('copy', 'ridge', 'kNN', 'mean'):
        assert joint[f'{name} masked'] == 'known'
    predicted = cells_of(evaluation, 'prediction', 'joint')
    assert predicted['MSE t-1'] == '0.2500'
    assert predicted['MSE t'].startswith('[red]')
    assert not predicted['MSE both'].startswith('[')
    scores = evaluation.patterns['prediction'].modalities['joint'].baselines
    assert predicted['ridge masked'] == f'{scores["ridge"].current.mse:.4f}'
    hidden = cells_of(evaluation, 'vision_only', 'motor')
    assert hidden['MSE both'].startswith(('[red]', '[green]'))
    assert not hidden['MSE t'].startswith('[')
    assert hidden['copy masked'] == '-'


def test_every_figure_can_be_drawn(network, windows, tmp_path):
    for name, figure in figures(asked(network, windows)).items():
        figure.savefig(tmp_path / f'{name}.png')
    found = {path.name for path in tmp_path.iterdir()}
    assert found == {'errors.png', 'calibration.png', 'horizon.png'}


def words_of(figure):
    panels = figure.axes
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    return figure.get_suptitle(), {panel.get_ylabel() for panel in panels} - {''}, legend


def test_every_figure_names_the_model_the_data_and_what_was_trained_on(windows, icub_formula):
    taught = icub_formula(provenance={'dataset': {'sha256': 'of the training file'}})
    drawn_figures = figures(asked(taught, windows, dataset='icub:some/where/file.mat'))
    for figure in drawn_figures.values():
        title = words_of(figure)[0]
        assert 'formula on file.mat: 80 windows, ALL of them trained on' in title
    _, units, legend = words_of(drawn_figures['errors'])
    assert units == {'MSE (normalised²)'}
    assert 'published, of other rows' in legend
    assert words_of(drawn_figures['horizon'])[1] == {'RMSE (normalised)'}


def test_modalities_of_different_units_have_each_its_own(world, formula, formulas):
    evaluation = asked(formula(world.modalities, formulas['echo']), world)
    figure = figures(evaluation)['errors']
    assert words_of(figure)[1] == {'MSE (own unit)'}
    names = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert names == ['camera\n(intensity²)', 'joints\n(rad²)', 'touch\n(N²)', 'motor\n((rad/s)²)']
    assert 'unknown how many of them trained on' in words_of(figure)[0]


def test_no_bar_is_cut(network, windows):
    axes = figures(asked(network, windows))['errors'].axes
    heights = [bar.get_height() for panel in axes for bar in panel.patches]
    low, high = axes[-1].get_ylim()
    assert all(panel.get_ylim() == (low, high) for panel in axes)
    assert high > max(heights)
    assert low <= min(height for height in heights if height)


def test_a_perfect_model_without_baselines_has_figures_too(icub, icub_formula):
    assert len(figures(asked(icub_formula(), icub(), rows='5:6'))) == 3


def test_a_recording_with_pictures_is_evaluated(world, formula, formulas):
    network = formula(world.modalities, formulas['echo'], {'dataset': {'from': 'test'}})
    evaluation = asked(network, world)
    data = report_data(evaluation)
    assert list(data['patterns']) == ['complete', 'policy', 'prediction']
    camera = data['patterns']['complete']['camera']
    assert camera['baselines']['knn'] is None
    assert camera['baselines']['ridge'] is None
    assert camera['baselines']['mean']['mse'] == 0
    assert data['patterns']['prediction']['camera']['baselines']['mean']['t']['mse'] > 0
    assert data['trained_on'] == 72
    assert 'kNN and ridge neither read nor guess pictures.' in evaluation.notes
    assert 'camera' in drawn(evaluation)


def test_data_that_does_not_fit_the_model_is_refused_by_what_differs(world, icub, icub_formula):
    with pytest.raises(EvaluationError, match=r"data has modalities \['camera'.*model reads"):
        asked(icub_formula(), world)


def test_data_of_another_time_step_or_channel_is_refused(world, formula, formulas):
    network = formula(world.modalities, formulas['echo'])
    camera, joints, *rest = world.modalities
    joints = replace(joints, channels=('a', 'b', 'c'))
    network.contract = replace(network.contract, step_s=0.2, modalities=(camera, joints, *rest))
    with pytest.raises(EvaluationError, match=r'joints: channels .*the model exp') as found:
        asked(network, world)
    assert "expects ('a', 'b', 'c')" in str(found.value)
    assert 'step_s 0.1, the model expects 0.2' in str(found.value)


def test_progress_is_told_for_every_pattern(network, windows):
    told = []
    evaluate(network, windows, None, Question('data', rows='0:50'), lambda *t: told.append(t))
    assert [name for name, _, _ in told] == [*windows.patterns, '5 steps ahead']
    assert all(done == total == 50 for _, done, total in told)
