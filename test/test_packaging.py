"""What colcon, rosdep, pip and the architecture rely on."""

import os
from pathlib import Path
import re
import runpy
import shutil
import subprocess
import sys

from catkin_pkg.package import parse_package
import mmvae_controller
import pytest
import setuptools
import yaml

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = 'mmvae_controller'
SHARE = f'share/{PACKAGE}'


@pytest.fixture(scope='module')
def manifest():
    """Return package.xml as catkin_pkg, and so colcon and rosdep, reads it."""
    warnings = []
    package = parse_package(str(ROOT), warnings=warnings)
    package.validate(warnings=warnings)
    assert warnings == []
    return package


@pytest.fixture
def setup_arguments(monkeypatch):
    """Return what setup.py hands to setuptools."""
    arguments = {}
    monkeypatch.setattr(setuptools, 'setup', lambda **given: arguments.update(given))
    monkeypatch.chdir(ROOT)
    runpy.run_path('setup.py')
    return arguments


def lint_imports(root):
    """Run import-linter on the tree at `root`; give its exit status and its words."""
    # Without the terminal's width the report wraps in the middle of a module name.
    environment = {**os.environ, 'COLUMNS': '200'}
    command = [str(Path(sys.executable).with_name('lint-imports')), '--no-cache']
    run = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    return run.returncode, run.stdout + run.stderr


def test_package_xml_declares_an_ament_python_package(manifest):
    assert manifest.name == PACKAGE
    assert manifest.package_format == 3
    assert manifest.get_build_type() == 'ament_python'
    assert manifest.licenses == ['Apache-2.0']


def test_the_version_is_the_same_everywhere(manifest, setup_arguments):
    assert setup_arguments['version'] == manifest.version
    assert mmvae_controller.__version__ == manifest.version


def test_the_resource_index_names_the_package(setup_arguments):
    files = dict(setup_arguments['data_files'])
    assert files['share/ament_index/resource_index/packages'] == [f'resource/{PACKAGE}']
    assert (ROOT / 'resource' / PACKAGE).is_file()


def test_every_data_file_is_installed_in_the_folder_it_has_in_the_source(setup_arguments):
    installed = {
        f'{folder}/{Path(path).name}': path
        for folder, paths in setup_arguments['data_files']
        for path in paths
    }
    shipped = [ROOT / 'package.xml', ROOT / 'plugin.xml', *(ROOT / 'launch').glob('*.launch.py')]
    shipped += [path for path in (ROOT / 'config').rglob('*') if path.is_file()]
    shipped += [ROOT / 'models/README.md', *(ROOT / 'docs').glob('*.md')]
    contracts = [*(ROOT / 'models').rglob('model.yaml'), *(ROOT / 'models').rglob('peer.yaml')]
    for contract in contracts:
        named = yaml.safe_load(contract.read_text(encoding='utf-8'))['checksums']
        assert {'network.onnx', 'weights.safetensors'} <= set(named)
        shipped += [contract, *(contract.with_name(file) for file in named)]
    shipped += (ROOT / 'models').rglob('sound_running.yaml')
    for path in shipped:
        relative = path.relative_to(ROOT).as_posix()
        assert installed.get(f'{SHARE}/{relative}') == relative


def test_sub_folders_are_kept_and_bytecode_and_training_state_are_left_out(
    tmp_path, monkeypatch, setup_arguments
):
    for name in ('package.xml', 'setup.py'):
        shutil.copy(ROOT / name, tmp_path)
    training = ('models/mine/training.safetensors', 'models/mine/logs/events')
    for name in ('config/a/b/deep.yaml', 'config/top.yaml', 'config/a/stale.pyc', *training):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    runpy.run_path('setup.py')
    files = dict(setup_arguments['data_files'])
    assert files[f'{SHARE}/config'] == ['config/top.yaml']
    assert files[f'{SHARE}/config/a/b'] == ['config/a/b/deep.yaml']
    assert f'{SHARE}/config/a' not in files
    assert not any('models/mine' in folder for folder in files)


def test_every_console_script_names_a_function_that_exists(setup_arguments):
    for script in setup_arguments['entry_points']['console_scripts']:
        module, function = script.split(' = ')[1].split(':')
        source = ROOT.joinpath(*module.split('.')).with_suffix('.py').read_text()
        assert re.search(rf'^def {function}\(', source, re.MULTILINE), script


def test_every_import_contract_holds():
    status, report = lint_imports(ROOT)
    assert status == 0, report


@pytest.mark.parametrize(
    ('room', 'statement', 'contract'),
    [
        ('modality', 'import mmvae_controller.cli', 'Each room imports'),
        ('vae', 'import mmvae_controller.control', 'Each room imports'),
        ('senses', 'import mmvae_controller.datasets', 'Each room imports'),
        ('.', 'a_module_outside_every_room = True', 'Each room imports'),
        ('control', 'import rclpy', 'ROS 2 stays'),
        ('senses', 'import sensor_msgs.msg', 'ROS 2 stays'),
        ('cli', 'import sensor_msgs.msg', 'ROS 2 stays'),
        ('control', 'import torch', 'The control path'),
        ('senses', 'import rosbags', 'The control path'),
        ('recordings', 'import rclpy', 'ROS 2 stays'),
        ('recordings', 'import mmvae_controller.simulation', 'Each room imports'),
        ('nodes', 'import rosbags', 'The control path'),
        ('nodes', 'def late():\n    import torch.nn', 'The control path'),
        ('control', 'import pybullet', 'PyBullet stays'),
        ('nodes', 'import python_qt_binding', 'Qt stays'),
        ('cli', 'import mmvae_controller.rqt', 'Each room imports'),
    ],
)
def test_import_linter_sees_an_import_that_a_contract_forbids(tmp_path, room, statement, contract):
    shutil.copy(ROOT / 'pyproject.toml', tmp_path)
    for folder in (ROOT / PACKAGE).iterdir():
        if (folder / '__init__.py').is_file():
            (tmp_path / PACKAGE / folder.name).mkdir(parents=True)
            (tmp_path / PACKAGE / folder.name / '__init__.py').touch()
    (tmp_path / PACKAGE / '__init__.py').touch()
    assert lint_imports(tmp_path)[0] == 0
    (tmp_path / PACKAGE / room / 'trespass.py').write_text(f'{statement}\n')
    status, report = lint_imports(tmp_path)
    assert status == 1, report
    assert re.findall(r'^(.*) BROKEN', report, re.MULTILINE)[0].startswith(contract), report


def test_the_import_contract_knows_every_ros_package_of_package_xml(manifest):
    contract = (ROOT / 'pyproject.toml').read_text().split("name = 'ROS 2 stays in")[1]
    forbidden = contract.split('forbidden_modules')[1].split(']')[0]
    ros = {name for name in (d.name for d in manifest.exec_depends) if '-' not in name}
    # Where an installed file lies is no business with ROS: the command line may ask it.
    ros.remove('ament_index_python')
    assert ros == ros & set(re.findall(r"'(\w+)'", forbidden))


@pytest.mark.parametrize('page', ['README.md', 'models/README.md'])
def test_no_figure_is_left_to_be_filled_in(page):
    assert '{{' not in (ROOT / page).read_text()
