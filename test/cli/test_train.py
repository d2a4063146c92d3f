"""`mmvae train` on windows as they were published."""

from __future__ import annotations

from pathlib import Path
import subprocess
import sys

from mmvae_controller.cli import training
from mmvae_controller.cli.main import app
from mmvae_controller.datasets.icub import MODALITIES, TEST
from mmvae_controller.datasets.opening import open_windows
import numpy as np
import pytest
from scipy.io import loadmat, savemat
from typer.testing import CliRunner
import yaml

TRAINING = {
    'name': 'tiny',
    'seed': 3,
    'epochs': 1,
    'batch_size': 16,
    'learning_rate': 0.001,
    'rate_schedule': 'constant',
    'optimiser': {'name': 'adam'},
    'gradient_norm': False,
    'passes': 4,
    'held_out': 0.2,
    'kl': {'start': 0.1, 'plateau': 0.1, 'epochs': 1},
    'muting': {'named': 1.0, 'mixed': 0.2},
    'network': {
        'latent': 4,
        'shared_encoder': [8],
        'shared_decoder': [8],
        'branches': {m.name: {'encoder': [4], 'decoder': [4]} for m in MODALITIES},
    },
}


@pytest.fixture
def file(tmp_path, random):
    """Return a file of the published kind, of one trajectory."""
    rows = random.uniform(-1, 1, (40, 28))
    rows[:, 16:18] = 1
    rows[1:, np.r_[4:8, 12:16, 17, 19, 24:28]] = rows[:-1, np.r_[0:4, 8:12, 16, 18, 20:24]]
    with (tmp_path / 'file.mat').open('wb') as opened:
        savemat(opened, {TEST: rows})
    return tmp_path / 'file.mat'


@pytest.fixture
def train(tmp_path, file):
    """Return what trains on the file and gives the output and what model.yaml says of it."""

    def run(*words: str):
        config, out = tmp_path / 'tiny.yaml', tmp_path / 'model'
        config.write_text(yaml.safe_dump(TRAINING))
        always = ['train', '--dataset', f'icub:{file}', '--out', out, '--config', config]
        result = CliRunner().invoke(app, [str(w) for w in (*always, *words)])
        assert result.exit_code == 0, result.output
        contract = yaml.safe_load((Path(out) / 'model.yaml').read_text())
        return result.output, contract['provenance']

    return run


@pytest.mark.slow
def test_a_published_file_is_trained_on_and_its_split_can_be_made_again(train, file):
    output, provenance = train()
    assert 'normalised (policy, held out), KL' in output
    assert provenance['muting'] == {'named': 1.0, 'mixed': 0.2}
    split = provenance['split']
    assert split == {'held_out': 0.2, 'seed': 0}
    rows, validation = open_windows(f'icub:{file}').split(**split)
    assert (provenance['rows'], provenance['validation_rows']) == (len(rows), len(validation))
    assert provenance['last_epoch']['command_rmse'] > 0


@pytest.mark.slow
def test_with_nothing_held_out_there_is_no_figure_and_none_is_made_up(train):
    output, provenance = train('--held-out', '0')
    assert 'motor RMSE -, KL' in output
    assert provenance['split'] == {'held_out': 0.0, 'seed': 0}
    assert (provenance['rows'], provenance['validation_rows']) == (40, 0)
    assert provenance['last_epoch']['command_rmse'] is None


@pytest.mark.slow
def test_another_split_holds_out_other_rows(train):
    split = train('--split-seed', '3')[1]['split']
    assert split == {'held_out': 0.2, 'seed': 3}


@pytest.mark.slow
def test_what_is_trained_is_neither_gone_on_with_nor_trained_otherwise(train, tmp_path):
    train()
    output, _ = train()
    # Nothing of how it would be trained: nothing will be.
    assert output == f'{tmp_path / "model"}: is trained already\n'
    words = ['train', '--dataset', f'icub:{tmp_path / "file.mat"}', '--config']
    words += [str(tmp_path / 'tiny.yaml'), '--out', str(tmp_path / 'model')]
    result = CliRunner().invoke(app, [*words, '--epochs', '50', '--seed', '5'])
    assert result.exit_code == 2
    assert '(epochs, seed differ)' in result.stderr
    assert f'with --initial {tmp_path / "model"} to go on from what' in result.stderr
    (tmp_path / 'model' / 'model.yaml').unlink()
    result = CliRunner().invoke(app, [*words, '--epochs', '50'])
    assert '(epochs differ); train into another folder, or restore' in result.stderr


def test_one_that_is_interrupted_says_that_it_goes_on(file, tmp_path, monkeypatch):
    def interrupt(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(training, 'run', interrupt)
    words = ['train', '--config', 'train/icub.yaml', '--dataset', f'icub:{file}', '--out']
    result = CliRunner().invoke(app, [*words, str(tmp_path / 'model')])
    assert result.exit_code == 130
    assert 'interrupted; the same command goes on from what is done' in result.stderr


def test_a_model_that_was_made_elsewhere_is_not_written_over(file, tmp_path):
    out = tmp_path / 'shipped'
    out.mkdir()
    (out / 'model.yaml').write_text('kept')
    words = ['train', '--config', 'train/icub.yaml', '--dataset', f'icub:{file}', '--out']
    result = CliRunner().invoke(app, [*words, str(out)])
    assert result.exit_code == 2
    assert f'{out}: holds a finished model that this run did not make' in result.stderr
    assert [p.name for p in out.iterdir()] == ['model.yaml']
    assert (out / 'model.yaml').read_text() == 'kept'


@pytest.mark.parametrize(
    ('change', 'told'),
    [({'epochs': 0}, 'epochs is 0'), ({'optimiser': {'name': 'sgd'}}, 'adamw'), ({}, 'torch is')],
)
def test_a_mistake_in_the_yaml_is_told_before_pytorch_is_loaded(tmp_path, file, change, told):
    config = tmp_path / 'tiny.yaml'
    config.write_text(yaml.safe_dump({**TRAINING, **change}))
    words = ['train', '--dataset', f'icub:{file}', '--config', str(config)]
    words += ['--out', str(tmp_path / 'model')]
    code = (
        'import sys\n'
        "sys.modules['torch'] = None\n"
        'from mmvae_controller.cli.main import app\n'
        f'app({words})\n'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stderr.count('\n') == 1


def test_a_likelihood_that_is_refused_leaves_no_folder(file, tmp_path):
    branches = TRAINING['network']['branches']
    pressed = {**branches['touch'], 'likelihood': 'categorical', 'normalise': False}
    network = {**TRAINING['network'], 'branches': {**branches, 'touch': pressed}}
    config = tmp_path / 'odd.yaml'
    # A touch of -1 or 1 has no class.
    rows = loadmat(file)[TEST]
    rows[:, 16:18] = -1
    savemat(tmp_path / 'other.mat', {TEST: rows})
    config.write_text(yaml.safe_dump({**TRAINING, 'network': network}))
    words = ['train', '--config', str(config), '--dataset', f'icub:{tmp_path / "other.mat"}']
    result = CliRunner().invoke(app, [*words, '--out', str(tmp_path / 'model')])
    assert result.exit_code == 2
    assert 'the likelihood categorical needs 0 to 1' in result.stderr
    assert not (tmp_path / 'model').exists()


@pytest.mark.parametrize('share', ['-0.1', '0.95', 'nan'])
def test_a_share_out_of_range_is_refused(share):
    result = CliRunner().invoke(
        app, ['train', '--dataset', 'x', '--out', 'y', '--held-out', share]
    )
    assert result.exit_code == 2
    assert 'held-out' in result.stderr
    assert 'is no complete data set' not in result.stderr


def test_an_unknown_kind_of_data_is_one_line_and_exit_code_2(tmp_path):
    result = CliRunner().invoke(app, ['train', '--dataset', 'foo:bar', '--out', str(tmp_path)])
    assert result.exit_code == 2
    assert "unknown prefix 'foo', expected icub:" in result.stderr
    assert result.stderr.count('\n') == 1


def test_a_place_that_cannot_be_written_is_refused_before_training(file, tmp_path):
    (tmp_path / 'taken').write_text('kept')
    arguments = ['--dataset', f'icub:{file}', '--out', str(tmp_path / 'taken' / 'model')]
    result = CliRunner().invoke(app, ['train', '--config', 'train/icub.yaml', *arguments])
    assert result.exit_code == 2
    assert (tmp_path / 'taken').read_text() == 'kept'


def test_a_dry_run_says_what_would_be_trained_and_writes_nothing(tmp_path):
    config, out = tmp_path / 'tiny.yaml', tmp_path / 'models' / 'mine'
    training = {**TRAINING, 'muting': {'random': 1.0}, 'epochs': 3}
    branch = {'encoder': [4], 'decoder': [4]}
    senses = ('left_eye', 'right_eye', 'joints', 'goal', 'antenna', 'motor')
    training['network'] = {**TRAINING['network'], 'branches': dict.fromkeys(senses, branch)}
    config.write_text(yaml.safe_dump(training))
    words = ['train', '--dataset', 'linear:100', '--out', out, '--config', config, '--dry-run']
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    assert f'{out}: epochs 1 to 3 of ' in result.stdout
    assert 'on 80 rows; 20 are held out; nothing was written' in result.stdout
    assert 'warmup_steps 200 is more than all 60 steps' in result.stderr
    assert [*tmp_path.iterdir()] == [config]
