"""Where somebody marked that episodes begin and end."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from mmvae_controller.control.window import NS
from mmvae_controller.recordings.topics import BOOL, STATUS
from mmvae_controller.senses.errors import MessageError

FOREVER_NS = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Span:
    """An episode, from its beginning to its end, both included, on time that is `Unbroken`."""

    begin_ns: int
    end_ns: int


class Marks:
    """Collects them: a Bool begins and ends, an Empty begins the next, a status tells of one.

    What is marked last and never ended goes on to the end of the recording.
    """

    def __init__(self) -> None:
        """Start with none."""
        self._spans: list[Span] = []
        self._begun_ns: int | None = None
        self.any = False

    def take(self, kind: str, message: Any, now_ns: int, back_ns: int = 0) -> None:
        """Take a mark.

        Args:
            kind: The type of the message.
            message: Of one of `EPISODE_KINDS`.
            now_ns: When it was received, on time that is `Unbroken`.
            back_ns: By how much that is ahead of the clock of which a status tells.

        Raises:
            MessageError: It is a status that does not tell of an episode.

        """
        if kind == STATUS:
            self._spans.append(_told(message, back_ns))
        else:
            begins = kind != BOOL or bool(message.data)
            if self._begun_ns is not None and not (kind == BOOL and begins):
                self._spans.append(Span(self._begun_ns, now_ns))
                self._begun_ns = None
            if begins and self._begun_ns is None:
                self._begun_ns = now_ns
        self.any = True

    def spans(self) -> tuple[Span, ...]:
        """Return what is marked, in order; one ends at the latest where the next one begins."""
        spans = self._found()
        ends = [span.begin_ns for span in spans[1:]] + [FOREVER_NS]
        return tuple(
            Span(span.begin_ns, min(span.end_ns, end_ns))
            for span, end_ns in zip(spans, ends, strict=True)
        )

    @property
    def overlapping(self) -> int:
        """How many last beyond the beginning of the next one."""
        spans = self._found()
        return sum(span.end_ns > after.begin_ns for span, after in pairwise(spans))

    def _found(self) -> list[Span]:
        last = [] if self._begun_ns is None else [Span(self._begun_ns, FOREVER_NS)]
        # What is told again while it lasts is longer each time: of one beginning the last counts.
        found = {span.begin_ns: span for span in sorted({*self._spans, *last}, key=_place)}
        return list(found.values())


class Marked:
    """Tells in which of some episodes a moment is."""

    def __init__(self, spans: tuple[Span, ...]) -> None:
        """Take them in order; none lasts beyond the beginning of the next one."""
        self._spans = spans
        self._begins = [span.begin_ns for span in spans]

    def at(self, now_ns: int) -> Span | None:
        """Return the episode at a moment, None between them."""
        number = bisect_right(self._begins, now_ns) - 1
        if number < 0 or now_ns > self._spans[number].end_ns:
            return None
        return self._spans[number]


def _place(span: Span) -> tuple[int, int]:
    return span.begin_ns, span.end_ns


def _told(status: Any, back_ns: int) -> Span:
    values = {pair.key: pair.value for pair in status.values}
    try:
        begin_ns = int(values['began_ns']) + back_ns
        return Span(begin_ns, begin_ns + round(float(values['elapsed_s']) * NS))
    except (KeyError, ValueError, OverflowError) as error:
        raise MessageError(
            f'status {status.name!r} has {sorted(values)}, expected began_ns and elapsed_s'
        ) from error
