"""What the command line names as a data set."""

from pathlib import Path
import subprocess
import sys

from mmvae_controller.datasets.errors import DatasetError
from mmvae_controller.datasets.icub import IcubWindows, PATTERNS, TEST
from mmvae_controller.datasets.opening import open_windows
from mmvae_controller.datasets.store import Dataset
import numpy as np
import pytest
from scipy.io import savemat


def test_a_folder_is_a_data_set_without_named_masks(write_world):
    windows = open_windows(str(write_world()))
    assert isinstance(windows, Dataset)
    assert windows.patterns == {}


def test_a_published_file_is_named_with_its_kind(tmp_path, monkeypatch):
    rows = np.ones((30, 28))
    with (tmp_path / 'file.mat').open('wb') as file:
        savemat(file, {TEST: rows})
    windows = open_windows(f'icub:{tmp_path}/file.mat')
    assert isinstance(windows, IcubWindows)
    assert (len(windows), windows.patterns) == (30, PATTERNS)
    monkeypatch.setenv('HOME', str(tmp_path))
    assert len(open_windows('icub:~/file.mat')) == 30


def test_an_unknown_kind_is_refused_with_those_there_are():
    words = (
        r"'foo:bar': unknown prefix 'foo', expected icub:FILE, linear:ROWS\[:SEED\] or a folder; "
        r'.* is \./foo:bar'
    )
    with pytest.raises(DatasetError, match=words):
        open_windows('foo:bar')


def test_a_kind_without_a_path_is_refused():
    with pytest.raises(DatasetError, match='names no file, expected icub:FILE'):
        open_windows('icub:')


def test_the_linear_world_is_named_with_its_rows_and_its_seed():
    windows = open_windows('linear:40:3')
    assert len(windows) == 40
    rows = np.arange(40)
    same, other = open_windows('linear:40:3'), open_windows('linear:40')
    assert np.array_equal(windows.column('joints', rows), same.column('joints', rows))
    assert not np.array_equal(windows.column('joints', rows), other.column('joints', rows))


@pytest.mark.parametrize('spec', ['linear:', 'linear:0', 'linear:-3', 'linear:3:', 'linear:x'])
def test_a_linear_world_without_a_number_of_rows_is_refused(spec):
    with pytest.raises(DatasetError, match=r'expected linear:ROWS\[:SEED\], such as linear:20000'):
        open_windows(spec)


@pytest.mark.parametrize('missing', ['icub:nowhere.mat', 'nowhere', './foo:bar', ''])
def test_what_is_not_there_is_refused_by_name(missing, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = str(Path(missing.removeprefix('icub:')))
    with pytest.raises(DatasetError, match=name):
        open_windows(missing)


def test_a_folder_whose_name_has_a_colon_can_be_opened(write_world, tmp_path, monkeypatch):
    write_world(name='foo:bar')
    monkeypatch.chdir(tmp_path)
    assert len(open_windows('./foo:bar')) == len(open_windows(f'{tmp_path}/foo:bar')) > 0


def test_a_folder_needs_no_scipy(write_world):
    code = (
        'import sys\n'
        "sys.modules['scipy'] = sys.modules['scipy.io'] = None\n"
        'from mmvae_controller.datasets.opening import open_windows\n'
        f'assert len(open_windows({str(write_world())!r}))\n'
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, '-c', code], check=True, cwd=root)
