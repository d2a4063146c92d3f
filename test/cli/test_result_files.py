"""Result files: whole or not at all, and refused before the work rather than after it."""

from pathlib import Path

from mmvae_controller.cli.errors import CliError
from mmvae_controller.cli.files import require_place, write_bytes, write_json
import pytest


def test_a_place_that_can_be_written_is_left_as_it_was(tmp_path):
    require_place(tmp_path / 'new' / 'out.json')
    assert list((tmp_path / 'new').iterdir()) == []


@pytest.mark.parametrize('check', [require_place, lambda path: write_bytes(path, b'x')])
def test_a_place_below_a_file_is_refused(tmp_path, check):
    (tmp_path / 'file').write_text('kept')
    with pytest.raises(CliError, match=r'out\.json: cannot be written'):
        check(tmp_path / 'file' / 'out.json')
    assert (tmp_path / 'file').read_text() == 'kept'


def test_a_folder_is_no_place_for_a_file(tmp_path):
    with pytest.raises(CliError, match='is a folder'):
        require_place(tmp_path)


def test_json_replaces_what_was_there_and_leaves_nothing_aside(tmp_path):
    (tmp_path / 'out.json').write_text('old')
    write_json(tmp_path / 'out.json', {'a': 1})
    assert [p.name for p in tmp_path.iterdir()] == ['out.json']
    assert (tmp_path / 'out.json').read_text() == '{\n  "a": 1\n}\n'


def test_a_full_disk_leaves_what_was_there_and_nothing_aside(tmp_path, monkeypatch):
    (tmp_path / 'out.json').write_text('old')

    def half(path, content):
        path.write_text('{')
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(Path, 'write_bytes', half)
    with pytest.raises(CliError, match='No space left'):
        write_json(tmp_path / 'out.json', {'a': 1})
    assert [p.name for p in tmp_path.iterdir()] == ['out.json']
    assert (tmp_path / 'out.json').read_text() == 'old'
