"""The errors of the command line; each of ours reaches the user as one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import errno
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from mmvae_controller.guidance.exit_codes import ExitCode
from mmvae_controller.guidance.help import explained_by, Help

# To be ended by a machine, or with a terminal, is to be interrupted by a person.
ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
# What a disk says, and no bug.
OF_THE_DISK = frozenset(
    (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM)
)
NO_SPACE_FOR_SCRATCH = 'No usable temporary directory'
GOES_ON = 'the same command goes on from what is done'


class CliError(RuntimeError):
    """What was asked for cannot be done; the message says what to do next."""


@contextmanager
def explained(goes_on: bool = False) -> Iterator[None]:
    """Turn our own errors into one line on stderr and exit code 2; let bugs be tracebacks.

    SIGTERM and a closed terminal end what runs in here as Ctrl+C does: what is open is closed,
    and nothing half-written is left.

    Args:
        goes_on: Whether the command, called again, goes on from what is done.

    """
    try:
        with _interruptible():
            yield
    except KeyboardInterrupt:
        _end('interrupted' + (f'; {GOES_ON}' if goes_on else ''), ExitCode.INTERRUPTED)
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith('mmvae_controller'):
            raise
        _end(
            explained_by(
                Help.NOT_INSTALLED,
                f'error: {error.name} is not installed; `make setup-dev` installs everything that '
                'training needs, `make setup` what running needs',
            ),
            ExitCode.REFUSED,
        )
    except OSError as error:
        if not _is_of_the_disk(error):
            raise
        place = f'{error.filename}: ' if error.filename else ''
        _end(
            f'error: {place}{error.strerror}; make room or make it accessible, and call again'
            + (f': {GOES_ON}' if goes_on else ''),
            ExitCode.REFUSED,
        )
    except Exception as error:
        if not _is_ours(error):
            raise
        _end(f'error: {error}', ExitCode.REFUSED)


def leave(code: int) -> NoReturn:
    """End this process without what the interpreter does at its end: all is closed and written."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Have the signals that end a program raise KeyboardInterrupt, as long as this lasts.

    A SIGHUP that nohup told us to ignore stays ignored: we were asked to outlive our terminal.
    """
    before = {
        number: signal.signal(number, _interrupt)
        for number in ENDING
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _end(said: str, code: ExitCode) -> NoReturn:
    print(said, file=sys.stderr)
    raise SystemExit(code) from None


def _is_of_the_disk(error: OSError) -> bool:
    # What `tempfile` says of full disks has the number of a missing file.
    return error.errno in OF_THE_DISK or NO_SPACE_FOR_SCRATCH in str(error)


def _is_ours(error: Exception) -> bool:
    return any(c.__module__.startswith('mmvae_controller.') for c in type(error).__mro__)
