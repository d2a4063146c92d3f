"""What the diagnostics node says of the model: what its latent carries, how long it takes."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from mmvae_controller.guidance.help import Help
from mmvae_controller.nodes.reporting.rates import rate_hz
from mmvae_controller.nodes.reporting.status import Level, Status
import numpy as np

# So many are remembered: of the last few seconds, not of the whole life.
MEMORY = 100
MS_PER_S = 1000


class ModelHealth:
    """Counts observations and evaluations."""

    def __init__(self, name: str, sha256: str, period_s: float, stale_s: float) -> None:
        """Start with nothing heard.

        Args:
            name: Of the model.
            sha256: Of its network.
            period_s: Between two evaluations.
            stale_s: Longer than this without an observation, nothing is known.

        """
        self._about: dict[str, object] = {'name': name, 'sha256': sha256}
        self._name = name
        self._period_s = period_s
        self._stale_s = stale_s
        self._heard_s: deque[float] = deque(maxlen=MEMORY)
        self._read_s: float | None = None
        self._took_s: deque[float] = deque(maxlen=MEMORY)
        self._trouble: tuple[Level, str] | None = None
        self._latent_kl = 0.0
        self._active_units = 0
        self._measured = False

    def hear(self, now_s: float) -> None:
        """Note an observation, whatever it is worth."""
        self._heard_s.append(now_s)

    def read(self, now_s: float) -> None:
        """Note that the observation could be read."""
        self._read_s = now_s

    def evaluate(self, latent_kl: float, active_units: int, took_s: float) -> None:
        """Note an evaluation; what was wrong before it is over."""
        self._latent_kl, self._active_units = latent_kl, active_units
        self._took_s.append(took_s)
        self._trouble, self._measured = None, True

    def fail(self, level: Level, text: str) -> None:
        """Note why there is no evaluation."""
        self._trouble, self._measured = (level, text), False

    def why_stale(self, now_s: float) -> str:
        """Return why nothing is known of the senses; empty if observations come."""
        if not self._heard_s:
            return 'no observation yet'
        if not self._hears(now_s):
            return f'no observation for {self._stale_s:g} s'
        if self._read_s is not None and now_s - self._read_s <= self._stale_s:
            return ''
        # Or it was heard just now, and its turn has not come.
        return self._trouble[1] if self._trouble is not None else ''

    def status(self, now_s: float) -> Status:
        """Tell how it is."""
        if not self._hears(now_s):
            return self._told(Level.STALE, self.why_stale(now_s), self._about)
        values = {
            **self._about,
            **self._figures(),
            'observations hz': rate_hz(self._heard_s, now_s),
        }
        level, message = self._judgement()
        if self._trouble is None:
            # Too slow, or a latent that says nothing: no section is about that.
            return Status('model', level, message, values)
        return self._told(level, message, values)

    @staticmethod
    def _told(level: Level, message: str, values: Mapping[str, object]) -> Status:
        return Status('model', level, message, values, section_of(level))

    def _hears(self, now_s: float) -> bool:
        return bool(self._heard_s) and now_s - self._heard_s[-1] <= self._stale_s

    def _judgement(self) -> tuple[Level, str]:
        if self._trouble is not None:
            return self._trouble
        if self._took_s and self._took_s[-1] > self._period_s:
            took_ms = self._took_s[-1] * MS_PER_S
            period_ms = self._period_s * MS_PER_S
            return Level.WARN, f'an evaluation took {took_ms:.0f} ms, its period is {period_ms:g}'
        # Of nothing known, as when an episode begins, the latent has nothing to say.
        if self._measured and self._active_units == 0 and self._latent_kl > 0:
            return Level.WARN, 'no active unit: the latent says nothing'
        return Level.OK, self._name

    def _figures(self) -> dict[str, object]:
        if not self._measured:
            return {}
        p50_ms, p99_ms = np.percentile(self._took_s, (50, 99)) * MS_PER_S
        return {
            'latent_kl nats': self._latent_kl,
            'active units': self._active_units,
            'evaluation p50 ms': float(p50_ms),
            'evaluation p99 ms': float(p99_ms),
        }


def section_of(level: Level) -> Help:
    """Return what explains trouble with an evaluation: what came in, or what the network made."""
    return Help.MODEL_IS_DAMAGED if level is Level.ERROR else Help.NO_OBSERVATION
