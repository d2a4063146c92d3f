"""The files of a study: whole or not at all, and a failure names the path and the way out."""

from pathlib import Path

from matplotlib.figure import Figure
from mmvae_controller.studies.errors import StudyError
from mmvae_controller.studies.files import (
    check_folder,
    Kind,
    prepare_folder,
    require_folder,
    require_kind,
    write_figure,
    write_json,
    write_text,
)
import pytest

WRITERS = {
    'text': lambda path: write_text(path, 'two'),
    'json': lambda path: write_json(path, {'two': 2}),
    'figure': lambda path: write_figure(path, Figure(), 50),
}


def full_disk(self, content):
    with self.open('wb') as file:
        file.write(content[:1])
    raise OSError(28, 'No space left on device')


@pytest.mark.parametrize('write', WRITERS.values(), ids=WRITERS)
def test_what_is_written_is_there_and_nothing_else(tmp_path, write):
    write(tmp_path / 'file')

    assert [path.name for path in tmp_path.iterdir()] == ['file']
    assert (tmp_path / 'file').stat().st_size > 0


@pytest.mark.parametrize('write', WRITERS.values(), ids=WRITERS)
def test_a_full_disk_keeps_what_was_there_and_leaves_nothing_half_written(
    tmp_path, monkeypatch, write
):
    path = tmp_path / 'file'
    path.write_text('one')
    monkeypatch.setattr(Path, 'write_bytes', full_disk)

    with pytest.raises(StudyError, match=r'file: cannot be written: No space left.* call again'):
        write(path)
    assert path.read_text() == 'one'
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize('write', WRITERS.values(), ids=WRITERS)
def test_a_folder_in_the_place_of_a_file_is_named(tmp_path, write):
    path = tmp_path / 'file'
    path.mkdir()

    with pytest.raises(StudyError, match='file: cannot be written'):
        write(path)
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_number_is_not_written(tmp_path):
    with pytest.raises(ValueError, match='not JSON compliant'):
        write_json(tmp_path / 'file', {'one': float('nan')})
    assert not list(tmp_path.iterdir())


def test_a_folder_that_can_be_written_is_made_and_left_empty(tmp_path):
    require_folder(tmp_path / 'a' / 'b')

    assert not list((tmp_path / 'a' / 'b').iterdir())


def test_a_folder_below_a_file_is_refused(tmp_path):
    (tmp_path / 'a').write_text('mine')

    with pytest.raises(StudyError, match=r'cannot be written: Not a directory; .* --out'):
        require_folder(tmp_path / 'a' / 'b')


OTHER = {Kind.KL_SCHEDULES: Kind.BIDIRECTIONAL, Kind.BIDIRECTIONAL: Kind.KL_SCHEDULES}
BEGUN = [
    (Kind.KL_SCHEDULES, 'groups/per_width_0.json'),
    (Kind.KL_SCHEDULES, 'states/per_width_0.safetensors'),
    (Kind.BIDIRECTIONAL, 'jmvae-seed1/curve.json'),
    (Kind.BIDIRECTIONAL, 'jmvae-seed1/training.safetensors'),
]


@pytest.mark.parametrize('kind', Kind)
def test_a_folder_keeps_its_kind_and_refuses_another(tmp_path, kind):
    prepare_folder(tmp_path / 'a', kind)
    prepare_folder(tmp_path / 'a', kind)

    before = {p: p.read_bytes() for p in (tmp_path / 'a').iterdir()}
    for refused in (prepare_folder, require_kind):
        with pytest.raises(StudyError, match=rf'kind {kind}, this one is {OTHER[kind]}.* --out'):
            refused(tmp_path / 'a', OTHER[kind])
    assert {p: p.read_bytes() for p in (tmp_path / 'a').iterdir()} == before


@pytest.mark.parametrize(('kind', 'file'), BEGUN)
def test_a_folder_from_before_kinds_were_recorded_is_known_by_its_files(tmp_path, kind, file):
    (tmp_path / file).parent.mkdir()
    (tmp_path / file).write_text('')

    with pytest.raises(StudyError, match=f'holds a study of the kind {kind}'):
        prepare_folder(tmp_path, OTHER[kind])
    prepare_folder(tmp_path, kind)
    require_kind(tmp_path, kind)


def test_a_damaged_record_of_the_kind_is_named(tmp_path):
    (tmp_path / 'study.json').write_text('[]')

    with pytest.raises(StudyError, match=r'study\.json: cannot be read'):
        require_kind(tmp_path, Kind.KL_SCHEDULES)


def test_a_check_of_a_folder_leaves_nothing_behind(tmp_path):
    check_folder(tmp_path / 'a' / 'b', Kind.KL_SCHEDULES)
    assert not list(tmp_path.iterdir())

    (tmp_path / 'c').mkdir()
    check_folder(tmp_path / 'c', Kind.KL_SCHEDULES)
    assert (tmp_path / 'c').is_dir()
