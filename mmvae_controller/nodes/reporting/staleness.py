"""How long what was heard of a robot counts as present; no ROS, and told the time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
import statistics

from mmvae_controller.nodes.reporting.status import Level

# What comes often is old after this; a node calls itself stale after a second as well.
STALE_S = 1.0
# Of what comes seldom, two in a row must be missing.
MISSING_PERIODS = 2.5
# A longer pause is no rhythm: the robot was off.
LONGEST_PERIOD_S = 4.0
GAPS = 5
# Every node speaks twice a second on /diagnostics, whatever it does beside.
TOLD_PERIOD_S = 0.5
# Of what several say the worst is shown: a known trouble before not knowing.
SEVERITY = (Level.OK, Level.STALE, Level.WARN, Level.ERROR)


def stale_after_s(period_s: float | None) -> float:
    """Return from which age on what comes every `period_s` is old; None if that is not known."""
    if period_s is None or period_s > LONGEST_PERIOD_S:
        return STALE_S
    return max(STALE_S, MISSING_PERIODS * period_s)


TOLD_STALE_S = stale_after_s(TOLD_PERIOD_S)


def worst(levels: Iterable[Level]) -> Level:
    """Return the level to show for several; OK of none."""
    return max(levels, key=SEVERITY.index, default=Level.OK)


class Rhythm:
    """How often something comes; on a steady clock."""

    def __init__(self) -> None:
        """Start with nothing come."""
        self._came_s: float | None = None
        self._gaps_s: deque[float] = deque(maxlen=GAPS)

    def came(self, now_s: float) -> None:
        """Note that it came."""
        if self._came_s is not None:
            self._gaps_s.append(now_s - self._came_s)
            if self._gaps_s[-1] > LONGEST_PERIOD_S:
                self._gaps_s.clear()
        self._came_s = now_s

    def is_stale(self, now_s: float) -> bool:
        """Tell whether it should have come again by now; what never came is stale."""
        usual_s = statistics.median_low(self._gaps_s) if self._gaps_s else None
        return self._came_s is None or now_s - self._came_s > stale_after_s(usual_s)
