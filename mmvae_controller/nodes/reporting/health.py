"""How the controller's parts are doing, counted as they work and told as statuses."""

from __future__ import annotations

from collections import Counter, deque
import math

from mmvae_controller.control.gate import Decision, Reason
from mmvae_controller.control.set_point import LET_GO
from mmvae_controller.control.tick import Sensed, Tick
from mmvae_controller.control.window import NS, SenseState
from mmvae_controller.guidance.help import Help
from mmvae_controller.modality.observation import CURRENT, PREVIOUS
from mmvae_controller.modality.spec import Modality
from mmvae_controller.nodes.reporting.rates import MEMORY_S, rate_hz
from mmvae_controller.nodes.reporting.status import HOLDING, Level, Status
import numpy as np

NS_PER_MS = 1_000_000
RATE_SAMPLES = 50
REJECTED = 'rejected'
# Of a gate that holds, what else than its senses is to be looked at.
WHERE = {
    Reason.UNCERTAIN: Help.ARM_IS_SLOW,
    Reason.WATCHDOG: Help.CLOCK_STANDS,
    Reason.CLOCK: Help.CLOCK_STANDS,
    Reason.NO_GOAL: Help.NO_GOAL,
}
# One late tick is the operating system's; more than this share is the controller's.
MISSED_SHARE = 0.05


class InputHealth:
    """One sense: what came, what was refused, and what the window made of it."""

    def __init__(self, modality: Modality, topic: str) -> None:
        """Start with nothing received."""
        self.modality = modality
        self.topic = topic
        self.rejected = 0
        self.trouble = ''
        self._faulty = False
        self._received = 0
        self._stamps_ns: deque[int] = deque(maxlen=RATE_SAMPLES)

    def accept(self, now_ns: int, fault: str = '') -> None:
        """Note a sample, and why the window will mask it; empty if it will not."""
        self._received += 1
        if self._stamps_ns and now_ns < self._stamps_ns[-1]:
            self._stamps_ns.clear()
        self._stamps_ns.append(now_ns)
        self.trouble = fault
        self._faulty = bool(fault)

    def reject(self, text: str) -> None:
        """Note a message that was no sample."""
        self.rejected += 1
        self.trouble = f'{REJECTED}: {text}'
        self._faulty = False

    def status(self, now_ns: int, sensed: Sensed | None) -> Status:
        """Tell how it is.

        Args:
            now_ns: On the clock of the loop.
            sensed: What the last tick made of it; None while nothing is observed.

        """
        age_s = (now_ns - self._stamps_ns[-1]) / NS if self._stamps_ns else math.inf
        level, message = self._judgement(age_s, sensed)
        known = sensed.known if sensed else (False, False)
        evidence = sensed.evidence if sensed else None
        return Status(
            f'input {self.modality.name}',
            level,
            message,
            {
                'topic': self.topic,
                'state': sensed.state if sensed else 'not judged',
                'evidence against it': 'not compared' if evidence is None else evidence,
                'age_s': age_s,
                'rate_hz': rate_hz([s / NS for s in self._stamps_ns], now_ns / NS),
                'received': self._received,
                'rejected': self.rejected,
                'known at t': bool(known[CURRENT]),
                'known at t-1': bool(known[PREVIOUS]),
                'last trouble': self.trouble or 'none',
            },
            self._section(sensed),
        )

    def _section(self, sensed: Sensed | None) -> Help:
        if sensed is not None and sensed.why:
            return Help.SENSE_IS_DISTRUSTED
        return Help.SENSE_IS_MASKED if self._stamps_ns or self.rejected else Help.NO_MESSAGE

    def _judgement(self, age_s: float, sensed: Sensed | None) -> tuple[Level, str]:
        if sensed is not None and sensed.state is SenseState.MEASURED:
            return Level.OK, 'known'
        reason = self._reason(age_s, sensed)
        if not reason:
            return Level.OK, 'received, not judged' if sensed is None else 'received'
        if sensed is None or not self._stamps_ns or reason.startswith(REJECTED):
            return Level.WARN, reason
        return Level.WARN, f'{reason}: {sensed.state}'

    def _reason(self, age_s: float, sensed: Sensed | None) -> str:
        """Return why it is not known; empty if nothing speaks against it."""
        if sensed is not None and sensed.why:
            return sensed.why
        old = age_s > self.modality.max_age_s
        # What was wrong with a sample is no reason any more once it is too old in any case.
        if self.trouble and not (old and self._faulty):
            return self.trouble
        if not self._stamps_ns:
            return f'no message on topic {self.topic} yet'
        if not old:
            return ''
        return (
            f'last message on {self.topic} {age_s:.2f} s ago, '
            f'max_age_s {self.modality.max_age_s:g}'
        )


class LoopHealth:
    """The control loop of one activation: how long its ticks take, how many it missed."""

    def __init__(self, rate_hz: float) -> None:
        """Start with no tick."""
        self._period_ns = NS / rate_hz
        self._memory = math.ceil(rate_hz * MEMORY_S)
        self._took_ns: deque[int] = deque(maxlen=self._memory)
        self._sent_ns: deque[int] = deque(maxlen=self._memory)
        self._missed: deque[int] = deque(maxlen=self._memory)
        self._last_ns: int | None = None
        self._ticks = 0
        self._missed_in_all = 0
        self._error = ''
        self._errors = 0
        self._error_tick = 0

    def tick(self, now_ns: int, took_ns: int, sent_ns: int) -> None:
        """Note a tick.

        Args:
            now_ns: When, on the clock that drives the loop.
            took_ns: How long it took by a steady clock, with all that it published.
            sent_ns: How long until the command was out.

        """
        periods = 0 if self._last_ns is None else (now_ns - self._last_ns) / self._period_ns
        # A clock that jumps by an hour has not missed an hour of ticks.
        missed = min(max(0, round(periods) - 1), self._memory)
        self._last_ns = now_ns
        self._ticks += 1
        self._missed_in_all += missed
        self._missed.append(missed)
        self._took_ns.append(took_ns)
        self._sent_ns.append(sent_ns)

    def fail(self, error: Exception) -> None:
        """Note an exception in the tick."""
        self._error = f'{type(error).__name__}: {error}'
        self._errors += 1
        self._error_tick = self._ticks

    def status(self, still_s: float | None) -> Status:
        """Tell how it is.

        Args:
            still_s: For how long the watchdog has seen no tick; None when it is content.

        """
        # Both at once: this is looked at twenty times a second, beside the loop itself.
        times_ms = np.array([self._took_ns or [0], self._sent_ns or [0]]) / NS_PER_MS
        (p50, command_p50), (p99, command_p99) = np.percentile(times_ms, (50, 99), axis=1).tolist()
        period_ms = self._period_ns / NS_PER_MS
        missed = sum(self._missed)
        due = len(self._missed) + missed
        level, message = Level.OK, f'{NS / self._period_ns:g} Hz'
        section = Help.ARM_IS_JERKY
        if still_s is not None:
            level, section = Level.ERROR, Help.CLOCK_STANDS
            message = f'no tick for {still_s:.2f} s: watchdog holds; does the clock advance?'
        elif self._error and self._ticks - self._error_tick < self._memory:
            level, message = Level.ERROR, f'exception in the tick: {self._error}'
            section = Help.ARM_HOLDS
        elif p99 > period_ms:
            level, message = Level.WARN, f'ticks take {p99:.1f} ms, the period is {period_ms:.1f}'
        elif missed > MISSED_SHARE * due:
            level, message = Level.WARN, f'{missed} of the last {due} ticks missed'
        return Status(
            'loop',
            level,
            message,
            {
                'state': 'active',
                'rate_hz': NS / self._period_ns,
                'tick p50 ms': p50,
                'tick p99 ms': p99,
                'command p50 ms': command_p50,
                'command p99 ms': command_p99,
                'ticks': self._ticks,
                'missed ticks': self._missed_in_all,
                'errors': self._errors,
                'last error': self._error or 'none',
            },
            section,
        )


class GateHealth:
    """The command gate: what it let through, what it changed and why."""

    def __init__(self) -> None:
        """Start with nothing judged."""
        self._counts: Counter[Reason] = Counter()
        self._sent = 0
        self._held = 0
        self._last: Decision | None = None
        self._missing: tuple[str, ...] = ()
        self._idle = 'no tick yet'

    def judge(self, tick: Tick) -> None:
        """Note what a tick led to."""
        self._missing = tick.missing
        self._idle = tick.idle
        if tick.decision is None:
            self._last = None
            self._counts[Reason.NO_ANCHOR] += 1
        else:
            self.send(tick.decision)

    def send(self, decision: Decision) -> None:
        """Note a decision that was sent."""
        self._last = decision
        self._sent += 1
        self._held += decision.holding
        self._counts.update(decision.reasons)

    def status(self) -> Status:
        """Tell how it is."""
        last = self._last
        reasons = ', '.join(last.reasons) if last else Reason.NO_ANCHOR.value
        level, message = Level.OK, f'limited: {reasons}' if reasons else 'commands pass'
        section = Help.ARM_HOLDS
        if last is None:
            level, section = Level.WARN, Help.NO_SET_POINT
            message = f'no set-point: {self._idle}; nothing is commanded'
            if self._idle.endswith(LET_GO):
                section = Help.LET_GO
        elif last.holding:
            level, message = Level.WARN, f'{HOLDING}: {reasons}'
            section = next((WHERE[r] for r in last.reasons if r in WHERE), section)
            if self._missing:
                message += f'; required senses missing: {", ".join(self._missing)}'
        return Status(
            'gate',
            level,
            message,
            {
                'last reasons': reasons or 'none',
                'missing': ', '.join(self._missing) or 'none',
                'sent': self._sent,
                'held': self._held,
                **{f'count {r}': self._counts[r] for r in Reason},
            },
            section,
        )
