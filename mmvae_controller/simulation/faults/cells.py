"""A cell of the benchmark as plain numbers, for JSON, tables and figures."""

from __future__ import annotations

from collections.abc import Sequence
import math
import statistics
from typing import Any

from mmvae_controller.simulation.faults.bench import CaseDone, Driver, Episode

SUCCESS = {
    Driver.MODEL: 'success_rate',
    Driver.PEER_ZERO: 'peer_zero_success_rate',
    Driver.PEER_HOLD: 'peer_hold_success_rate',
    Driver.EXPERT: 'expert_success_rate',
}


def cell_data(done: CaseDone) -> dict[str, Any]:
    """Return a cell.

    `success_rate` to `held_share` are of the model; `peer_success_rate` is that of the better of
    the two peers. Rates of a driver that was left out are None.
    """
    model = done.episodes[Driver.MODEL]
    rates = {driver: success_rate(done.episodes.get(driver, ())) for driver in Driver}
    peers = [rate for d in (Driver.PEER_ZERO, Driver.PEER_HOLD) if (rate := rates[d]) is not None]
    times = [e.elapsed_s for e in model if e.success]
    return {
        'fault': done.case.fault,
        'start': None if done.case.start is None else done.case.start.value,
        'success_rate': rates[Driver.MODEL],
        'peer_success_rate': max(peers, default=None),
        'unsafe_commands': sum(e.unsafe for e in model),
        'detection_s': median_delay_s([_slowest(e) for e in model]) if done.case.fault else None,
        'detection_by_sense_s': {
            name: median_delay_s([e.delay_s[name] for e in model]) for name in model[0].delay_s
        },
        'detected_share': _share_detected(model) if done.case.fault else None,
        'false_alarms': sum(e.false_alarms for e in model),
        'false_alarm_share': statistics.fmean(e.false_alarms > 0 for e in model),
        'held_share': statistics.fmean(e.held_share for e in model),
        'median_success_time_s': statistics.median(times) if times else None,
        'largest_jump_rad': max(e.largest_jump_rad for e in model),
        **{name: rates[driver] for driver, name in SUCCESS.items() if driver != Driver.MODEL},
        'others_unsafe_commands': {
            driver.value: sum(e.unsafe for e in episodes)
            for driver, episodes in done.episodes.items()
            if driver != Driver.MODEL
        },
        'others_held_share': {
            driver.value: statistics.fmean(e.held_share for e in episodes)
            for driver, episodes in done.episodes.items()
            if driver != Driver.MODEL
        },
        'episodes': len(model),
    }


def success_rate(episodes: Sequence[Episode]) -> float | None:
    """Return the share of successes, None of no episode."""
    return statistics.fmean(e.success for e in episodes) if episodes else None


def median_delay_s(delays_s: Sequence[float | None]) -> float | None:
    """Return the median over all episodes, None where half or more never noticed.

    Over those alone that noticed, a fault that is found once in a hundred would look found fast.
    """
    median = statistics.median(math.inf if d is None else d for d in delays_s)
    return None if math.isinf(median) else median


def _slowest(episode: Episode) -> float | None:
    """Return when the last of the senses at fault was given up, None if one never was."""
    delays_s = [d for d in episode.delay_s.values() if d is not None]
    return max(delays_s) if delays_s and len(delays_s) == len(episode.delay_s) else None


def _share_detected(episodes: Sequence[Episode]) -> float:
    return statistics.fmean(_slowest(e) is not None for e in episodes)
