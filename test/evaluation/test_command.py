"""`mmvae evaluate` as its user meets it."""

import json
import shutil

from mmvae_controller.cli.main import app
from mmvae_controller.datasets.store import Dataset
import numpy as np
import pytest
from scipy.io import savemat
from typer.testing import CliRunner
import yaml


def run(*words):
    return CliRunner().invoke(app, ['evaluate', *map(str, words)])


@pytest.fixture
def data(write_world):
    return write_world()


@pytest.fixture
def model(model_folder, tmp_path, data):
    """Return the small model, as if it had been trained on the data with a split."""
    folder = tmp_path / 'model'
    shutil.copytree(model_folder, folder)
    contract = yaml.safe_load((folder / 'model.yaml').read_text())
    trained, _ = Dataset(data).split(0.4, 1)
    contract['provenance'] = {
        'dataset': {'from': 'test'},
        'split': {'held_out': 0.4, 'seed': 1, 'train_rows': len(trained)},
    }
    (folder / 'model.yaml').write_text(yaml.safe_dump(contract, sort_keys=False))
    return folder


def test_a_model_is_evaluated_on_what_was_held_out(model, data, tmp_path):
    report, pictures = tmp_path / 'out' / 'report.json', tmp_path / 'pictures'
    result = run(model, '--dataset', data, '--json', report, '--figures', pictures)
    assert result.exit_code == 0, result.output
    found = json.loads(report.read_text())
    assert (found['split'], found['rows'], found['trained_on']) == ('held_out', 24, 0)
    assert found['patterns']['policy']['motor']['known'] == [True, False]
    assert 'small on' in result.stdout
    assert 'prediction' in result.stdout
    assert result.stdout.splitlines()[-1] == found['verdict']
    assert 'under policy, on held-out windows' in found['verdict']
    assert {p.name for p in pictures.iterdir()} == {
        'errors.png',
        'calibration.png',
        'horizon.png',
    }
    assert not list(tmp_path.rglob('*.part'))


def test_of_data_that_is_not_recognised_it_is_unknown_what_was_trained_on(model, data, tmp_path):
    contract = yaml.safe_load((model / 'model.yaml').read_text())
    contract['provenance'] = {'dataset': {'from': 'elsewhere'}}
    (model / 'model.yaml').write_text(yaml.safe_dump(contract, sort_keys=False))
    report = tmp_path / 'report.json'
    result = run(model, '--dataset', data, '--steps', 0, '--json', report)
    assert result.exit_code == 0, result.output
    assert 'unknown how many of them trained on' in ' '.join(result.stdout.split())
    assert json.loads(report.read_text())['trained_on'] is None


def test_the_rows_and_steps_can_be_chosen(model, data, tmp_path):
    report = tmp_path / 'report.json'
    assert (
        run(model, '--dataset', data, '--rows', '10:20', '--steps', 0, '--json', report).exit_code
        == 0
    )
    found = json.loads(report.read_text())
    assert (found['rows'], found['split'], found['horizon']) == (10, 'all', None)


@pytest.mark.parametrize(
    ('words', 'told'),
    [
        (['--rows', '10:100'], 'rows 10:100: the data has 72 windows'),
        (['--rows', 'some'], "rows 'some': expected FIRST:END"),
        (['--split', 'half'], "no split 'half', there are all, held_out, trained"),
        (['--rows', '0:5', '--split', 'trained'], 'name one of them'),
        (['--bank', 'nowhere'], 'nowhere: is no complete data set'),
    ],
)
def test_what_cannot_be_judged_is_one_line_and_exit_code_2(model, data, words, told):
    result = run(model, '--dataset', data, *words)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stderr.count('\n') == 1


def test_data_of_another_robot_is_refused(model, tmp_path, icub):
    rows = [v.reshape(80, -1) for v in icub()._values.values()]
    path = tmp_path / 'test.mat'
    table = np.hstack(rows)
    table[:, 16:18] = 1
    savemat(path, {'final_database_test': table})
    result = run(model, '--dataset', f'icub:{path}')
    assert result.exit_code == 2
    assert "has modalities ['joint', 'vision', 'touch', 'sound', 'motor']" in result.stderr


def test_a_place_that_cannot_be_written_is_told(model, data, tmp_path):
    blocked = tmp_path / 'file'
    blocked.write_text('')
    result = run(model, '--dataset', data, '--steps', 0, '--figures', blocked / 'pictures')
    assert result.exit_code == 2
    assert 'cannot be written' in result.stderr
