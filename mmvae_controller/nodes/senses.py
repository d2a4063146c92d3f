"""What the diagnostics node says of one sense: known or predicted, and for how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mmvae_controller.modality.observation import CURRENT, PREVIOUS
from mmvae_controller.nodes.hysteresis import is_held
from mmvae_controller.nodes.status import Level, Status

# The controller speaks twice a second; what it said longer ago is no news.
NEWS_S = 2.0
UNKNOWN = 'unknown'
NO_INPUT = 'no input'


class State(StrEnum):
    """Where the model has a modality from."""

    KNOWN = 'known'
    KNOWN_BEFORE = 'known at t-1 only'
    PREDICTED = 'predicted'


@dataclass(frozen=True, slots=True)
class Word:
    """What the controller said of its input, and when on a steady clock."""

    level: Level
    message: str
    rate_hz: str
    steady_s: float


class SenseHealth:
    """One modality, as the observations and the controller tell of it."""

    def __init__(self, name: str, has_input: bool, error_after_s: float) -> None:
        """Start with nothing seen.

        Args:
            name: Of the modality.
            has_input: Whether the controller listens to a topic for it; not for the command.
            error_after_s: Missing for longer is an error.

        """
        self.name = name
        self._has_input = has_input
        self._error_after_s = error_after_s
        self._word: Word | None = None
        self._state = State.PREDICTED
        self._age_s = 0.0
        self._missing_since_s: float | None = None

    def hear(self, level: Level, message: str, values: Mapping[str, str], now_s: float) -> None:
        """Note what the controller says of its input."""
        self._word = Word(level, message, values.get('rate_hz', UNKNOWN), now_s)

    def observe(self, known: Sequence[bool], age_s: float, now_s: float) -> None:
        """Note an observation: what is known at [t - dt, t], and how old it is at t."""
        self._age_s = age_s
        if known[CURRENT]:
            self._state, self._missing_since_s = State.KNOWN, None
            return
        self._state = State.KNOWN_BEFORE if known[PREVIOUS] else State.PREDICTED
        if self._missing_since_s is None:
            self._missing_since_s = now_s

    def forget(self) -> None:
        """Forget the observations: they are of another time."""
        self._missing_since_s = None

    def status(self, measures: Mapping[str, float], now_s: float) -> Status:
        """Tell how it is; `measures` in nats by measure, now."""
        word = self._present_word(now_s)
        level, message = Level.OK, self._state.value
        if self._missing_since_s is not None:
            missing_s = now_s - self._missing_since_s
            level = Level.ERROR if missing_s > self._error_after_s else Level.WARN
            message = f'missing at t for {missing_s:.1f} s, {self._state}'
        if word is not None and word.level is not Level.OK and not is_held(word.message):
            level = max(level, Level.WARN)
            message += f'; controller: {word.message}'
        values = {
            'state': self._state.value,
            'age_s': self._age_s,
            **self._about_input(word),
            **{f'{measure} nats': nats for measure, nats in measures.items()},
        }
        return Status(self._title, level, message, values)

    def stale(self, why: str, now_s: float) -> Status:
        """Tell that nothing is observed: no state, no age and no measure, which would be old."""
        values = self._about_input(self._present_word(now_s))
        return Status(self._title, Level.STALE, why, values)

    @property
    def _title(self) -> str:
        return f'sense {self.name}'

    def _present_word(self, now_s: float) -> Word | None:
        return self._word if self._word and now_s - self._word.steady_s <= NEWS_S else None

    def _about_input(self, word: Word | None) -> dict[str, object]:
        if not self._has_input:
            return {'rate_hz': NO_INPUT, 'health': NO_INPUT}
        if word is None:
            return {'rate_hz': UNKNOWN, 'health': UNKNOWN}
        return {'rate_hz': word.rate_hz, 'health': f'{word.level.name}: {word.message}'}
