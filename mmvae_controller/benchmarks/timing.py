"""Takes the time of calls in turns, so that what else the machine does meets all of them alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import gc
import time

import numpy as np
from numpy.typing import NDArray

NS_PER_S = 1e9
MS_PER_S = 1e3
US_PER_S = 1e6


def in_turns(
    calls: Sequence[Callable[[], object]], rounds: int, warm_up: int
) -> list[NDArray[np.float64]]:
    """Return how long each call took in each round, in s, one array for each call.

    Args:
        calls: What to time; each is called once a round.
        rounds: How many count.
        warm_up: How many go before, uncounted.

    """
    took = [np.empty(rounds) for _ in calls]
    collecting = gc.isenabled()
    gc.disable()
    try:
        for number in range(-warm_up, rounds):
            for times, call in zip(took, calls, strict=True):
                began = time.perf_counter_ns()
                call()
                if number >= 0:
                    times[number] = (time.perf_counter_ns() - began) / NS_PER_S
    finally:
        if collecting:
            gc.enable()
    return took


def percentile(seconds: NDArray[np.float64], share: float) -> float:
    """Return the time that a share of the calls, in percent, did not exceed."""
    return float(np.percentile(seconds, share))
