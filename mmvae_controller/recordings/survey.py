"""Looks through a bag before it is read: what is there, on which clock, and what is missing."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from mmvae_controller.modality.robot import Robot
from mmvae_controller.recordings.decoding import Decoder, usual_fields
from mmvae_controller.recordings.errors import RecordingError
from mmvae_controller.recordings.marks import Marks, Span
from mmvae_controller.recordings.order import Noted, Order
from mmvae_controller.recordings.receipt import ClockChoice, SimulatedTime, Unbroken
from mmvae_controller.recordings.stored import Stored
from mmvae_controller.recordings.topics import STATUS, Topics
from mmvae_controller.senses.errors import MessageError
import numpy as np
from numpy.typing import NDArray

# A clock that says one thing only drives nothing.
FEWEST_TIMES = 2


@dataclass(slots=True)
class Heard:
    """How many messages of which types a topic has."""

    kinds: dict[str, int] = field(default_factory=dict)

    @property
    def messages(self) -> int:
        """How many, of all types."""
        return sum(self.kinds.values())


@dataclass(frozen=True, slots=True)
class Survey:
    """What is in a bag.

    Args:
        topics: By name.
        clock: The topic of the time that the robot is taken to have run on; empty: the recorder's.
        first_ns: The smallest stamp of the recorder.
        last_ns: The largest.
        apart_ns: The usual time between two set-points; None if there are too few.
        spans: The episodes that are marked; None if nobody marks any.
        notes: What is odd, for people.
        missing: Why no row can be read; empty if some can.
        order: In which its messages are to be read.

    """

    topics: dict[str, Heard]
    clock: str
    first_ns: int
    last_ns: int
    apart_ns: int | None
    spans: tuple[Span, ...] | None
    notes: tuple[str, ...]
    missing: tuple[str, ...]
    order: Order = field(default_factory=Order)

    @property
    def messages(self) -> int:
        """How many there are."""
        return sum(heard.messages for heard in self.topics.values())

    @property
    def outline(self) -> tuple[object, ...]:
        """What two bags have in common that hold the same."""
        counts = sorted((topic, heard.messages) for topic, heard in self.topics.items())
        return self.first_ns, self.last_ns, tuple(counts)


class _Clock:
    """What is noted on one of the clocks: the recorder's, or one that a topic tells."""

    def __init__(self, time: SimulatedTime | None = None) -> None:
        self.topic = time.topic if time else ''
        self.commands = array('q')
        self.marks = Marks()
        self.told: set[int] = set()
        self._unbroken = Unbroken()
        self._time = time
        self._now_ns: int | None = None
        self._at_ns = 0

    def hears(self, message: Stored) -> bool:
        """Let time pass to a message; tell whether it tells the time."""
        is_time = self._time is not None and self._time.hears(message)
        self._now_ns = self._time.now_ns if self._time is not None else message.stamp_ns
        if self._now_ns is not None:
            self._at_ns = self._unbroken.at(self._now_ns)
            if is_time and len(self.told) < FEWEST_TIMES:
                self.told.add(self._now_ns)
        return is_time

    def commanded(self) -> None:
        if self._now_ns is not None:
            self.commands.append(self._now_ns)

    def mark(self, kind: str, message: Any) -> None:
        # A status tells of simulated time itself.
        if self._time is not None if kind == STATUS else self._now_ns is not None:
            self.marks.take(kind, message, self._at_ns, self._unbroken.back_ns)

    def apart_ns(self) -> int | None:
        stamps: NDArray[np.int64] = np.asarray(self.commands, dtype=np.int64)
        between = stamps[1:] - stamps[:-1]
        forward = between[between > 0]
        return int(np.median(forward)) if forward.size else None


class _Look:
    """Notes what there is, message by message."""

    def __init__(self, topics: Topics, decoder: Decoder) -> None:
        self.heard: dict[str, Heard] = {}
        self.notes: dict[str, str] = {}
        self.first_ns, self.last_ns = 2**63 - 1, -(2**63)
        self.bag = _Clock()
        self.simulated = [_Clock(SimulatedTime(decoder, topic)) for topic in topics.clocks]
        self._topics, self._decoder = topics, decoder

    def take(self, message: Stored) -> None:
        kind, topic, stamp_ns = message.channel.kind, message.channel.topic, message.stamp_ns
        kinds = self.heard.setdefault(topic, Heard()).kinds
        kinds[kind] = kinds.get(kind, 0) + 1
        self.first_ns, self.last_ns = min(self.first_ns, stamp_ns), max(self.last_ns, stamp_ns)
        clocks = (self.bag, *self.simulated)
        # Each of them hears it.
        is_time = sum(clock.hears(message) for clock in clocks)
        if is_time or kind not in self._topics.kinds.get(topic, ()):
            return
        if topic == self._topics.command:
            for clock in clocks:
                clock.commanded()
        elif topic == self._topics.episode:
            self._mark(message, clocks)

    def clock(self, choice: ClockChoice) -> _Clock:
        """Return the one that the robot ran on.

        Raises:
            RecordingError: It was said to be simulated time, and nobody told any.

        """
        if choice is ClockChoice.BAG:
            return self.bag
        fewest = 1 if choice is ClockChoice.SIM else FEWEST_TIMES
        # Of one that says as much as another the first, which is of the robot alone.
        best = max(self.simulated, key=lambda clock: len(clock.told))
        if len(best.told) >= fewest:
            return best
        if choice is ClockChoice.SIM:
            asked = ' or '.join(clock.topic for clock in self.simulated)
            raise RecordingError(f'has no time on {asked}, expected one with --clock {choice}')
        return self.bag

    def _mark(self, message: Stored, clocks: Iterable[_Clock]) -> None:
        try:
            mark = self._decoder.read(message.channel, message.data)
            for clock in clocks:
                with usual_fields():
                    clock.mark(message.channel.kind, mark)
        except MessageError as error:
            topic = message.channel.topic
            self.notes.setdefault(topic, f'{topic}: a mark of an episode is left out: {error}')


def survey(
    read: Callable[[], Iterable[Stored]],
    robot: Robot,
    topics: Topics,
    decoder: Decoder,
    choice: ClockChoice,
) -> Survey:
    """Look through one bag, and once more if it is not stored in the order of receipt.

    Args:
        read: Begins to read its messages as they are stored.
        robot: Whose senses.
        topics: How they are called.
        decoder: Of its messages.
        choice: Whose time the robot ran on.

    Raises:
        RecordingError: It was said to be on simulated time, and has none; or what is stored is too
            far from the order of receipt.

    """
    noted = Noted(topics.kinds)
    found = _surveyed(noted.taking(read()), robot, topics, decoder, choice)
    order = noted.order()
    if order.ranks is not None:
        found = _surveyed(order.put(read()), robot, topics, decoder, choice)
    return replace(found, notes=(*found.notes, *order.notes), order=order)


def _surveyed(
    messages: Iterable[Stored], robot: Robot, topics: Topics, decoder: Decoder, choice: ClockChoice
) -> Survey:
    look = _Look(topics, decoder)
    for message in messages:
        look.take(message)
    heard, clock = look.heard, look.clock(choice)
    if any(other.marks.any for other in look.simulated) and not clock.marks.any:
        look.notes[topics.episode] = f'{topics.episode} tells of simulated time: not used'
    if overlapping := clock.marks.overlapping:
        look.notes['overlapping'] = (
            f'{topics.episode} marks {overlapping} episodes that last beyond the beginning of the '
            'next one: they end there, and what is left of them after the next one is left out'
        )
    return Survey(
        heard,
        clock.topic,
        look.first_ns if heard else 0,
        look.last_ns if heard else 0,
        clock.apart_ns(),
        clock.marks.spans() if clock.marks.any else None,
        (*look.notes.values(), *_odd(heard, robot, topics)),
        tuple(_missing(heard, robot, topics)),
    )


def _odd(heard: dict[str, Heard], robot: Robot, topics: Topics) -> list[str]:
    """Say what is missing or of another type, and does no harm to the rest."""
    notes = []
    for topic, expected in topics.kinds.items():
        others = [k for k in (heard[topic].kinds if topic in heard else {}) if k not in expected]
        if others:
            notes.append(f'{topic} carries {", ".join(others)}, expected {" or ".join(expected)}')
    for topic, names in topics.senses.items():
        if topic not in heard and not set(names) & set(robot.required):
            notes.append(f'{topic} is not recorded: {", ".join(names)} is masked throughout')
    return notes


def _missing(heard: dict[str, Heard], robot: Robot, topics: Topics) -> list[str]:
    """Say which topics are needed, not there, and what could be meant instead."""
    wanted = {
        topic: f'{", ".join(names)}, without which the arm holds'
        for topic, names in topics.senses.items()
        if set(names) & set(robot.required)
    }
    wanted[topics.labels] = 'what is to be learnt'
    lines = []
    for topic, what in wanted.items():
        kinds = topics.kinds[topic]
        if topic in heard and any(kind in kinds for kind in heard[topic].kinds):
            continue
        meant = sorted(t for t, h in heard.items() if set(h.kinds) & set(kinds) and t != topic)
        hint = f'; of that type there is {", ".join(meant)}' if meant else ''
        lines.append(
            f'no {" or ".join(kinds)} on {topic} ({what}){hint}; --namespace, --remap and '
            '--command-topic say how topics are called'
        )
    return lines
