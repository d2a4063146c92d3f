"""Looks through a bag before it is read: what is there, on which clock, and what is missing."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

from mmvae_controller.modality.robot import Robot
from mmvae_controller.recordings.decoding import Decoder
from mmvae_controller.recordings.errors import RecordingError
from mmvae_controller.recordings.marks import Marks, Span
from mmvae_controller.recordings.receipt import ClockChoice, SimulatedTime
from mmvae_controller.recordings.stored import Stored
from mmvae_controller.recordings.topics import CLOCK, STATUS, Topics
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
        simulated: Whether the robot is taken to have run on `/clock`.
        first_ns: The smallest stamp of the recorder.
        last_ns: The largest.
        apart_ns: The usual time between two set-points; None if there are too few.
        spans: The episodes that are marked; None if nobody marks any.
        notes: What is odd, for people.
        missing: Why no row can be read; empty if some can.

    """

    topics: dict[str, Heard]
    simulated: bool
    first_ns: int
    last_ns: int
    apart_ns: int | None
    spans: tuple[Span, ...] | None
    notes: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def messages(self) -> int:
        """How many there are."""
        return sum(heard.messages for heard in self.topics.values())


class _Times:
    """What is noted on one of the two clocks."""

    def __init__(self) -> None:
        self.commands = array('q')
        self.marks = Marks()

    def apart_ns(self) -> int | None:
        stamps: NDArray[np.int64] = np.asarray(self.commands, dtype=np.int64)
        between = stamps[1:] - stamps[:-1]
        forward = between[between > 0]
        return int(np.median(forward)) if forward.size else None


def survey(
    messages: Iterable[Stored], robot: Robot, topics: Topics, decoder: Decoder, choice: ClockChoice
) -> Survey:
    """Look through the messages of one bag.

    Raises:
        RecordingError: It was said to be on simulated time, and has no `/clock`.

    """
    time, bag, simulated = SimulatedTime(decoder), _Times(), _Times()
    heard: dict[str, Heard] = {}
    clocks: set[int] = set()
    notes: dict[str, str] = {}
    first_ns, last_ns = 2**63 - 1, -(2**63)
    for message in messages:
        kind, topic, stamp_ns = message.channel.kind, message.channel.topic, message.stamp_ns
        kinds = heard.setdefault(topic, Heard()).kinds
        kinds[kind] = kinds.get(kind, 0) + 1
        first_ns, last_ns = min(first_ns, stamp_ns), max(last_ns, stamp_ns)
        if time.hears(message):
            if time.now_ns is not None and len(clocks) < FEWEST_TIMES:
                clocks.add(time.now_ns)
        elif kind not in topics.kinds.get(topic, ()):
            continue
        elif topic == topics.command:
            bag.commands.append(stamp_ns)
            if time.now_ns is not None:
                simulated.commands.append(time.now_ns)
        elif topic == topics.episode:
            try:
                mark = decoder.read(message.channel, message.data)
                if kind != STATUS:  # A status tells of simulated time itself.
                    bag.marks.take(kind, mark, stamp_ns)
                if kind == STATUS or time.now_ns is not None:
                    simulated.marks.take(kind, mark, time.now_ns or 0)
            except MessageError as error:
                notes.setdefault(topic, f'{topic}: a mark of an episode is left out: {error}')
    on_sim = choice is ClockChoice.SIM or (
        choice is ClockChoice.AUTO and len(clocks) >= FEWEST_TIMES
    )
    if on_sim and not clocks:
        raise RecordingError(f'has no time on {CLOCK}, expected one with --clock {choice}')
    times = simulated if on_sim else bag
    if simulated.marks.any and not times.marks.any:
        notes[topics.episode] = f'{topics.episode} tells of simulated time: not used'
    return Survey(
        heard,
        on_sim,
        first_ns if heard else 0,
        last_ns if heard else 0,
        times.apart_ns(),
        times.marks.spans() if times.marks.any else None,
        (*notes.values(), *_odd(heard, robot, topics)),
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
