"""Compares one sense after the other: the same when they are judged and when it is calibrated."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum
from itertools import cycle

from mmvae_controller.control.surprise import Surprise
from mmvae_controller.control.window import ObservationWindow, SenseState
from mmvae_controller.modality.observation import Observation


class Channel(StrEnum):
    """What a sense is compared with.

    PAST: what the model expects of it, from what the others say now and it said a while ago.
    OTHERS: the same from what the others say alone, while there is no such past: weaker.
    FOLLOWING: the set-point that was sent, of the joints that should be there, in rad.
    """

    PAST = 'past'
    OTHERS = 'others'
    FOLLOWING = 'following'


class Rota:
    """Whose turn it is to be compared."""

    def __init__(
        self, surprise: Surprise, window: ObservationWindow, names: Sequence[str]
    ) -> None:
        """Begin with the first of some senses."""
        self._surprise = surprise
        self._window = window
        self._names = tuple(names)
        self._turns = cycle(names)
        self._compared_ns: dict[str, int] = {}

    def clear(self) -> None:
        """Take every sample for new."""
        self._compared_ns.clear()

    def next(
        self,
        seen: Observation,
        urgent: str | None = None,
        anyway: Collection[str] = (),
    ) -> tuple[str, Channel, float] | None:
        """Compare the next sense that says something new.

        Args:
            seen: The last observation read from the window.
            urgent: A sense that is compared out of turn, with what the others say alone: it must
                not vouch for itself.
            anyway: Senses that are compared though others are missing. How surprising a sense is
                then was never measured, so all the rest are not. With an urgent sense that cannot
                be compared, it is their turn, or they would be missing for ever.

        Returns:
            The sense, what it was compared with, and its surprise; None if none was compared.

        """
        waiting = urgent in self._names
        if urgent is not None and waiting:
            compared = self._compare(urgent, seen, urgent in anyway, alone=True)
            if compared is not None:
                return compared
        for name in (next(self._turns) for _ in self._names):
            if waiting and (name == urgent or name not in anyway):
                continue
            compared = self._compare(name, seen, name in anyway)
            if compared is not None:
                return compared
        return None

    def _compare(
        self, name: str, seen: Observation, anyway: bool = False, alone: bool = False
    ) -> tuple[str, Channel, float] | None:
        newest = self._window.newest(name, seen.stamp_ns)
        if newest is None or newest.stamp_ns == self._compared_ns.get(name):
            return None  # Silence is no lie, and what was said once is evidence once.
        if not (anyway or others_measured(self._window, name)):
            return None
        past = not alone and self._surprise.has_past(name, self._window, seen.stamp_ns)
        surprise = self._surprise.of(name, self._window, seen, past=past)
        if surprise is None:
            return None
        self._compared_ns[name] = newest.stamp_ns
        return name, Channel.PAST if past else Channel.OTHERS, surprise


def others_measured(window: ObservationWindow, name: str) -> bool:
    """Tell whether all senses but one were measured when the window was last read."""
    states = window.states()
    return all(s is SenseState.MEASURED for n, s in states.items() if n != name)
