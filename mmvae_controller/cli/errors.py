"""The errors of the command line; each of ours reaches the user as one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import sys

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


class CliError(RuntimeError):
    """What was asked for cannot be done; the message says what to do next."""


@contextmanager
def explained() -> Iterator[None]:
    """Turn our own errors into one line on stderr and exit code 2; let bugs be tracebacks."""
    try:
        yield
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        raise SystemExit(EXIT_INTERRUPTED) from None
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith('mmvae_controller'):
            raise
        print(
            f'error: {error.name} is not installed; `make setup-dev` installs everything that '
            'training needs, `make setup` what running needs',
            file=sys.stderr,
        )
        raise SystemExit(EXIT_USAGE) from error
    except Exception as error:
        if not _is_ours(error):
            raise
        print(f'error: {error}', file=sys.stderr)
        raise SystemExit(EXIT_USAGE) from error


def _is_ours(error: Exception) -> bool:
    return any(c.__module__.startswith('mmvae_controller.') for c in type(error).__mro__)
