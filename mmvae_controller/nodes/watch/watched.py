"""What was heard of a running robot, and when: plain values, so that showing it needs no ROS 2."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mmvae_controller.nodes.reporting.status import Level, read_level

# The rate of a topic is that of the last moments; nobody commands faster than this fills.
RATE_S = 2.0
RATE_SAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Told:
    """One status of /diagnostics, and when it came on a steady clock."""

    level: Level
    message: str
    values: Mapping[str, str]
    steady_s: float


def told_by(status: Any, steady_s: float) -> Told:
    """Return what a diagnostic_msgs/DiagnosticStatus says."""
    values = {v.key: v.value for v in status.values}
    return Told(read_level(status.level), status.message, values, steady_s)


def is_of(name: str, prefix: str) -> bool:
    """Tell whether a status is of a node right in a namespace, such as `left/`, empty for none."""
    node = name.partition(':')[0]
    return node.startswith(prefix) and '/' not in node.removeprefix(prefix)


@dataclass(frozen=True, slots=True)
class Curve:
    """The newest point of a curve, in nats, and when it came on a steady clock."""

    nats: float
    steady_s: float


@dataclass(frozen=True, slots=True)
class Command:
    """The last joint command, and when it came on a steady clock.

    Args:
        topic: Where it was heard.
        unit: Of the values.
        names: Of the joints; counted from 1 where the message has none.
        values: One for each name.
        steady_s: When.

    """

    topic: str
    unit: str
    names: tuple[str, ...]
    values: tuple[float, ...]
    steady_s: float


@dataclass
class Watched:
    """All that was heard so far.

    Args:
        began_s: When listening began, on a steady clock.
        statuses: The newest status by its full name, in the order in which they first came.
        steering: By modality, what the command would lose without it.
        command: The last one.
        namespaces: In which importance is published.

    """

    began_s: float
    statuses: dict[str, Told] = field(default_factory=dict)
    steering: dict[str, Curve] = field(default_factory=dict)
    command: Command | None = None
    namespaces: tuple[str, ...] = ()
    _commands_s: deque[float] = field(default_factory=lambda: deque(maxlen=RATE_SAMPLES))

    def obey(self, command: Command) -> None:
        """Note a command."""
        self.command = command
        self._commands_s.append(command.steady_s)

    def command_hz(self, now_s: float) -> float | None:
        """Return how often commands come, or None if too few came lately to tell."""
        recent_s = [s for s in self._commands_s if now_s - s <= RATE_S]
        if len(recent_s) < 2 or recent_s[-1] <= recent_s[0]:
            return None
        return (len(recent_s) - 1) / (recent_s[-1] - recent_s[0])
