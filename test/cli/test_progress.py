"""The progress of long commands: readable at 80 columns, and in a pipe."""

from io import StringIO

from mmvae_controller.cli import progress
from mmvae_controller.cli.progress import Bar, LINE_EVERY_S, working
import pytest
from rich.console import Console

FIGURES = 'loss 12.94  epoch 15: motor RMSE 0.1260 normalised (policy, held out), KL 12.3'


@pytest.fixture
def clock(monkeypatch):
    """Return the seconds of a clock that stands still, to be moved."""
    now = [0.0]
    monkeypatch.setattr(progress.time, 'monotonic', lambda: now[0])
    return now


def told(bar):
    return bar.console.file.getvalue()


def test_the_figures_have_a_line_of_their_own_and_nothing_is_cut_at_80_columns():
    bar = Bar(Console(file=StringIO(), width=80, force_terminal=True, color_system=None))
    task = bar.add_task('5 steps ahead', total=67890, figures='')
    bar.update(task, completed=12345, figures=FIGURES)
    console = Console(file=StringIO(), width=80)
    for line in bar.get_renderables():
        console.print(line)
    first, second, *rest = console.file.getvalue().splitlines()
    assert '12345/67890' in first
    assert first.split()[-2] == 'left'
    assert second == FIGURES
    assert not rest


def test_of_what_has_no_known_end_only_what_is_done_is_shown():
    bar = Bar(Console(file=StringIO(), width=80, force_terminal=True, color_system=None))
    bar.update(bar.add_task('messages', total=None), completed=3568)
    console = Console(file=StringIO(), width=80)
    for line in bar.get_renderables():
        console.print(line)
    assert '3568' in console.file.getvalue()
    assert '?' not in console.file.getvalue()


def test_in_a_pipe_there_is_a_plain_line_now_and_then(clock):
    bar = Bar(Console(file=StringIO(), width=40))
    task = bar.add_task('steps', total=None, figures='')
    with bar:
        bar.update(task, completed=1, figures=FIGURES)
        assert told(bar) == ''
        clock[0] = LINE_EVERY_S
        bar.update(task, completed=2, total=100)
        bar.update(task, completed=3)
    assert told(bar) == f'steps 2/100  {FIGURES}\n'


def test_a_bar_without_figures_is_told_too(clock):
    bar = Bar(Console(file=StringIO()))
    task = bar.add_task('rows [a]', total=None)
    clock[0] = LINE_EVERY_S
    bar.update(task, advance=7)
    assert told(bar) == 'rows [a] 7\n'


def test_what_takes_a_while_is_shown_and_leaves_no_trace():
    out = StringIO()
    with working('exporting', Console(file=out, force_terminal=True, width=80)):
        pass
    assert 'exporting' in out.getvalue()
    # The line is erased at the end.
    assert out.getvalue().rstrip().endswith('\x1b[2K')


def test_in_a_pipe_nothing_is_said_of_it():
    out = StringIO()
    with working('exporting', Console(file=out)):
        pass
    assert out.getvalue() == ''
