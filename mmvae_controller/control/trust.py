"""Which senses are believed: one that goes on contradicting the others is lying.

A lying sense is distrusted from the moment on at which it most likely began; what it said before
stays, so that the model can predict from it. It goes on being compared, and is believed again once
it has agreed for a while. That while doubles with each relapse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mmvae_controller.control.cusum import Cusum, SoundRunning
from mmvae_controller.control.pace import AtMost
from mmvae_controller.control.rota import Channel, others_measured, Rota
from mmvae_controller.control.surprise import Surprise
from mmvae_controller.control.window import BEGINNING_NS, NS, ObservationWindow
from mmvae_controller.modality.observation import Observation
import numpy as np
from numpy.typing import NDArray

AGREE_S = 0.5
LONGEST_AGREE_S = 8.0
# After so long without a relapse the while is a short one again.
FORGIVEN_AFTER_S = 30.0
# So often in a row a sense has to agree before an arm is told to stay where it says.
VOUCHED = 3
# As rare as 1 in e^3 of sound running: what is rarer still does not vouch for anything.
VOUCHING_EVIDENCE = 3.0
# What speaks against a sense counts for when its lie began from this share of an alarm on.
SPEAKS = 0.5

Sound = Mapping[str, Mapping[Channel, SoundRunning]]
# The model is asked in one of two ways, never in both: either can agree for it.
SIDE = {
    Channel.PAST: Channel.PAST,
    Channel.OTHERS: Channel.PAST,
    Channel.FOLLOWING: Channel.FOLLOWING,
}

REFERENCE = {
    Channel.PAST: 'the other senses and its own past',
    Channel.OTHERS: 'the other senses',
    Channel.FOLLOWING: 'what was commanded',
}


@dataclass(slots=True)
class _Sense:
    cusums: dict[Channel, Cusum]
    why: str = ''
    agrees: dict[Channel, bool] = field(default_factory=dict)
    agrees_since_ns: int | None = None
    agree_ns: int = round(AGREE_S * NS)
    heard_ns: int = BEGINNING_NS
    trusted_ns: int | None = None
    agreed: int = 0
    ever_agreed: bool = False

    def clear(self) -> None:
        """Let nothing speak against it."""
        for cusum in self.cusums.values():
            cusum.clear()

    def begin(self) -> None:
        """Know nothing of it; if it is distrusted it remains so."""
        self.clear()
        self.agreed, self.ever_agreed = 0, False
        self.agrees_since_ns, self.heard_ns = None, BEGINNING_NS

    def since_ns(self, now_ns: int) -> int:
        """Return when that most likely began which speaks against it.

        Before everything if it never agreed: what it said then is no better.
        """
        if not self.ever_agreed:
            return BEGINNING_NS
        loud = [c.since_ns for c in self.cusums.values() if c.share >= SPEAKS]
        return min((ns for ns in loud if ns is not None), default=now_ns)


def strayed(strayed_rad: NDArray[np.float64]) -> float:
    """Return how far joints are from their set-point, as one number: the farthest, in rad."""
    return float(np.abs(strayed_rad).max())


class Trust:
    """Compares one sense at a time, in turn: a little work after each tick."""

    def __init__(
        self,
        surprise: Surprise,
        sound: Sound,
        window: ObservationWindow,
        at_most: AtMost | None = None,
    ) -> None:
        """Believe everything.

        Args:
            surprise: What is expected.
            sound: By sense and channel, how surprising it is while nothing is wrong; senses that
                are not named are believed whatever they say.
            window: Where they say it, and are distrusted.
            at_most: How often to compare; None does whenever asked to. Evidence is counted by
                the comparison: more often than where it was measured, false alarms are too.

        """
        self._at_most = at_most
        self._surprise = surprise
        self._sound = sound
        self._window = window
        self._senses: dict[str, _Sense] = {}
        self._rota = Rota(surprise, window, list(sound))
        self.clear()

    def clear(self) -> None:
        """Begin anew, believing everything."""
        for name in self._sound:
            self._window.trust(name)
        self._rota.clear()
        self._strayed_rad: NDArray[np.float64] | None = None
        self._checked_ns = BEGINNING_NS
        self._senses = {
            name: _Sense({channel: Cusum(sound) for channel, sound in channels.items()})
            for name, channels in self._sound.items()
        }

    def _begin(self) -> None:
        """Let nothing speak against any sense; who is distrusted remains so."""
        self._rota.clear()
        self._strayed_rad = None
        for sense in self._senses.values():
            sense.begin()

    def why(self, name: str) -> str:
        """Return why a sense is distrusted; empty if it is believed."""
        return self._senses[name].why if name in self._senses else ''

    def doubts(self, name: str) -> bool:
        """Tell whether a sense can be compared with the others alone, and has not agreed yet."""
        sense = self._senses.get(name)
        return sense is not None and Channel.OTHERS in sense.cusums and sense.agreed < VOUCHED

    def evidence(self, name: str) -> float | None:
        """Return how much speaks against a sense, 1 at the alarm; None if it is not compared."""
        sense = self._senses.get(name)
        if sense is None:
            return None
        return max(c.share for c in sense.cusums.values())

    def check(
        self,
        observation: Observation,
        strayed_rad: NDArray[np.float64] | None,
        urgent: str | None = None,
        anyhow: bool = False,
    ) -> None:
        """Compare the next sense.

        Args:
            observation: The last one read from the window.
            strayed_rad: By how much the commanded joints are measured away from their set-point
                `(D,)`; None while there is none.
            urgent: A sense that is compared out of turn.
            anyhow: Compare that one with those that are measured, though others are missing.

        """
        now_ns = observation.stamp_ns
        if now_ns < self._checked_ns:
            self._begin()  # The clock was set back: what spoke against a sense is to come.
        self._checked_ns = now_ns
        if strayed_rad is not None:
            self._strayed_rad = strayed_rad
        if self._at_most is not None and not self._at_most.due(now_ns):
            return
        # Of what came since the last comparison: joints that are slower than the loop are new at
        # other ticks than those that compare.
        strayed_rad, self._strayed_rad = self._strayed_rad, None
        if urgent is None:
            for sense in self._senses.values():
                sense.agreed = 0
        if strayed_rad is not None:
            for name, sense in self._senses.items():
                if Channel.FOLLOWING in sense.cusums:
                    self._hear(name, Channel.FOLLOWING, strayed(strayed_rad), observation)
        anyway = {name for name, sense in self._senses.items() if sense.why and name != urgent}
        if urgent is not None and anyhow:
            anyway.add(urgent)
        compared = self._rota.next(observation, urgent, anyway)
        if compared is None or compared[1] not in self._senses[compared[0]].cusums:
            return
        name, channel, surprise = compared
        if name == urgent:
            sense = self._senses[name]
            vouched = sense.cusums[channel].sound.evidence(surprise) <= VOUCHING_EVIDENCE
            sense.agreed = sense.agreed + 1 if vouched else 0
            if not others_measured(self._window, name):
                return  # How surprising that is was never measured: nobody is accused of it.
        self._hear(name, channel, surprise, observation)

    def _hear(self, name: str, channel: Channel, surprise: float, seen: Observation) -> None:
        sense = self._senses[name]
        cusum = sense.cusums[channel]
        alarm = cusum.add(surprise, seen.stamp_ns)
        sense.ever_agreed = sense.ever_agreed or cusum.total == 0
        if sense.why:
            sense.agrees[SIDE[channel]] = cusum.agrees(surprise)
            self._reconsider(name, sense, seen.stamp_ns)
        elif alarm:
            since_ns = sense.since_ns(seen.stamp_ns)
            self._accuse(self._culprit(name, channel, seen), since_ns, seen.stamp_ns)
        sense.heard_ns = seen.stamp_ns

    def _culprit(self, name: str, channel: Channel, seen: Observation) -> str:
        """Return the sense that is lying when one is contradicted.

        A lie makes others surprising too. It is another one, if without it this one is as
        expected, and it is not as expected without this one.
        """
        if channel is Channel.FOLLOWING:
            return name
        others = [n for n, s in self._senses.items() if n != name and not s.why]
        for other in others:
            if self._agrees_without(name, other, seen) and not self._agrees_without(
                other, name, seen
            ):
                return other
        return name

    def _agrees_without(self, name: str, other: str, seen: Observation) -> bool:
        """Tell whether a sense is as expected when another one is left out."""
        has_past = self._surprise.has_past(name, self._window, seen.stamp_ns)
        cusum = self._senses[name].cusums.get(Channel.PAST if has_past else Channel.OTHERS)
        surprise = self._surprise.of(name, self._window, seen, past=has_past, without=other)
        return cusum is None or surprise is None or cusum.agrees(surprise)

    def _accuse(self, name: str, since_ns: int, now_ns: int) -> None:
        """Distrust a sense, from when on it contradicted, or another one did because of it."""
        sense = self._senses[name]
        channel = max(sense.cusums, key=lambda c: sense.cusums[c].share)
        sense.why = f'contradicts {REFERENCE[channel]}'
        sense.agrees = {SIDE[c]: False for c in sense.cusums}
        sense.agrees_since_ns = None
        if sense.trusted_ns is None or now_ns - sense.trusted_ns > FORGIVEN_AFTER_S * NS:
            sense.agree_ns = round(AGREE_S * NS)
        self._window.distrust(name, min(since_ns, sense.since_ns(now_ns)))
        for other, innocent in self._senses.items():
            if other != name and not innocent.why:
                innocent.clear()  # What spoke against it may have been the lie.

    def _reconsider(self, name: str, sense: _Sense, now_ns: int) -> None:
        """Believe a sense again that has agreed for a while; silence is no agreement."""
        silent = not 0 <= now_ns - sense.heard_ns <= AGREE_S * NS
        if not all(sense.agrees.values()):
            sense.agrees_since_ns = None
        elif sense.agrees_since_ns is None or silent:
            sense.agrees_since_ns = now_ns
        elif now_ns - sense.agrees_since_ns >= sense.agree_ns:
            sense.why = ''
            sense.trusted_ns = now_ns
            sense.agree_ns = min(2 * sense.agree_ns, round(LONGEST_AGREE_S * NS))
            sense.clear()
            self._window.trust(name)
