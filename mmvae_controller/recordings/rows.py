"""From what a window held to rows of a data set, and from rows to episodes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mmvae_controller.control.window import NS, ObservationWindow
from mmvae_controller.datasets.store import EPISODE, KNOWN, LABEL
from mmvae_controller.modality.observation import CURRENT
from mmvae_controller.modality.robot import Robot
from mmvae_controller.recordings.curve import Curve
import numpy as np
from numpy.typing import NDArray

Row = dict[str, NDArray[np.generic]]
NO_LABEL = 'no set-point'
BEGINNING = 'the recording begins'


@dataclass(slots=True)
class Episode:
    """Rows that follow each other.

    Args:
        number: In the data set.
        bag: It is from.
        begin_ns: Of its first row, on the clock of the robot.
        begin_s: The same, on the time of the report.
        end_s: Of its last row.
        rows: How many.
        began: Why it begins where it does.
        continues: Whether it is more of the one before: nothing was missing in between but labels,
            or a sense.
        ended: Why it ends where it does.

    """

    number: int
    bag: str
    begin_ns: int
    begin_s: float
    end_s: float
    rows: int
    began: str
    continues: bool
    ended: str = ''


@dataclass(slots=True, eq=False)
class _Waiting:
    """A row that waits for the set-point of its moment."""

    stamp_ns: int
    at_s: float
    values: Row
    known: NDArray[np.bool_]
    label: NDArray[np.generic] | None = None


class Rows:
    """Reads the window once each period while an episode lasts, and waits for what was right then.

    The first row of an episode is at its first set-point, so rows fall on the ticks of a loop that
    keeps its period. A row whose label does not come within a period is no row to train on; those
    after it are another episode, for the rows of one are a period apart.
    """

    def __init__(
        self,
        robot: Robot,
        window: ObservationWindow,
        period_ns: int,
        gap_ns: int,
        sink: Callable[[Row], None],
    ) -> None:
        """Start outside of an episode.

        Args:
            robot: What it requires has to be there.
            window: Is read, and cleared between episodes.
            period_ns: Between two rows.
            gap_ns: A required sense or set-points that are silent for longer end an episode.
            sink: Gets the rows.

        """
        self.episodes: list[Episode] = []
        self.curve = Curve()
        self.dropped: dict[str, int] = {}
        self._robot, self._window, self._sink = robot, window, sink
        self._period_ns, self._gap_ns = period_ns, gap_ns
        names = [m.name for m in window.modalities]
        self._command, self._command_row = robot.command.name, names.index(robot.command.name)
        self._heard_ns: dict[str, int] = {}
        self._waiting: deque[_Waiting] = deque()
        self._next_ns: int | None = None
        self._begins = BEGINNING
        self._bag = ''
        self._place: Callable[[int], float] = _nowhere
        self._episode: Episode | None = None
        self._marked = self._continues = False

    def open(self, bag: str, place: Callable[[int], float], marked: bool) -> None:
        """Go on with another bag, after a cut.

        Args:
            bag: Its name.
            place: Puts moments on the time of the report.
            marked: Whether somebody says where its episodes begin: nothing else divides them.

        """
        self._bag, self._begins, self._place, self._marked = bag, BEGINNING, place, marked
        self._continues = False

    def sensed(self, name: str, stamp_ns: int) -> None:
        """Note a sample of a sense."""
        self._heard_ns[name] = stamp_ns

    def commanded(self, value: NDArray[np.float64], stamp_ns: int) -> None:
        """Let the rows of this moment know what was sent; the last of the moment counts."""
        self.curve.add(self._place(stamp_ns), value)
        for row in self._waiting:
            if row.stamp_ns == stamp_ns:
                row.values[self._command] = value.astype(np.float32)
                row.known[self._command_row] = True

    def labelled(self, value: NDArray[np.float64] | None, stamp_ns: int) -> None:
        """Note what was right; an episode may begin.

        The first at or after the moment of a row, within a period, is its label.
        """
        self._heard_ns[LABEL] = stamp_ns
        if self._next_ns is None and not self._silent(stamp_ns):
            self._next_ns = stamp_ns
        # Those that waited for longer than a period wait no more.
        self.advance(stamp_ns, True)
        if value is None:
            return
        for row in self._waiting:
            if row.label is None:
                row.label = value.astype(np.float32)

    def advance(self, now_ns: int, included: bool) -> None:
        """Read the rows that are due before a moment, or at it if that is included."""
        while self._next_ns is not None and (
            self._next_ns < now_ns or (included and self._next_ns == now_ns)
        ):
            silent = self._silent(self._next_ns)
            if silent:
                paused = self._is_old(LABEL, self._next_ns)
                self.cut(silent, apart=paused and not self._marked)
                break
            self._read(self._next_ns)
            self._next_ns += self._period_ns
            self._settle(self._next_ns - self._period_ns)
        self._settle(now_ns)

    def cut(self, why: str, begins: str = '', apart: bool = True) -> None:
        """End an episode, if there is one, and forget what was sensed.

        Args:
            why: It ends.
            begins: Why the next one does, if for another reason.
            apart: Whether the next one is of something else.

        """
        while self._waiting:
            self._finish(self._waiting.popleft())
        self._close(why)
        self._continues = self._continues and not apart
        self._next_ns = None
        self._begins = begins or f'after: {why}'
        self._heard_ns.clear()
        self._window.clear()

    def _silent(self, now_ns: int) -> str:
        """Say what was not heard of for too long; empty if all was."""
        for name in (*self._robot.required, LABEL):
            if self._is_old(name, now_ns):
                what = 'set-points are' if name == LABEL else f'{name} is'
                return f'{what} silent for more than {self._gap_ns / NS:g} s'
        return ''

    def _is_old(self, name: str, now_ns: int) -> bool:
        heard_ns = self._heard_ns.get(name)
        return heard_ns is None or now_ns - heard_ns > self._gap_ns

    def _read(self, now_ns: int) -> None:
        there = self._window.read(now_ns)
        known = there.known[:, CURRENT].copy()
        values: Row = {}
        for row, modality in enumerate(self._window.modalities):
            value = there.values[modality.name][CURRENT]
            # What is masked is zero here: nothing old can be taken for new.
            values[modality.name] = value.copy() if known[row] else np.zeros_like(value)
        self._waiting.append(_Waiting(now_ns, self._place(now_ns), values, known))

    def _settle(self, now_ns: int) -> None:
        while self._waiting:
            first = self._waiting[0]
            late = now_ns - first.stamp_ns > self._period_ns
            if not late and (first.label is None or now_ns <= first.stamp_ns):
                return
            self._finish(self._waiting.popleft())

    def _finish(self, row: _Waiting) -> None:
        if row.label is None:
            within = f'{NO_LABEL} within {self._period_ns / NS:g} s'
            self.dropped[within] = self.dropped.get(within, 0) + 1
            self._close(within)
            self._begins = 'set-points come again'
            return
        episode = self._episode
        if episode is None:
            number, at_s = len(self.episodes), row.at_s
            episode = Episode(
                number, self._bag, row.stamp_ns, at_s, at_s, 0, self._begins, self._continues
            )
            self.episodes.append(episode)
            self._episode, self._continues = episode, True
        episode.end_s = row.at_s
        episode.rows += 1
        self._sink(
            row.values
            | {
                LABEL: row.label,
                KNOWN: row.known,
                EPISODE: np.array(episode.number, dtype=np.int64),
            }
        )

    def _close(self, why: str) -> None:
        if self._episode is not None:
            self._episode.ended = why
            self._episode = None


def _nowhere(stamp_ns: int) -> float:
    return 0.0


def stacked(rows: list[Row]) -> Mapping[str, NDArray[np.generic]]:
    """Return rows as the columns of a shard."""
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}
