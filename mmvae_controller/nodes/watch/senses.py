"""What the diagnostics node says of one sense: known or predicted, and for how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
import math

from mmvae_controller.modality.observation import CURRENT, PREVIOUS
from mmvae_controller.nodes.reporting.staleness import TOLD_STALE_S
from mmvae_controller.nodes.reporting.status import HELD, Level, Status
from mmvae_controller.nodes.watch.watched import Told

# Known for a shorter time, a sense is still the one that comes and goes.
BACK_AFTER_S = 1.0
UNKNOWN = 'unknown'
NO_INPUT = 'no input'
# The value that tells how much the command would lose without a sense.
STEERING_KEY = 'precision_loss_command nats'


class State(StrEnum):
    """Where the model has a modality from: now, one step ago, what is old, or the others alone."""

    KNOWN = 'known'
    KNOWN_BEFORE = 'known at t-1 only'
    PREDICTED = 'predicted'
    MASKED = 'masked'


class SenseHealth:
    """One modality, as the observations and the controller tell of it."""

    def __init__(
        self, name: str, has_input: bool, error_after_s: float, max_age_s: float = math.inf
    ) -> None:
        """Start with nothing seen.

        Args:
            name: Of the modality.
            has_input: Whether the controller listens to a topic for it; not for the command.
            error_after_s: Missing for longer is an error, breaks of less than `BACK_AFTER_S`
                included.
            max_age_s: A sample that is older is there to predict from.

        """
        self.name = name
        self._max_age_s = max_age_s
        self._has_input = has_input
        self._error_after_s = error_after_s
        self._word: Told | None = None
        self._state = State.MASKED
        self._age_s = 0.0
        self._missing_since_s: float | None = None
        self._known_since_s: float | None = None
        self._on_and_off = ''

    def hear(self, word: Told) -> None:
        """Note what the controller says of its input."""
        self._word = word

    def observe(self, known: Sequence[bool], age_s: float, now_s: float) -> bool:
        """Note an observation, and return whether the state is another one than before.

        Args:
            known: At [t - dt, t].
            age_s: At t.
            now_s: On a steady clock.

        """
        before, self._age_s = self._state, age_s
        if known[CURRENT] and age_s <= self._max_age_s:
            self._state = State.KNOWN
            if self._known_since_s is None:
                self._known_since_s = now_s
            if now_s - self._known_since_s >= BACK_AFTER_S:
                self._end_spell()
        else:
            self._state = State.MASKED
            if known[CURRENT]:
                self._state = State.PREDICTED
            elif known[PREVIOUS]:
                self._state = State.KNOWN_BEFORE
            if self._missing_since_s is None:
                self._missing_since_s = now_s
            elif self._known_since_s is not None:
                self._on_and_off = 'on and off '
            self._known_since_s = None
        return self._state is not before

    def forget(self) -> None:
        """Forget the observations: they are of another time."""
        self._known_since_s = None
        self._end_spell()

    def status(self, measures: Mapping[str, float], now_s: float) -> Status:
        """Tell how it is; `measures` in nats by measure, now."""
        word = self._present_word(now_s)
        level, message = Level.OK, self._state.value
        if self._state is not State.KNOWN and self._missing_since_s is not None:
            missing_s = now_s - self._missing_since_s
            level = Level.ERROR if missing_s > self._error_after_s else Level.WARN
            message = f'missing at t {self._on_and_off}for {missing_s:.1f} s, {self._state}'
        if word is not None and word.level is not Level.OK and HELD not in word.values:
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

    def _end_spell(self) -> None:
        self._missing_since_s, self._on_and_off = None, ''

    def _present_word(self, now_s: float) -> Told | None:
        return self._word if self._word and now_s - self._word.steady_s <= TOLD_STALE_S else None

    def _about_input(self, word: Told | None) -> dict[str, object]:
        if not self._has_input:
            return {'rate_hz': NO_INPUT, 'health': NO_INPUT}
        if word is None:
            return {'rate_hz': UNKNOWN, 'health': UNKNOWN}
        rate_hz = word.values.get('rate_hz', UNKNOWN)
        return {'rate_hz': rate_hz, 'health': f'{word.level.name}: {word.message}'}
