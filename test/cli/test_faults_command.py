"""`mmvae faults`: one file, cell by cell, and a page."""

import json

from mmvae_controller.cli import faults as command
from mmvae_controller.cli.main import app
from mmvae_controller.simulation.faults.bench import CaseDone, Driver, Episode
import pytest
from typer.testing import CliRunner

EPISODE = Episode(True, 1.5, 0.1, 0, 0.01, {'camera': 0.2}, 0)


@pytest.fixture
def asked(monkeypatch):
    """Let every cell be done at once, and return the cells of each call; three at most in one."""
    calls = []

    def run_bench(settings, cases, processes):
        calls.append(list(cases))
        for case in cases[:3]:
            yield CaseDone(case, dict.fromkeys(Driver, (EPISODE,) * settings.episodes))

    monkeypatch.setattr(command, 'run_bench', run_bench)
    return calls


@pytest.fixture
def faults(tmp_path):
    def run(*words):
        always = ['faults', 'touch_target', '--peer', 'none', '--json', str(tmp_path / 'f.json')]
        return CliRunner().invoke(app, [*always, *words])

    return run


FEW = ('--faults', 'camera_black,touch_dead', '--starts', 'midway,beginning', '--episodes', '2')


def test_it_goes_on_where_it_was_and_writes_the_file_after_each_cell(faults, asked, tmp_path):
    first = faults(*FEW)
    assert first.exit_code == 0, first.output
    found = json.loads((tmp_path / 'f.json').read_text())
    assert [(c['fault'], c['start']) for c in found['cells']] == [
        ('camera_black', 'midway'), ('camera_black', 'beginning'),
    ]  # fmt: skip
    assert found['clean']['success_rate'] == 1
    assert found['command'].startswith('mmvae faults touch_target --task touch_target')
    second = faults(*FEW, '--out', str(tmp_path / 'page'))
    assert second.exit_code == 0, second.output
    assert [len(cases) for cases in asked] == [5, 2]
    assert len(json.loads((tmp_path / 'f.json').read_text())['cells']) == 4
    assert 'touch_dead | beginning' in (tmp_path / 'page' / 'f.md').read_text()
    assert (tmp_path / 'page' / 'images' / 'f_success.png').stat().st_size > 1000
    faults(*FEW)
    assert len(asked) == 2, 'everything was there'


def test_other_settings_do_not_mix_with_what_is_there(faults, asked, tmp_path):
    faults(*FEW)
    before = (tmp_path / 'f.json').read_text()
    refused = faults(*FEW[:-1], '3')
    assert refused.exit_code == 2
    assert 'was begun with' in refused.output
    assert (tmp_path / 'f.json').read_text() == before
    (tmp_path / 'f.json').write_text('[1')
    refused = faults(*FEW)
    assert refused.exit_code == 2
    assert 'cannot be gone on with' in refused.output


@pytest.mark.parametrize(
    ('words', 'says'),
    [
        (('--faults', 'camera_blue'), "no fault 'camera_blue', there are camera_black"),
        (('--starts', 'late'), "no start 'late', there are beginning"),
        (('--robot', 'nobody'), 'nobody'),
    ],
)
def test_what_there_is_not_is_refused_before_anything_runs(faults, asked, tmp_path, words, says):
    refused = faults(*words)
    assert refused.exit_code == 2
    assert says in refused.output
    assert asked == []
    assert not (tmp_path / 'f.json').exists()


@pytest.mark.parametrize(
    ('words', 'missing'),
    [
        (('imitate',), 'imitate that fits iiwa_imitate'),
        (
            ('touch_target', '--robot', 'panda_sim'),
            'touch_target that fits panda_sim',
        ),
    ],
)
def test_without_a_peer_for_the_task_and_the_robot_it_goes_on_and_says_so(
    asked, tmp_path, words, missing
):
    place = tmp_path / 'f.json'
    found = CliRunner().invoke(
        app, ['faults', *words, '--json', str(place), '--faults', 'joints_bias', '--episodes', '1']
    )
    assert found.exit_code == 0, found.output
    assert f'no peer models/peers/{missing}' in found.output
    assert json.loads(place.read_text())['peer'] is None


def test_the_peer_of_the_task_is_beside_it_where_it_fits(asked, tmp_path):
    place = tmp_path / 'f.json'
    words = ['faults', 'touch_target', '--json', str(place), *FEW]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert json.loads(place.read_text())['peer'] == 'touch_target'
