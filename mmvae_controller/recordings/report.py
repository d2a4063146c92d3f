"""What an import found, kept and left out."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from mmvae_controller.datasets.store import LABEL
from mmvae_controller.recordings.curve import Curve
from mmvae_controller.recordings.rows import Episode
from mmvae_controller.recordings.tally import Tally


@dataclass(slots=True)
class BagReport:
    """One bag.

    Args:
        path: As it was named.
        messages: How many it holds, of all topics.
        rows: How many came of it.
        clock: `sim` or `bag`; empty if it could not be read.
        clock_topic: On which simulated time was told; empty if it was not.
        begin_s: On the time of the report, in which one bag comes after the other.
        end_s: On that time.
        notes: What is odd or lost.
        missing: Why nothing of it could be used; empty if something could.
        others: Topics that were not asked for, with how many messages.

    """

    path: str
    messages: int = 0
    rows: int = 0
    clock: str = ''
    clock_topic: str = ''
    begin_s: float = 0.0
    end_s: float = 0.0
    notes: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    others: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Report:
    """All bags of an import.

    Args:
        robot: Its name.
        period_s: Between two rows.
        bags: In the order in which they were read.
        tallies: By modality, what became of its messages.
        episodes: With rows.
        dropped: By reason, how many rows there are not.
        known: By modality, in how many rows it is known.
        rows: How many there are.
        curve: The command.
        joints: Of the command.
        unit: Of the command.

    """

    robot: str
    period_s: float
    bags: list[BagReport]
    tallies: dict[str, Tally]
    episodes: list[Episode]
    dropped: dict[str, int]
    known: dict[str, int]
    rows: int
    curve: Curve
    joints: tuple[str, ...]
    unit: str

    @property
    def why_empty(self) -> str:
        """Why there is no row; empty if there is one."""
        if self.rows:
            return ''
        why = [f'{bag.path}: {line}' for bag in self.bags for line in bag.missing]
        return '; '.join(why) or (
            'no row: at no moment were all required senses and a set-point there; the table above '
            'says what was missing'
        )

    @property
    def fruitless(self) -> list[str]:
        """The bags of which there is no row."""
        return [bag.path for bag in self.bags if not bag.rows]

    @property
    def continued(self) -> tuple[int, ...]:
        """The numbers of the episodes that are more of the one before."""
        return tuple(e.number for e in self.episodes if e.continues)

    def data(self) -> dict[str, Any]:
        """Return it as plain data, for JSON."""
        return {
            'robot': self.robot,
            'rows': self.rows,
            'period_s': self.period_s,
            'dropped': self.dropped,
            'bags': [asdict(bag) for bag in self.bags],
            'topics': [self._tally(name) for name in self.tallies],
            'episodes': [asdict(e) | {'duration_s': self.duration_s(e)} for e in self.episodes],
        }

    def duration_s(self, episode: Episode) -> float:
        """Return how long an episode is; each row stands for a period."""
        return episode.rows * self.period_s

    def _tally(self, name: str) -> dict[str, Any]:
        tally = self.tallies[name]
        return {
            'modality': name,
            'topic': tally.topic,
            'message': tally.kind,
            'samples': tally.used,
            'rate_hz': tally.rate_hz,
            'max_age_s': tally.max_age_s,
            'gaps': len(tally.masked_s),
            'largest_gap_s': tally.largest_gap_s,
            'stale_s': tally.stale_s,
            'stale': tally.masked_s,
            'rejected': tally.rejected,
            'first_rejected': tally.first_rejected,
            'unsound': tally.unsound,
            'unsound_stretches': tally.unsound_s,
            'first_unsound': tally.first_unsound,
            'outside_episodes': tally.outside,
            'rows_known': self.rows if name == LABEL else self.known.get(name, 0),
        }
