"""Plays one bag into the observation window that runs on the robot."""

from __future__ import annotations

from contextlib import suppress

from mmvae_controller.control.window import NS
from mmvae_controller.datasets.store import LABEL
from mmvae_controller.modality.robot import OutputMessage
from mmvae_controller.modality.spec import Quantity
from mmvae_controller.recordings.decoding import Decoder, usual_fields
from mmvae_controller.recordings.ear import Ear
from mmvae_controller.recordings.marks import Marked, Span
from mmvae_controller.recordings.receipt import SimulatedTime, Unbroken
from mmvae_controller.recordings.sensing import Senses
from mmvae_controller.recordings.set_points import SetPoints
from mmvae_controller.recordings.stored import Stored
from mmvae_controller.recordings.survey import Survey
from mmvae_controller.senses.commands import read_command
from mmvae_controller.senses.errors import MessageError
import numpy as np
from numpy.typing import NDArray

MARKED = 'marked'


class Replay:
    """Plays the messages of one bag, in their order."""

    def __init__(self, ear: Ear, found: Survey, decoder: Decoder, begin_s: float = 0.0) -> None:
        """Begin before the first message.

        Args:
            ear: Who listens.
            found: What is in the bag.
            decoder: Of its messages.
            begin_s: Of the bag, on the time of the report.

        """
        robot, topics = ear.robot, ear.topics
        self._robot, self._topics, self._decoder = robot, topics, decoder
        self._window, self._witness, self._tallies = ear.window, ear.witness, ear.tallies
        self._senses = Senses(robot, topics, decoder, ear.window, ear.tallies)
        self._time = SimulatedTime(decoder, found.clock) if found.clock else None
        self._unbroken = Unbroken()
        self._marked = None if found.spans is None else Marked(found.spans)
        self._span: Span | None = None
        self._set_points = SetPoints(robot, found.apart_ns)
        self._gap_ns, self._begin_s = ear.gap_ns, begin_s
        self._now_ns: int | None = None
        self._first_ns = self._at_ns = 0
        self._anchor = [
            next(m for m in robot.modalities if m.name == robot.anchor).channels.index(joint)
            for joint in robot.output.joints
        ]
        self.before_time = 0

    @property
    def too_fast(self) -> int:
        """How many set-points were faster than the limits of the robot."""
        return self._set_points.too_fast

    @property
    def now_s(self) -> float:
        """Now, on the time of the report."""
        return self._begin_s if self._now_ns is None else self.place_s(self._now_ns)

    def place_s(self, stamp_ns: int) -> float:
        """Return a moment on the time of the report, which goes on where the clock is set back."""
        return self._begin_s + (stamp_ns + self._unbroken.back_ns - self._first_ns) / NS

    def play(self, message: Stored) -> None:
        """Take the next message."""
        is_time = self._time is not None and self._time.hears(message)
        stamp_ns = message.stamp_ns if self._time is None else self._time.now_ns
        if stamp_ns is None:
            # A node would take these for as old as the beginning of time.
            self.before_time += 1
            return
        self._go_on(stamp_ns)
        self._mark(stamp_ns)
        outside = self._marked is not None and self._span is None
        if outside:
            self._pass_by(message, stamp_ns)
            return
        # A loop on simulated time ticks when the clock says so, before what comes after.
        self._witness.advance(stamp_ns, is_time)
        for name in self._senses.take(message, stamp_ns, self.now_s):
            self._witness.sensed(name, stamp_ns)
        if message.channel.topic in (self._topics.command, self._topics.label):
            self._told(message, stamp_ns)

    def end(self) -> None:
        """There is no further message."""
        self._cut(self.now_s, 'the recording ends')

    def _go_on(self, stamp_ns: int) -> None:
        """Let time pass; cut where it jumps, or nothing happened for too long."""
        last_ns, self._now_ns = self._now_ns, stamp_ns
        if last_ns is None:
            self._first_ns = self._at_ns = self._unbroken.at(stamp_ns)
            return
        cut_s, cut_ns = self.place_s(last_ns), self._at_ns
        passed_ns, self._at_ns = stamp_ns - last_ns, self._unbroken.at(stamp_ns)
        if passed_ns < 0:
            self._cut(cut_s, f'the clock was set back by {-passed_ns / NS:g} s')
        elif passed_ns > self._gap_ns:
            over = self._span is not None and self._span.end_ns <= cut_ns
            silence = f'nothing for {passed_ns / NS:.3g} s: a pause, or the clock was set forward'
            self._cut(cut_s, MARKED if over else silence)

    def _mark(self, stamp_ns: int) -> None:
        """Begin and end what is marked."""
        if self._marked is None:
            return
        span = self._marked.at(self._at_ns)
        if span == self._span:
            return
        if self._span is not None:
            # What is due until the mark still belongs to it.
            end_ns = self._span.end_ns - self._unbroken.back_ns
            self._witness.advance(min(stamp_ns, end_ns), True)
            if span is None or span.begin_ns > self._span.end_ns:
                # In between the arm may have been put elsewhere, by hand or by a simulation.
                self._set_points.forget()
        self._witness.cut(MARKED, MARKED)
        self._cut_tallies(self.place_s(stamp_ns))
        self._span = span

    def _cut(self, at_s: float, why: str) -> None:
        marked = self._marked is not None
        self._witness.cut(why, MARKED if marked else '', apart=not marked)
        self._set_points.forget()
        self._cut_tallies(at_s)

    def _cut_tallies(self, at_s: float) -> None:
        for tally in self._tallies.values():
            tally.cut(at_s)

    def _names(self, message: Stored) -> tuple[str, ...]:
        topic = message.channel.topic
        if topic == self._topics.command:
            return (self._robot.command.name,)
        if topic == self._topics.label:
            return (LABEL,)
        return self._topics.senses.get(topic, ())

    def _pass_by(self, message: Stored, stamp_ns: int) -> None:
        """Count what is outside of all episodes; of a set-point one may begin."""
        for name in self._names(message):
            self._tallies[name].outside += 1
        if message.channel.topic == self._topics.command:
            with suppress(MessageError):
                self._set_points.remember(self._position(message), stamp_ns)

    def _told(self, message: Stored, stamp_ns: int) -> None:
        """Take a set-point, or what a demonstrator wanted."""
        is_command = message.channel.topic == self._topics.command
        tally = self._tallies[self._robot.command.name if is_command else LABEL]
        value: NDArray[np.float64] | None
        try:
            value = self._sent(message, stamp_ns) if is_command else self._wanted(message)
        except MessageError as error:
            tally.reject(str(error))
            return
        tally.take('', self.now_s)
        # A tick sees what came before its own command.
        self._witness.advance(stamp_ns, True)
        # The row of this moment is read before the window knows what was sent at it.
        if message.channel.topic == self._topics.labels:
            self._witness.labelled(value, stamp_ns)
        if is_command and value is not None:
            self._window.push(self._robot.command.name, value, stamp_ns)
            self._witness.commanded(value, stamp_ns)

    def _sent(self, message: Stored, stamp_ns: int) -> NDArray[np.float64] | None:
        position = self._position(message)
        felt = self._window.newest(self._robot.anchor, stamp_ns)
        measured = None if felt is None else felt.value[self._anchor].astype(np.float64)
        return self._set_points.follow(position, stamp_ns, measured)

    def _position(self, message: Stored) -> NDArray[np.float64]:
        output = self._robot.output
        return self._command(message, str(output.message), output.quantity)

    def _wanted(self, message: Stored) -> NDArray[np.float64]:
        """Return what a demonstrator wanted, in the quantity that the model decodes."""
        quantity = Quantity(self._robot.command.quantity or '')
        return self._command(message, message.channel.kind, quantity)

    def _command(self, message: Stored, kind: str, quantity: Quantity) -> NDArray[np.float64]:
        if message.channel.kind != kind or kind not in set(OutputMessage):
            raise MessageError(f'is a {message.channel.kind}, expected a {kind}')
        content = self._decoder.read(message.channel, message.data)
        joints = self._robot.output.joints
        with usual_fields():
            return read_command(content, OutputMessage(kind), joints, quantity)
