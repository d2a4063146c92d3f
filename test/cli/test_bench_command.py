"""`mmvae bench`: a table, a JSON document, and an honest exit code."""

import json

from mmvae_controller.benchmarks.errors import BenchmarkError
from mmvae_controller.benchmarks.figures import at_most, Found
from mmvae_controller.cli import bench
from mmvae_controller.cli.main import app
import pytest
from typer.testing import CliRunner


@pytest.fixture
def made_up(monkeypatch):
    """Let every benchmark find the same, but `control`, which needs what is not here."""

    def find(name):
        def measure(quick, say):
            say('something')
            if name == 'control':
                raise BenchmarkError('needs ROS 2')
            return Found([at_most(name, 's', 1.0, 2.0, 'a peer', 1.0)], {'quick': quick})

        return measure

    monkeypatch.setattr(bench, 'find_benchmark', find)


def run(*arguments):
    return CliRunner().invoke(app, ['bench', *map(str, arguments)])


@pytest.mark.usefixtures('made_up')
def test_what_was_measured_is_written_with_what_it_was_measured_on(tmp_path):
    path = tmp_path / 'figures.json'
    result = run('--only', 'jmvae,study', '--quick', '--json', path)
    assert result.exit_code == 0, result.output
    document = json.loads(path.read_text())
    assert document['command'] == f'mmvae bench --only jmvae,study --quick --json {path}'
    assert document['machine']['cores'] >= 1
    for name in ('jmvae', 'study'):
        assert document[name]['ratio'] == 0.5
        assert document[name]['settings'] == {'quick': True}
        assert document[name]['took_s'] >= 0
    assert 'reached' in result.output


@pytest.mark.usefixtures('made_up')
def test_what_cannot_be_measured_here_is_said_and_the_rest_is_measured(tmp_path):
    path = tmp_path / 'figures.json'
    result = run('--json', path)
    assert result.exit_code == 1
    assert 'control: left out: needs ROS 2' in result.output
    document = json.loads(path.read_text())
    assert document['control'] == {'skipped': 'needs ROS 2'}
    assert {'inference', 'importance', 'study', 'jmvae', 'simulation'} <= set(document)


def test_what_was_measured_stays_when_the_rest_is_interrupted(tmp_path, monkeypatch):
    def find(name):
        def measure(quick, say):
            if name == 'importance':
                raise KeyboardInterrupt
            return Found([at_most(name, 's', 1.0, 2.0, 'a peer', 1.0)], {})

        return measure

    monkeypatch.setattr(bench, 'find_benchmark', find)
    path = tmp_path / 'figures.json'
    assert run('--only', 'inference,importance', '--json', path).exit_code == 130
    assert json.loads(path.read_text())['inference']['ours'] == 1.0


def test_a_benchmark_that_there_is_not_is_refused_before_anything_runs(tmp_path):
    result = run('--only', 'inference,speed', '--json', tmp_path / 'x.json')
    assert result.exit_code == 2
    assert not (tmp_path / 'x.json').exists()
