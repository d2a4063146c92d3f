"""What a shell offers, and how `mmvae --help` is ordered."""

import os
from pathlib import Path
import shlex
import subprocess
import sys

from mmvae_controller.cli.completing import models, robots, tasks
from mmvae_controller.cli.main import app
import pytest
from typer.testing import CliRunner

ROOT = Path(__file__).parents[2]
MMVAE = 'import sys; sys.argv[0] = "mmvae"; from mmvae_controller.cli.main import main; main()'


def mmvae(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, '-c', MMVAE, *words],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_script_for_a_shell_is_printed():
    # Of the shell that runs it; with a second command, bash stays above it.
    line = f'{shlex.join([sys.executable, "-c", MMVAE, "--show-completion"])}; true'
    done = subprocess.run(['bash', '-c', line], cwd=ROOT, capture_output=True, text=True)
    assert '_MMVAE_COMPLETE=complete_bash' in done.stdout, done.stderr
    assert 'complete -o default' in done.stdout  # Files, where no name is offered.


@pytest.mark.parametrize(
    ('words', 'offered'),
    [
        ('mmvae check', ['check-robot']),
        ('mmvae up iiwa', ['iiwa_imitate', 'iiwa_intercept', 'iiwa_sim']),
        ('mmvae rollout touch', ['touch_target']),
        ('mmvae explain le', ['let-go']),
        ('mmvae rollout touch_target --task pr', ['press']),
        ('mmvae check-robot iiwa_sim --model i', ['icub', 'imitate', 'intercept']),
    ],
)
def test_a_shell_offers_commands_and_shipped_names(words, offered):
    count = len(words.split()) - 1
    done = mmvae(_MMVAE_COMPLETE='complete_bash', COMP_WORDS=words, COMP_CWORD=str(count))
    assert done.stdout.split() == offered, done.stderr
    assert done.stderr == ''


def test_names_that_begin_otherwise_are_not_offered():
    assert robots('zzz') == models('zzz') == tasks('zzz') == []
    assert 'ur5e' in robots('')


def test_the_tasks_offered_are_those_that_there_are():
    pytest.importorskip('pybullet')
    from mmvae_controller.simulation.tasks.task import TASKS

    assert tasks('') == list(TASKS)


def test_help_groups_every_command_by_its_purpose():
    told = CliRunner().invoke(app, ['--help'], env={'COLUMNS': '120'}).stdout
    for panel in ('Run a robot', 'Make a model', 'Judge a model', 'What is installed'):
        assert panel in told
    assert all(command.rich_help_panel for command in app.registered_commands)
