"""When a fault is there: from the beginning, from a moment on, or on and off."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mmvae_controller.control.window import NS
from mmvae_controller.simulation.errors import SimulationError

MOMENT_S = 0.3
ON_S = 0.4
OFF_S = 0.6


class Start(StrEnum):
    """From the first reading on, from a moment on, or on and off from that moment."""

    BEGINNING = 'beginning'
    MIDWAY = 'midway'
    INTERMITTENT = 'intermittent'


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a fault is there.

    Args:
        start: The kind.
        moment_s: Into the episode; not used by `beginning`.
        on_s: How long an intermittent fault stays each time.
        off_s: And how long it is gone.

    """

    start: Start
    moment_s: float = MOMENT_S
    on_s: float = ON_S
    off_s: float = OFF_S

    def __post_init__(self) -> None:
        """Refuse what never begins or never changes."""
        if self.moment_s < 0 or self.on_s <= 0 or self.off_s <= 0:
            raise SimulationError(
                f'moment_s {self.moment_s:g}, on_s {self.on_s:g}, off_s {self.off_s:g}: expected '
                'at least 0, and above 0'
            )

    @property
    def begin_ns(self) -> int:
        """How long after the first reading it is there for the first time."""
        return 0 if self.start is Start.BEGINNING else round(self.moment_s * NS)

    def active(self, elapsed_ns: int) -> bool:
        """Tell whether it is there, so long after the first reading."""
        since_ns = elapsed_ns - self.begin_ns
        if since_ns < 0 or self.start is not Start.INTERMITTENT:
            return since_ns >= 0
        return since_ns % round((self.on_s + self.off_s) * NS) < round(self.on_s * NS)
