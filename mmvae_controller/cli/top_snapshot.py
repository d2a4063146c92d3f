"""What `mmvae top` knows at one moment: plain values, for the screen and for scripts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
import json
import math
from typing import Any

SILENT_S = 3.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where is listened.

    Args:
        namespace: Of the robot, with its slash.
        variables: Of the environment, which decide what can be heard.

    """

    namespace: str
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sense:
    """One modality; what is not known now is None.

    Args:
        name: Of the modality.
        level: OK, WARN, ERROR or STALE.
        state: Known, predicted or missing, as the nodes put it.
        age_s: Of the newest sample.
        rate_hz: Of the samples.
        nats: What the command would lose without it.
        share: The same, of the sum over all modalities, in [0, 1].
        trouble: Why the level is not OK.

    """

    name: str
    level: str
    state: str
    age_s: float | None
    rate_hz: float | None
    nats: float | None
    share: float | None
    trouble: str


@dataclass(frozen=True, slots=True)
class Part:
    """A status; its values are empty when it is stale.

    Args:
        name: Of the part, or in full where it is somebody else's.
        level: OK, WARN, ERROR or STALE.
        message: For an operator.
        values: As published.
        heard_s: How long ago it came; None if it never did.

    """

    name: str
    level: str
    message: str
    values: Mapping[str, str]
    heard_s: float | None


@dataclass(frozen=True, slots=True)
class LastCommand:
    """The last joint command; no numbers when it is stale."""

    level: str
    topic: str
    unit: str
    names: tuple[str, ...]
    values: tuple[float, ...]
    rate_hz: float | None
    heard_s: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All of it.

    Args:
        unix_s: When it was taken.
        place: Where was listened.
        silent_s: For how long nothing has been heard of the robot.
        namespaces: In which importance is published.
        senses: Of the model, in its order.
        parts: Gate, loop and model.
        command: None if none was heard.
        others: What anybody else complains of, the worst first.

    """

    unix_s: float
    place: Place
    silent_s: float
    namespaces: tuple[str, ...]
    senses: tuple[Sense, ...]
    parts: tuple[Part, ...]
    command: LastCommand | None
    others: tuple[Part, ...]

    @property
    def silent(self) -> bool:
        """Tell whether it is time to say what to check."""
        return self.silent_s >= SILENT_S

    @property
    def complete(self) -> bool:
        """Tell whether every part of a healthy robot was heard."""
        return (
            self.command is not None
            and all(p.heard_s is not None for p in self.parts)
            and bool(self.senses)
            and all(s.nats is not None for s in self.senses)
        )

    def as_json(self) -> str:
        """Return it as one line, by names; numbers that are not finite are null."""
        data = asdict(self)
        for part in data.pop('parts'):
            data[part.pop('name')] = part
        for key in ('senses', 'others'):
            data[key] = {one.pop('name'): one for one in data[key]}
        return json.dumps(_finite(data), ensure_ascii=False, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
