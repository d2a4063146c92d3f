"""Who holds the arm: an operator, or the time between two episodes; each ends its own hold."""

from __future__ import annotations

from dataclasses import dataclass
import math

# Whoever asked longer ago may have given up: `mmvae resume` waits for 3 s.
OLD_S = 1.0


@dataclass(slots=True)
class Holds:
    """What outlasts sessions, and what was asked for too early to count.

    Args:
        stopped: By an operator, until he resumes.
        between: Since an episode ended, until the next begins.
        stopped_s: When it was stopped last, on a steady clock.

    """

    stopped: bool = False
    between: bool = False
    stopped_s: float = -math.inf

    def __bool__(self) -> bool:
        """Whether anybody holds it."""
        return self.stopped or self.between

    def stop(self, now_s: float) -> None:
        """Hold for an operator."""
        self.stopped, self.stopped_s = True, now_s

    def why_overtaken(self, asked_since_s: float | None) -> str:
        """Say that a stop, which is served at once, may be newer than what is served now.

        Args:
            asked_since_s: See `Urgency`.

        """
        overtaken = asked_since_s is not None and self.stopped_s >= asked_since_s
        return 'it was stopped meanwhile: ask again' if overtaken else ''

    def why_no_episode(self) -> str:
        """Say why none may end or begin."""
        return 'stopped by an operator, until ~/resume (`mmvae resume`)' if self.stopped else ''


def why_old(now_s: float, asked_since_s: float | None) -> str:
    """Say why an arm must not begin to move: nobody may wait for that any more.

    Args:
        now_s: On a steady clock.
        asked_since_s: See `Urgency`.

    """
    stood_s = 0.0 if asked_since_s is None else now_s - asked_since_s
    if stood_s <= OLD_S:
        return ''
    return f'this may be {stood_s:.1f} s old, for so long the controller stood: ask again'
