"""What a node says about one of its parts on /diagnostics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
import math

from mmvae_controller.guidance.help import explained_by, Help

# A complaint that repeats itself is logged this often.
LOG_THROTTLE_S = 5.0
# The key by which a status on /diagnostics says that its level is held up.
HELD = 'level held'
# And by which it says what the level would be otherwise.
NOW = 'level now'


# How the gate's message begins while it holds; whoever shows the gate may rely on it.
HOLDING = 'holding'


class Level(IntEnum):
    """The levels of diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2
    STALE = 3


@dataclass(frozen=True, slots=True)
class Status:
    """One status.

    Args:
        name: Of the part, e.g. `loop`; the node's name is put before it.
        level: How bad.
        message: One line for an operator.
        values: Details, shown in this order.
        section: Where an operator reads what to do, if this is bad; it is added to the message.
        held: The present level, where `level` is worse, for there was trouble lately.

    """

    name: str
    level: Level
    message: str
    values: Mapping[str, object] = field(default_factory=dict)
    section: Help | None = None
    held: Level | None = None

    def line(self) -> str:
        """Return the message, with where to read on if it is bad now."""
        if self.section is None or self.level is Level.OK or self.held is not None:
            return self.message
        return explained_by(self.section, self.message)


def read_level(level: bytes) -> Level:
    """Return a level of anybody's status; one that does not exist is an error of its sender."""
    try:
        return Level(level[0])
    except (ValueError, IndexError):
        return Level.ERROR


def read_number(text: str) -> float | None:
    """Return a value of anybody's status; None for `none` and all else that is not finite."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def show(value: object) -> str:
    """Return a value as text: numbers to four digits."""
    if isinstance(value, float):
        return 'none' if math.isinf(value) else f'{value:.4g}'
    return str(value)
