"""Works on several things at once, each in a process of one thread.

Small operations on several threads wait for each other, all the more on a machine that others use
as well; processes do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from functools import partial
from multiprocessing.synchronize import Event
from queue import Empty
from typing import Any, TypeAlias

from mmvae_controller.training.workers import context, pool_of, unheard
import torch

# How long whoever watches the progress waits at most.
REFRESH_S = 0.5
# How long a worker that was told to end may take to save. Less than the ten seconds after which
# whoever stopped us by SIGTERM commonly kills; what was saved last goes on.
GRACE_S = 3.0

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

    A worker that does not within `GRACE_S` is ended where it is: it may have been asked in the
    middle of an epoch of minutes.

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
    stop, told = context().Event(), context().Queue()
    with pool_of(max(1, min(workers, len(works))), GRACE_S, partial(_begin, stop, told)) as pool:
        try:
            with unheard():
                running = {pool.submit(_work, i, work): i for i, work in enumerate(works)}
            while running:
                done = wait(running, REFRESH_S, FIRST_COMPLETED).done
                _pass_on(told, on_told)
                for future in done:
                    future.result()
                    on_done(running.pop(future))
        except BaseException:
            stop.set()
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
    if not _must_end():
        work(lambda news: _told.put((index, news)), _must_end)


def _must_end() -> bool:
    assert _stop is not None
    return _stop.is_set()
