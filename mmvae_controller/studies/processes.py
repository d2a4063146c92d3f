"""Works on several things at once, each in a process of one thread.

Small operations on several threads wait for each other, all the more on a machine that others use
as well; processes do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from functools import partial
import multiprocessing
from multiprocessing.synchronize import Event
import os
from queue import Empty
import signal
from typing import Any, TypeAlias

import torch

# How long whoever watches the progress waits at most.
REFRESH_S = 0.5

Tell: TypeAlias = Callable[[Any], None]
MustEnd: TypeAlias = Callable[[], bool]
# Tells its progress, and asks from time to time whether to leave the rest; must be picklable.
Work: TypeAlias = Callable[[Tell, MustEnd], object]

# Of a worker process, set once as it starts.
_stop: Event | None = None
_told: Any = None


def work_in_processes(
    works: Sequence[Work],
    workers: int,
    on_told: Callable[[int, Any], None],
    on_done: Callable[[int], None] = lambda index: None,
) -> None:
    """Do all of it; an interrupt lets each worker end in good order, and is raised again.

    Args:
        works: What is to be done.
        workers: How many processes; 0 works here.
        on_told: Is told which work tells what.
        on_done: Is told which work is done.

    """
    if workers == 0:
        for index, work in enumerate(works):
            work(partial(on_told, index), lambda: False)
            on_done(index)
        return
    context = multiprocessing.get_context('spawn')
    stop, told = context.Event(), context.Queue()
    with ProcessPoolExecutor(
        max(1, min(workers, len(works))), context, _begin, (stop, told)
    ) as pool:
        # Ctrl+C reaches every process of a terminal. The workers start here and inherit that
        # they ignore it: the one that started them decides.
        usual = signal.signal(signal.SIGINT, signal.SIG_IGN)
        running = {pool.submit(_work, index, work): index for index, work in enumerate(works)}
        signal.signal(signal.SIGINT, usual)
        try:
            while running:
                done = wait(running, REFRESH_S, FIRST_COMPLETED).done
                _pass_on(told, on_told)
                for future in done:
                    future.result()
                    on_done(running.pop(future))
        except BaseException:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _pass_on(told: Any, on_told: Callable[[int, Any], None]) -> None:
    while True:
        try:
            on_told(*told.get_nowait())
        except Empty:
            return


def _begin(stop: Event, told: Any) -> None:
    global _stop, _told
    _stop, _told = stop, told
    torch.set_num_threads(1)
    # What is told last may never be read: that must not keep this process.
    told.cancel_join_thread()


def _work(index: int, work: Work) -> None:
    if _must_end():
        return
    work(lambda news: _told.put((index, news)), _must_end)
    if _orphaned():
        # Whoever would have ended this process is gone: it would wait for more work for ever.
        os._exit(1)


def _must_end() -> bool:
    assert _stop is not None
    return _stop.is_set() or _orphaned()


def _orphaned() -> bool:
    parent = multiprocessing.parent_process()
    return parent is not None and not parent.is_alive()
