"""How often something is done."""

from __future__ import annotations

from mmvae_controller.control.window import NS


class AtMost:
    """Lets something happen at some of a loop's ticks: on average at most so often."""

    def __init__(self, rate_hz: float, loop_hz: float) -> None:
        """Start with the next tick.

        Args:
            rate_hz: Of what happens, above 0.
            loop_hz: Of the ticks.

        """
        self._period_ns = NS / rate_hz
        # A tick this early is nearer to the wanted moment than the next one will be.
        self._early_ns = NS / loop_hz / 2
        # The next time is never farther away, unless the clock was set back.
        self._longest_ns = self._period_ns + self._early_ns
        self._next_ns: float | None = None

    def due(self, now_ns: int) -> bool:
        """Tell whether it should happen now; `now_ns` on one clock."""
        set_back = self._next_ns is not None and now_ns < self._next_ns - self._longest_ns
        if self._next_ns is None or set_back:
            self._next_ns = now_ns
        if now_ns < self._next_ns - self._early_ns:
            return False
        # What was missed is not made up for.
        self._next_ns = max(self._next_ns, now_ns - self._early_ns) + self._period_ns
        return True
