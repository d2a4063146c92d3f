"""The priority of a node's threads, where the system permits it."""

from __future__ import annotations

from collections.abc import Iterable
import os
from pathlib import Path

from mmvae_controller.modality.errors import ModalityError

THREADS = Path('/proc/self/task')
HIGHEST = 99
HINT = (
    'give its user the right, for example `@realtime - rtprio 99` in /etc/security/limits.conf, '
    'or leave priority at 0'
)


def raise_priority(priority: int, threads: Iterable[int] | None = None) -> str:
    """Have all threads of this process run before everything ordinary (SCHED_FIFO).

    All, for what a message waits for is the middleware's thread as much as ours.

    Args:
        priority: 1 to 99; 0 leaves it as it is.
        threads: Their ids; None takes those of this process.

    Returns:
        Why it is as it was; empty if it was done, or nothing was asked for.

    Raises:
        ModalityError: No such priority.

    """
    if not 0 <= priority <= HIGHEST:
        raise ModalityError(f'parameter priority is {priority}, expected 0 to {HIGHEST}')
    if priority == 0:
        return ''
    found = [int(path.name) for path in THREADS.iterdir()] if threads is None else threads
    try:
        for thread in found:
            os.sched_setscheduler(thread, os.SCHED_FIFO, os.sched_param(priority))
    except PermissionError:
        return f'SCHED_FIFO is not permitted, the priority stays as it was: {HINT}'
    except OSError as error:
        return f'the priority stays as it was: {error.strerror}'
    return ''
