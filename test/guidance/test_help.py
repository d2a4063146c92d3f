"""What messages send their readers to is there, and short enough to be sent along."""

from __future__ import annotations

from pathlib import Path
import re

from mmvae_controller.guidance.help import COMMAND, explained_by, Help
from mmvae_controller.guidance.page import for_terminal, PAGE, sections
import pytest

ROOT = Path(__file__).resolve().parents[2]
# A line of rqt_robot_monitor beside the name, at its usual width, is about 100.
LONGEST = 36


@pytest.fixture(scope='module')
def page():
    return (ROOT / PAGE).read_text(encoding='utf-8')


def test_every_section_of_the_page_can_be_named_and_every_name_is_a_section(page):
    assert {*sections(page)} == {*Help}


def test_every_name_is_used_by_a_message_or_a_page():
    used = '\n'.join(
        path.read_text(encoding='utf-8')
        for pattern in ('mmvae_controller/**/*.py', 'README.md')
        for path in ROOT.glob(pattern)
        if path.name != 'help.py'
    )
    unused = {h for h in Help if f'Help.{h.name}' not in used and f'#{h}' not in used}
    # That one is for who cannot start any program of ours.
    assert unused <= {Help.ANOTHER_ROS}


def test_every_command_that_the_page_names_is_one(page):
    named = re.findall(rf'`{COMMAND} ([\w-]+)`', for_terminal(page))
    assert {*named} <= {*Help}
    assert Help.LET_GO in named


@pytest.mark.parametrize('name', Help)
def test_where_to_read_on_is_short(name):
    assert len(explained_by(name, '')) <= LONGEST


def test_a_message_that_names_a_section_keeps_it():
    said = explained_by(Help.MODEL_DOES_NOT_FIT, 'touch: no unit')
    assert said == 'touch: no unit; mmvae explain model-does-not-fit'
    assert (
        explained_by(Help.NOT_CONFIGURED, f'not configured: {said}') == f'not configured: {said}'
    )
