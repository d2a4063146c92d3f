"""What drives the control loop: a timer, or the samples of a sense as long as they come."""

from __future__ import annotations

from mmvae_controller.control.pace import AtMost
from mmvae_controller.control.window import NS
from mmvae_controller.modality.robot import PATIENT_PERIODS


class Driver:
    """Tells when to tick; a sense that is silent or too fast changes the rate of no loop.

    One that is a little slower than the loop slows it down: it is waited for, so long as the timer
    is patient.
    """

    def __init__(self, rate_hz: float, trigger: str) -> None:
        """Start with the timer.

        Args:
            rate_hz: Of the loop, and of the timer.
            trigger: The sense that drives it; empty: the timer alone.

        """
        self._trigger = trigger
        self._due = AtMost(rate_hz, rate_hz)
        self._period_ns = round(NS / rate_hz)
        self._patience_ns = round(PATIENT_PERIODS / rate_hz * NS)
        self._spoken_ns: int | None = None

    @property
    def timer_ns(self) -> int:
        """How long after the last sample, or the last tick, the timer is to ask.

        While samples come, later than the next: to be asked in vain costs a wait of the executor.
        """
        return self._period_ns if self._spoken_ns is None else self._patience_ns

    def drives(self, name: str) -> bool:
        """Tell whether it is this sense that drives the loop."""
        return bool(self._trigger) and name == self._trigger

    def on_sample(self, name: str, now_ns: int) -> bool:
        """Tell whether a sample of a sense is to be answered; `now_ns` on a steady clock."""
        if not self.drives(name):
            return False
        # Also if it comes too early to be answered: the timer stands back for the next.
        self._spoken_ns = now_ns
        return self._due.due(now_ns)

    def on_timer(self, now_ns: int) -> bool:
        """Tell whether the timer is to tick; `now_ns` on a steady clock."""
        if self._spoken_ns is not None and now_ns - self._spoken_ns < self._patience_ns:
            return False
        self._spoken_ns = None
        if self._trigger:
            self._due.due(now_ns)
        return True
