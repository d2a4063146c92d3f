"""Levels that do not flicker: one that rises late and falls later."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
import math

from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.nodes.reporting.status import Level, Status

DEBOUNCED = (Level.WARN, Level.ERROR)


@dataclass(slots=True)
class _Trace:
    """What was seen of one status: per level, whether it is shown and since when it should not be.

    Args:
        shown: Whether the level, or a worse one, is shown.
        turned_s: Since when the opposite has been seen without a break; None if it is not.

    """

    shown: dict[Level, bool]
    turned_s: dict[Level, float | None] = field(default_factory=dict)


class Hysteresis:
    """Delays the levels of statuses by name; STALE is entered and left at once.

    Each level is judged by itself: it is shown once it, or a worse one, has lasted for
    `raise_after_s`, and as long as the better ones have not lasted for `clear_after_s`. So from
    ERROR by way of WARN to OK the time of OK counts from where OK began.
    """

    def __init__(self, raise_after_s: float, clear_after_s: float) -> None:
        """Start with nothing seen: the first level of each status is shown at once.

        Raises:
            ModalityError: A time is negative or not finite.

        """
        for name, value in (('raise_after_s', raise_after_s), ('clear_after_s', clear_after_s)):
            if not (math.isfinite(value) and value >= 0):
                raise ModalityError(f'parameter {name} is {value}, expected 0 or above')
        self._raise_after_s = raise_after_s
        self._clear_after_s = clear_after_s
        self._traces: dict[str, _Trace] = {}

    def show(self, status: Status, now_s: float) -> Status:
        """Return a status as it is to be shown.

        Args:
            status: As it is, with the present reason: this is never held back.
            now_s: On a steady clock.

        """
        if status.level is Level.STALE:
            self._traces.pop(status.name, None)
            return status
        trace = self._traces.setdefault(
            status.name, _Trace({level: status.level >= level for level in DEBOUNCED})
        )
        for level in DEBOUNCED:
            self._follow(trace, level, status.level >= level, now_s)
        shown = max((level for level in DEBOUNCED if trace.shown[level]), default=Level.OK)
        if shown <= status.level:
            return replace(status, level=shown)
        why = f' ({shown.name} until {self._clear_after_s:g} s without trouble)'
        return replace(status, level=shown, message=status.message + why, held=status.level)

    def _follow(self, trace: _Trace, level: Level, present: bool, now_s: float) -> None:
        if present == trace.shown[level]:
            trace.turned_s[level] = None
            return
        turned_s = trace.turned_s.get(level)
        if turned_s is None:
            trace.turned_s[level] = turned_s = now_s
        if now_s - turned_s >= (self._raise_after_s if present else self._clear_after_s):
            trace.shown[level] = present
            trace.turned_s[level] = None
