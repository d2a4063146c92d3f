"""`mmvae importance` as its user meets it."""

from __future__ import annotations

import json
from pathlib import Path
import shutil
import subprocess
import sys

from mmvae_controller.cli.main import app
import pytest
from typer.testing import CliRunner
import yaml

ROOT = Path(__file__).parents[2]


def run(*words):
    return CliRunner().invoke(app, ['importance', *map(str, words)])


@pytest.fixture
def data(write_world):
    return write_world()


def test_it_writes_numbers_pictures_and_a_page(model_folder, data, tmp_path):
    numbers, out = tmp_path / 'new' / 'numbers.json', tmp_path / 'out'
    result = run(
        model_folder, '--dataset', data, '--rows', '0:36', '--per-dimension', '--phase',
        'touch:1', '--json', numbers, '--out', out,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    found = json.loads(numbers.read_text())
    assert found['rows'] == 36
    assert result.stdout.splitlines()[-1] == found['verdict']
    assert found['verdict'].endswith('; under policy, at t')
    pictures = {path.name for path in out.glob('*.png')}
    assert pictures == {
        'bars.png', 'violins.png',
        *(f'{kind}_{p}.png' for kind in ('heatmap', 'map_camera')
          for p in ('complete', 'policy', 'prediction')),
    }  # fmt: skip
    assert (out / 'report.html').read_text().count('data:image/png') == len(pictures)
    assert not list(tmp_path.rglob('*.part'))
    for said in ('36 windows', 'loss of precision', 'policy, above', 'does not say'):
        assert said in result.stdout


def test_samples_of_the_latent_are_told_from_its_mean(model_folder, data, tmp_path):
    found = {}
    for latent in ('mean', 'samples'):
        path = tmp_path / f'{latent}.json'
        words = ['--samples', 4] if latent == 'samples' else []
        result = run(
            model_folder, '--dataset', data, '--rows', '0:6', '--latent', latent, *words,
            '--json', path,
        )  # fmt: skip
        assert result.exit_code == 0, result.output
        found[latent] = json.loads(path.read_text())
    checksums = yaml.safe_load((model_folder / 'model.yaml').read_text())['checksums']
    assert found['mean']['checksum'] == checksums['network.onnx']
    assert found['samples']['checksum'] == checksums['weights.safetensors']
    assert (found['mean']['samples'], found['samples']['samples']) == (None, 4)
    assert found['mean']['protocols'] != found['samples']['protocols']


@pytest.mark.parametrize(
    ('words', 'told'),
    [
        (['--latent', 'both'], "no latent 'both', there are mean, samples"),
        (['--average', 'mode'], "no average 'mode', there are mean, median"),
        (['--step', 'now'], "no step 'now', there are t, t-1"),
        (['--split', 'test'], "no split 'test', there are all, held_out, trained"),
        (['--samples', '4'], 'samples 4: say --latent samples as well'),
        (['--latent', 'samples', '--samples', '3'], '3 samples of the latent: expected an even'),
        (['--phase', 'touch'], "phase 'touch': expected MODALITY:THRESHOLD"),
        (['--phase', 'nose:1'], "no modality 'nose'"),
        (['--phase', 'touch:1000'], 'no window is above it'),
        (['--rows', '0:9999'], 'the data has 72 windows'),
        (['--split', 'held_out'], 'this is not known as the data the model was trained on'),
    ],
)
def test_what_cannot_be_asked_is_one_line_and_nothing_is_written(
    model_folder, data, tmp_path, words, told
):
    out = tmp_path / 'out'
    numbers = tmp_path / 'out' / 'numbers.json'
    result = run(model_folder, '--dataset', data, '--out', out, '--json', numbers, *words)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stderr.count('\n') == 1
    assert not out.exists() or list(out.iterdir()) == []


def test_a_data_set_of_other_modalities_is_refused(model_folder, data):
    path = data / 'dataset.yaml'
    description = yaml.safe_load(path.read_text())
    description['modalities']['skin'] = description['modalities'].pop('touch')
    path.write_text(yaml.safe_dump(description, sort_keys=False))
    for shard in data.glob('shard-*'):
        (shard / 'touch.npy').rename(shard / 'skin.npy')
    result = run(model_folder, '--dataset', data)
    assert result.exit_code == 2
    assert result.stderr.count('\n') == 1
    assert 'the model reads' in result.stderr


@pytest.mark.parametrize('option', ['--json', '--out'])
def test_a_place_that_cannot_be_written_is_refused_before_the_work(
    model_folder, data, tmp_path, option
):
    (tmp_path / 'file').write_text('kept')
    result = run(model_folder, '--dataset', data, option, tmp_path / 'file' / 'below')
    assert result.exit_code == 2
    assert 'cannot be written' in result.stderr
    assert 'windows' not in result.stdout
    assert (tmp_path / 'file').read_text() == 'kept'


def test_only_samples_need_torch(model_folder, data, tmp_path):
    """The exported network is asked without it; weights without it are one line."""
    copy = tmp_path / 'model'
    shutil.copytree(model_folder, copy)
    code = (
        'import sys\n'
        "sys.modules['torch'] = None\n"
        'from mmvae_controller.cli.main import main\n'
        'main()\n'
    )
    words = [sys.executable, '-c', code, 'importance', copy, '--dataset', data, '--rows', '0:3']
    without = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert without.returncode == 0, without.stderr
    sampled = [*words, '--latent', 'samples']
    refused = subprocess.run(sampled, cwd=ROOT, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert refused.stderr.startswith('error: torch is not installed')
    assert refused.stderr.count('\n') == 1
