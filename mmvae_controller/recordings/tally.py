"""Counts what became of the messages of one topic, and when there were none."""

from __future__ import annotations

from dataclasses import dataclass, field

Stretch = tuple[float, float]


@dataclass(slots=True)
class Tally:
    """What became of the messages of one modality.

    Args:
        name: Of the modality.
        topic: It comes from.
        kind: The type of message that is expected.
        max_age_s: A longer gap is one in which it is masked.
        used: Samples that went into the window.
        outside: Messages that belong to no episode.
        rejected: Messages that are no sample of it.
        first_rejected: Why the first one is not.
        unsound: Samples that are masked, such as black pictures.
        first_unsound: Why the first one is.
        present_s: When there was always a sample that is new enough, in s on the report's time.
        masked_s: When there was none any more, within one stretch of the recording.
        unsound_s: When the newest sample was one that is masked.
        largest_gap_s: Without a sample, within one stretch.

    """

    name: str
    topic: str
    kind: str
    max_age_s: float
    used: int = 0
    outside: int = 0
    rejected: int = 0
    first_rejected: str = ''
    unsound: int = 0
    first_unsound: str = ''
    present_s: list[Stretch] = field(default_factory=list)
    masked_s: list[Stretch] = field(default_factory=list)
    unsound_s: list[Stretch] = field(default_factory=list)
    largest_gap_s: float = 0.0
    _last_s: float | None = None
    _stretches: int = 0
    _was_unsound: bool = False

    @property
    def rate_hz(self) -> float:
        """Samples per second of the stretches in which there are some."""
        covered_s = sum(end - begin for begin, end in (*self.present_s, *self.masked_s))
        intervals = self.used - self._stretches
        return intervals / covered_s if covered_s > 0 else 0.0

    @property
    def stale_s(self) -> float:
        """For how long it was masked because nothing new came."""
        return sum(end - begin for begin, end in self.masked_s)

    def take(self, fault: str, now_s: float) -> None:
        """Count a sample, and why the window masks it."""
        self.used += 1
        if self._was_unsound:
            self.unsound_s[-1] = (self.unsound_s[-1][0], now_s)
        if fault:
            self.unsound += 1
            self.first_unsound = self.first_unsound or fault
            if not self._was_unsound:
                self.unsound_s.append((now_s, now_s))
        self._was_unsound = bool(fault)
        if self._last_s is None:
            self._stretches += 1
            self.present_s.append((now_s, now_s))
        else:
            gap_s = now_s - self._last_s
            self.largest_gap_s = max(self.largest_gap_s, gap_s)
            begin_s, _ = self.present_s[-1]
            if gap_s > self.max_age_s:
                self.present_s[-1] = (begin_s, self._last_s + self.max_age_s)
                self.masked_s.append((self._last_s + self.max_age_s, now_s))
                self.present_s.append((now_s, now_s))
            else:
                self.present_s[-1] = (begin_s, now_s)
        self._last_s = now_s

    def reject(self, why: str) -> None:
        """Count a message that is no sample."""
        self.rejected += 1
        self.first_rejected = self.first_rejected or why

    def cut(self, now_s: float) -> None:
        """What comes after this moment follows nothing; until then it may have been masked."""
        if self._last_s is not None and now_s - self._last_s > self.max_age_s:
            self.present_s[-1] = (self.present_s[-1][0], self._last_s + self.max_age_s)
            self.masked_s.append((self._last_s + self.max_age_s, now_s))
            self.largest_gap_s = max(self.largest_gap_s, now_s - self._last_s)
        self._last_s = None
        self._was_unsound = False
