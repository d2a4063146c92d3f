"""Worker processes of ours: they leave Ctrl+C to who started them, and never outlive it.

What they write, they write aside and put in place, so that they can be ended at any moment.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import as_completed, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
import multiprocessing
from multiprocessing.context import SpawnContext
from multiprocessing.process import BaseProcess
import os
import signal
import threading
import time
from typing import TypeVar

T = TypeVar('T')


def each_done(jobs: Sequence[Callable[[], T]], processes: int) -> Generator[T, None, None]:
    """Do all of them, several at once, and yield what each returns when it is done.

    Close it where it is not read to its end: that ends the workers.
    """
    with pool_of(processes) as pool:
        with unheard():
            running = [pool.submit(job) for job in jobs]
        for job in as_completed(running):
            yield job.result()


@contextmanager
def pool_of(
    processes: int, grace_s: float = 0.0, begin: Callable[[], object] | None = None
) -> Iterator[ProcessPoolExecutor]:
    """Return worker processes; when this is left by an exception, they are ended.

    Args:
        processes: How many.
        grace_s: How long they may take to end by themselves then.
        begin: Called in each as it starts.

    """
    others = {*multiprocessing.active_children()}
    with ProcessPoolExecutor(processes, context(), partial(_begin, begin)) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            _end({*multiprocessing.active_children()} - others, grace_s)
            raise


def context() -> SpawnContext:
    """Return how they are started: a forked child would share what a library holds open."""
    return multiprocessing.get_context('spawn')


@contextmanager
def unheard() -> Iterator[None]:
    """Let the workers that start meanwhile not hear Ctrl+C, which reaches all of a terminal."""
    usual = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


def _begin(begin: Callable[[], object] | None) -> None:
    threading.Thread(target=_follow, daemon=True).start()
    if begin is not None:
        begin()


def _follow() -> None:
    """End when who started us has: it would wait for more work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _end(workers: set[BaseProcess], grace_s: float) -> None:
    until_s = time.monotonic() + grace_s
    try:
        for worker in workers:
            worker.join(max(0.0, until_s - time.monotonic()))
    finally:  # Also when somebody is more impatient than that.
        for worker in workers:
            worker.kill()
            worker.join()
