"""PyBullet is imported without a word, and whatever else is said meanwhile is told."""

import os
import subprocess
import sys

from mmvae_controller.simulation.physics import without_its_line
import pytest


@pytest.mark.parametrize(
    'module', ['simulation.simulator', 'simulation.tasks.press', 'benchmarks.bare_pybullet']
)
def test_what_simulates_is_imported_without_a_word(module):
    code = f'import mmvae_controller.{module}'
    done = subprocess.run([sys.executable, '-c', code], check=True, capture_output=True)
    assert done.stdout + done.stderr == b''


def test_what_simulates_is_imported_where_stderr_is_closed():
    code = 'import mmvae_controller.simulation.simulator'
    subprocess.run(['sh', '-c', f'"{sys.executable}" -c "{code}" 2>&-'], check=True)


def test_what_others_say_meanwhile_is_not_lost(capfd):
    with without_its_line():
        os.write(2, b'a warning\npybullet build time: today\nand another')
    os.write(2, b', then more')
    assert capfd.readouterr().err == 'a warning\nand another, then more'


def test_an_import_that_fails_is_told(capfd):
    def fail():
        with without_its_line():
            os.write(2, b'why\n')
            raise ImportError('gone')

    with pytest.raises(ImportError):
        fail()
    assert capfd.readouterr().err == 'why\n'
