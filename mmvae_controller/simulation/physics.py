"""PyBullet, without the line that it prints wherever it is imported."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import os
import sys

__all__ = ['pybullet']

STDERR = 2
ITS_LINE = b'pybullet build time'


@contextmanager
def without_its_line() -> Iterator[None]:
    """Hold back what is written to stderr meanwhile, by C as well; all else is told at the end."""
    if sys.stderr is None:  # It is closed.
        yield
        return
    sys.stderr.flush()
    told = os.dup(STDERR)
    held = os.memfd_create('stderr')
    os.dup2(held, STDERR)
    try:
        yield
    finally:
        os.dup2(told, STDERR)
        os.close(told)
        with os.fdopen(held, 'rb') as file:
            file.seek(0)
            rest = [line for line in file if not line.startswith(ITS_LINE)]
        os.write(STDERR, b''.join(rest))


with without_its_line():
    import pybullet
