"""`mmvae explain`: a section of the page in the terminal, wherever the package is installed."""

from __future__ import annotations

from mmvae_controller.cli import explain
from mmvae_controller.cli.main import app
from mmvae_controller.guidance.help import Help
from mmvae_controller.modality import shared_files
import pytest
from typer.testing import CliRunner


def run(*words: str):
    return CliRunner().invoke(app, ['explain', *words])


@pytest.mark.parametrize('words', ['let-go', 'docs/troubleshooting.md#let-go', 'LET-GO'])
def test_a_section_is_printed_with_what_to_type(words):
    result = run(words)
    assert result.exit_code == 0, result.output
    assert 'Let go' in result.stdout
    assert 'mmvae resume --namespace robot1' in result.stdout
    assert 'Arm holds' not in result.stdout


def test_a_link_to_another_section_is_a_command():
    assert 'mmvae explain let-go' in run('no-set-point').stdout


def test_without_a_name_all_are_listed():
    listed = run().stdout
    assert all(f'mmvae explain {name}' in listed for name in Help)


@pytest.mark.parametrize(
    ('name', 'told'), [('let-off', 'do you mean let-go?'), ('x', 'there are no-set-point, ')]
)
def test_a_section_that_is_none_is_refused_with_what_there_is(name, told):
    result = run(name)
    assert result.exit_code == 2
    assert f'no section {name!r}: ' in result.stderr
    assert told in result.stderr


def test_an_installation_without_the_page_is_refused_in_a_line(monkeypatch, tmp_path):
    monkeypatch.setattr(shared_files, 'shared_folders', lambda: [tmp_path])
    result = run('let-go')
    assert result.exit_code == 2
    assert f'{explain.PAGE} is not installed; looked at {tmp_path}' in result.stderr


def test_the_page_beside_the_user_is_not_taken_for_ours(monkeypatch, tmp_path):
    (tmp_path / 'docs').mkdir()
    (tmp_path / explain.PAGE).write_text('## Let go\n\nsomebody else')
    monkeypatch.chdir(tmp_path)
    assert 'somebody else' not in run('let-go').stdout
