"""How often something comes, told by when it came."""

from __future__ import annotations

from collections.abc import Iterable

# Rates, percentiles and complaints are about the last few seconds, not about the whole life.
MEMORY_S = 5.0


def rate_hz(stamps_s: Iterable[float], now_s: float) -> float:
    """Return how often something came lately; 0 unless it came twice.

    Args:
        stamps_s: When it came, in order; what is older than `MEMORY_S`, or of another time than
            now, does not count.
        now_s: On the same clock.

    """
    recent_s = [s for s in stamps_s if 0 <= now_s - s <= MEMORY_S]
    count = len(recent_s)
    if count < 2 or recent_s[-1] <= recent_s[0]:
        return 0.0
    usual_hz = (count - 1) / (recent_s[-1] - recent_s[0])
    # What is due and has not come tells as much: else a rate would outlive its topic.
    return min(usual_hz, count / (now_s - recent_s[0]))
