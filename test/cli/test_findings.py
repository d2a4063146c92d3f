"""How findings are told: in a table, as lines, as data."""

import sys

from mmvae_controller.cli.findings import as_data, exit_code, Finding, Level, show
import pytest

FINE = Finding('camera', 'topic', Level.OK, 'is there')
ABSENT = Finding('touch', 'topic', Level.MISSING, 'is not \x1b[2J there', 'start it')
LONG = 'a command that nobody may break in two, for it is there to be copied ' * 3


def test_only_what_is_missing_fails():
    assert exit_code([FINE, Finding('a', 'b', Level.NOTE, 'c')]) == 0
    assert exit_code([FINE, ABSENT]) == 1


@pytest.mark.parametrize('rich', [True, False])
def test_everything_is_told_with_and_without_rich(monkeypatch, capsys, rich):
    if not rich:
        monkeypatch.delitem(sys.modules, 'mmvae_controller.cli.output', raising=False)
        monkeypatch.setitem(sys.modules, 'rich.console', None)
    show([FINE, ABSENT, Finding('x', 'y', Level.NOTE, 'z', LONG)], 'the title', 'the verdict')
    told = capsys.readouterr().out
    for text in ('the title', 'is there', 'start it', 'the verdict', LONG.strip()):
        assert text in told
    assert '\x1b[2J' not in told


def test_findings_are_plain_data():
    assert as_data([ABSENT])[0]['level'] == 'missing'
    assert type(as_data([ABSENT])[0]['level']) is str
