"""Starting without rqt, and the files that rqt and others load."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

from mmvae_controller.rqt.arguments import absolute, given_namespace
import pytest

ROOT = Path(__file__).resolve().parents[2]


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    # No finder may load these modules, whether they are installed or not.
    block = 'import sys; sys.modules.update(dict.fromkeys({}))\n'
    blocked = environment.pop('blocked').split(',')
    env = {**os.environ, 'PYTHONPATH': str(ROOT), **environment}
    command = [sys.executable, '-c', block.format(blocked) + code]
    return subprocess.run(command, capture_output=True, text=True, env=env)


def test_without_rqt_it_says_in_one_line_where_rqt_comes_from():
    code = 'from mmvae_controller.rqt.main import main; main()'
    run = python(code, blocked='rqt_gui,rqt_gui.main')
    assert run.returncode == 2
    assert len(run.stderr.splitlines()) == 1
    assert 'sudo apt install ros-$ROS_DISTRO-rqt' in run.stderr


def test_without_qt_it_says_in_one_sentence_what_to_install():
    run = python('import mmvae_controller.rqt.qt', blocked='PyQt5,python_qt_binding')
    assert run.stderr.splitlines()[-1].startswith(
        'mmvae_controller.rqt.errors.RqtError: Qt cannot be imported'
    )


@pytest.mark.parametrize(
    ('argv', 'namespace'),
    [
        ([], ''),
        (['--namespace', 'robot1'], '/robot1'),
        (['--namespace=/robot1/'], '/robot1'),
        (['--namespace', '/'], '/'),
        (['--unknown', '1'], ''),
    ],
)
def test_the_namespace_is_read_from_the_command_line(argv: list[str], namespace: str):
    assert given_namespace(argv) == namespace


def test_a_namespace_is_made_absolute():
    assert [absolute(n) for n in ('', '/', 'a', '/a', 'a/b/')] == ['', '/', '/a', '/a', '/a/b']


def test_plugin_xml_names_the_class_that_there_is():
    (plugin,) = ElementTree.parse(ROOT / 'plugin.xml').getroot().iter('class')
    module, name = plugin.get('type', '').rsplit('.', 1)
    source = ROOT.joinpath(*module.split('.')).with_suffix('.py').read_text(encoding='utf-8')
    assert f'class {name}(Plugin):' in source
    from mmvae_controller.rqt.main import PLUGIN

    assert plugin.get('type') == PLUGIN
    assert plugin.get('base_class_type') == 'rqt_gui_py::Plugin'
