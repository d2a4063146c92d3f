"""Files are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from mmvae_controller.modality.whole_files import write_whole
import pytest


def test_a_file_is_replaced_by_a_whole_one(tmp_path):
    path = tmp_path / 'a.yaml'
    path.write_text('old')
    write_whole(path, b'new')
    assert path.read_text() == 'new'
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize('what', [OSError('No space left'), KeyboardInterrupt()])
def test_whatever_interrupts_leaves_the_older_file_and_nothing_beside_it(
    what, tmp_path, monkeypatch
):
    path = tmp_path / 'a.yaml'
    path.write_text('old')

    def half(self: Path, content: bytes) -> None:
        with self.open('wb') as file:
            file.write(content[:1])
        raise what

    monkeypatch.setattr(Path, 'write_bytes', half)
    with pytest.raises(type(what)):
        write_whole(path, b'new')
    assert path.read_text() == 'old'
    assert [*tmp_path.iterdir()] == [path]
