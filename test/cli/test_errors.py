"""What reaches the user of a command that goes wrong: one line, and an exit code for scripts."""

from __future__ import annotations

import errno
import os
import signal

from mmvae_controller.cli.errors import CliError, explained
from mmvae_controller.guidance.exit_codes import ExitCode
from mmvae_controller.modality.errors import ModalityError
import pytest


def left_with(error: BaseException | None = None, number: int | None = None, **settings) -> int:
    """Return the exit code with which a command ends that meets an error or a signal."""
    try:
        with explained(**settings):
            if number is not None:
                os.kill(os.getpid(), number)
            if error is not None:
                raise error
    except SystemExit as ended:
        return ended.code
    pytest.fail('went on')


@pytest.mark.parametrize(
    ('error', 'told'),
    [
        (CliError('give either'), 'error: give either'),
        (ModalityError('joints: no unit'), 'error: joints: no unit'),
        (ModuleNotFoundError('no', name='torch'), 'error: torch is not installed'),
        (OSError(errno.ENOSPC, 'No space left', 'out/x'), 'error: out/x: No space left; make'),
        (OSError(errno.EFBIG, 'File too large'), 'error: File too large; make room'),
        (FileNotFoundError(errno.ENOENT, 'No usable temporary directory found in x'), 'error: No'),
        (PermissionError(errno.EACCES, 'Permission denied', 'x'), 'error: x: Permission denied'),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else '',
)
def test_an_error_of_the_user_or_of_the_disk_is_one_line_and_exit_code_2(error, told, capsys):
    assert left_with(error) == ExitCode.REFUSED
    said = capsys.readouterr().err
    assert said.startswith(told)
    assert said.count('\n') == 1


@pytest.mark.parametrize(
    'error', [ZeroDivisionError(), FileNotFoundError(errno.ENOENT, 'No such file', 'x')]
)
def test_a_bug_is_a_traceback(error):
    with pytest.raises(type(error)), explained():
        raise error


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_that_ends_us_is_an_interrupt_and_exit_code_130(number, capsys):
    usual = signal.getsignal(number)
    assert left_with(number=number) == ExitCode.INTERRUPTED
    assert capsys.readouterr().err == 'interrupted\n'
    assert signal.getsignal(number) is usual


def test_who_interrupts_what_can_be_gone_on_with_is_told_so(capsys):
    assert left_with(KeyboardInterrupt(), goes_on=True) == ExitCode.INTERRUPTED
    assert capsys.readouterr().err == ('interrupted; the same command goes on from what is done\n')


def test_a_closed_terminal_does_not_end_what_nohup_started():
    usual = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with explained():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, usual)
