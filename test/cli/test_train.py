"""`mmvae train` on windows as they were published."""

from __future__ import annotations

from pathlib import Path

from mmvae_controller.cli.main import app
from mmvae_controller.datasets.icub import MODALITIES, TEST
from mmvae_controller.datasets.opening import open_windows
import numpy as np
import pytest
from scipy.io import savemat
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
    assert 'normalised, KL' in output
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
    assert "unknown prefix 'foo', expected icub:PATH" in result.stderr
    assert result.stderr.count('\n') == 1


def test_a_place_that_cannot_be_written_is_refused_before_training(file, tmp_path):
    (tmp_path / 'taken').write_text('kept')
    arguments = ['--dataset', f'icub:{file}', '--out', str(tmp_path / 'taken' / 'model')]
    result = CliRunner().invoke(app, ['train', '--config', 'train/icub.yaml', *arguments])
    assert result.exit_code == 2
    assert (tmp_path / 'taken').read_text() == 'kept'
