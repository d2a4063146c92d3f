"""The order in which the messages of a bag were received, whatever the order in its files.

A recorder that cannot keep up writes what one topic brought after what another did. Within a
topic the order in the file is that of receipt: where its own stamps go back, the clock was set
back. Each time, the other topics follow: from where their own stamps do, else from the same place
in the file.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
import heapq
from itertools import count

from mmvae_controller.control.window import NS
from mmvae_controller.recordings.errors import RecordingError
from mmvae_controller.recordings.stored import Stored
import numpy as np
from numpy.typing import NDArray

# Where several nodes publish on a topic, its messages change places by a little: that is sorted.
# Further back than this, the clock was set back.
REORDER_NS = 100_000_000
# What a topic told before it was set back may be this much newer than what the others had: a slow
# one has longer between two messages. Newer still, it was on the clock after that already.
APART_NS = NS
# So often no clock is set back in one recording.
MOST_SET_BACK = 1000
# Of the messages that wait for earlier ones.
MOST_HELD = 1 << 30

Stamps = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """In which order the messages of a bag are to be read.

    Args:
        ranks: By the place in the files; None where that is the order already.
        late: How many messages are stored after one that was received later.
        late_ns: By how much, at most.
        times_back: How often the clock was set back.
        held_bytes: Of the messages that wait at once for earlier ones, at most.
        went_back: By topic, how often a stamp is before an earlier one of it by no more than
            `REORDER_NS`, and by how much at most, ns.

    """

    ranks: Stamps | None = None
    late: int = 0
    late_ns: int = 0
    times_back: int = 0
    held_bytes: int = 0
    went_back: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def notes(self) -> list[str]:
        """What is odd, for people: a slight disorder between topics is usual."""
        notes = []
        if self.went_back:
            within = ', '.join(
                f'{topic} {times} times by up to {most_ns / NS:.2g} s'
                for topic, (times, most_ns) in sorted(self.went_back.items())
            )
            notes.append(
                f'stamps go back a little within a topic ({within}): several nodes publish on it, '
                f'or the clock was set back; less than {REORDER_NS / NS:g} s is sorted, and no '
                'episode ends there'
            )
        if self.late_ns <= REORDER_NS:
            return notes
        notes += [
            f'{self.late} messages are stored after later ones, by up to '
            f'{self.late_ns / NS:.2g} s: the recorder was too busy, and may have lost some; read '
            'in the order of receipt'
        ]
        if self.times_back:
            notes.append(
                f'the clock was set back as well ({self.times_back} times): look at the episodes '
                'before and after that'
            )
        return notes

    def put(self, messages: Iterable[Stored]) -> Iterator[Stored]:
        """Yield messages in this order; what was not there when it was found comes last."""
        if self.ranks is None:
            yield from messages
            return
        waiting: list[tuple[int, Stored]] = []
        due = count()
        rank = next(due)
        for place, message in enumerate(messages):
            known = place < len(self.ranks)
            heapq.heappush(waiting, (int(self.ranks[place]) if known else place, message))
            while waiting and waiting[0][0] <= rank:
                yield heapq.heappop(waiting)[1]
                rank = next(due)
        while waiting:
            yield heapq.heappop(waiting)[1]


@dataclass(slots=True)
class _Topic:
    """What is known of a topic by now.

    Args:
        number: Of this topic.
        tells: Whether its stamps tell of the clock.
        newest_ns: Since the clock was set back last.
        times: How often it went back by too little for that.
        most_ns: By how much, at most.

    """

    number: int
    tells: bool
    newest_ns: int = -(2**63)
    times: int = 0
    most_ns: int = 0


@dataclass(slots=True)
class _SetBack:
    """A time at which the clock was set back.

    Args:
        place: In the files where it is seen first.
        newest_ns: Of what came before.
        topics: By number, the place from which on a topic is after it.

    """

    place: int
    newest_ns: int
    topics: dict[int, int] = field(default_factory=dict)


class Noted:
    """Notes the stamps of messages as they are stored, and finds their order."""

    def __init__(self, telling: Collection[str]) -> None:
        """Note nothing yet.

        Args:
            telling: The topics whose stamps tell that the clock was set back.

        """
        self._telling = telling
        self._stamps, self._sizes, self._numbers = array('q'), array('q'), array('q')
        self._topics: dict[str, _Topic] = {}
        self._set_back: list[_SetBack] = []

    def taking(self, messages: Iterable[Stored]) -> Iterator[Stored]:
        """Yield messages as they are stored, and note them."""
        for message in messages:
            self._note(message.channel.topic, message.stamp_ns, len(message.data))
            yield message

    def order(self) -> Order:
        """Return the order of what was noted.

        Raises:
            RecordingError: It would take too much memory to restore it, or there is none.

        """
        if len(self._set_back) > MOST_SET_BACK:
            raise RecordingError(
                f'its stamps go back {len(self._set_back)} times by more than '
                f'{REORDER_NS / NS:g} s within one topic: those of no clock do'
            )
        stamps: Stamps = np.asarray(self._stamps, dtype=np.int64)
        periods = self._periods()
        places = np.lexsort((stamps, periods))
        if (places == np.arange(len(stamps))).all():
            return Order(times_back=len(self._set_back))
        went_back = {n: (t.times, t.most_ns) for n, t in self._topics.items() if t.times}
        ranks = np.empty_like(places)
        ranks[places] = np.arange(len(places))
        held = self._held(places)
        if held > MOST_HELD:
            raise RecordingError(
                f'its messages are stored so far from the order in which they were received that '
                f'{held / 2**20:.0f} MiB of them have to wait for others, at most '
                f'{MOST_HELD / 2**20:.0f}; write the bag again in the order of its stamps'
            )
        late = _late(stamps, periods)
        return Order(
            ranks,
            int((late > 0).sum()),
            int(late.max()),
            len(self._set_back),
            held_bytes=held,
            went_back=went_back,
        )

    def _note(self, name: str, stamp_ns: int, size: int) -> None:
        topic = self._topics.get(name)
        if topic is None:
            topic = _Topic(len(self._topics), name in self._telling)
            self._topics[name] = topic
        if topic.tells and stamp_ns < topic.newest_ns - REORDER_NS:
            self._step(topic, len(self._stamps))
            topic.newest_ns = stamp_ns
        elif topic.tells and stamp_ns < topic.newest_ns:
            topic.times += 1
            topic.most_ns = max(topic.most_ns, topic.newest_ns - stamp_ns)
        topic.newest_ns = max(topic.newest_ns, stamp_ns)
        self._stamps.append(stamp_ns)
        self._sizes.append(size)
        self._numbers.append(topic.number)

    def _step(self, topic: _Topic, place: int) -> None:
        """Take a topic behind a set-back that others have shown already, or behind a new one."""
        passed = [n for n, back in enumerate(self._set_back) if topic.number in back.topics]
        for back in self._set_back[passed[-1] + 1 if passed else 0 :]:
            if topic.newest_ns <= back.newest_ns + APART_NS:
                back.newest_ns = max(back.newest_ns, topic.newest_ns)
                back.topics[topic.number] = place
                return
        self._set_back.append(_SetBack(place, topic.newest_ns, {topic.number: place}))

    def _periods(self) -> Stamps:
        """Return for each message how often the clock had been set back."""
        numbers: Stamps = np.asarray(self._numbers, dtype=np.int64)
        places, periods = np.arange(len(numbers)), np.zeros(len(numbers), dtype=np.int64)
        for back in self._set_back:
            begins = np.full(len(self._topics), back.place)
            for number, place in back.topics.items():
                begins[number] = place
            periods += places >= begins[numbers]
        return periods

    def _held(self, places: Stamps) -> int:
        """Return how many bytes wait at once, at most."""
        sizes: Stamps = np.asarray(self._sizes, dtype=np.int64)
        # A message leaves when all before it are there.
        left = np.bincount(
            np.maximum.accumulate(places), weights=sizes[places], minlength=len(sizes)
        )
        return int((np.cumsum(sizes) - np.cumsum(left)).max())


def _late(stamps: Stamps, periods: Stamps) -> Stamps:
    """Return by how much each message was received before one that is stored before it, ns."""
    late = np.zeros_like(stamps)
    for period in range(int(periods.max()) + 1):
        those = periods == period
        late[those] = np.maximum.accumulate(stamps[those]) - stamps[those]
    return late
