"""The observation window: the latest value of each modality at t and t - dt.

The same window serves the robot, the simulation and the recordings, so a model is trained on
what it will meet. It never waits: a topic that died is predicted or masked, the others go on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
import math

from mmvae_controller.control.errors import ControlError
from mmvae_controller.control.soundness import Soundness
from mmvae_controller.modality.observation import (
    CURRENT,
    empty_values,
    Mask,
    nothing_known,
    Observation,
    PREVIOUS,
)
from mmvae_controller.modality.pictures import RANGES
from mmvae_controller.modality.spec import Modality, Role
import numpy as np
from numpy.typing import NDArray

NS = 1_000_000_000
BEGINNING_NS = -(2**63)


class SenseState(StrEnum):
    """Where the model has a sense from.

    MEASURED: from a sample that is new. PREDICTED: it is missing, and was believed so short a time
    ago that the robot may rely on what the model makes of its last samples and of the others.
    MASKED: it is missing, and what the model makes of it is not to be relied on.
    """

    MEASURED = 'measured'
    PREDICTED = 'predicted'
    MASKED = 'masked'


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """What was received, when, and whether it counts."""

    stamp_ns: int
    value: NDArray[np.generic]
    sound: bool


Pair = tuple[Sample | None, Sample | None]


class ObservationWindow:
    """Keeps as much of each modality's past as the two slots need."""

    def __init__(
        self,
        modalities: Sequence[Modality],
        step_s: float,
        min_contrast: Mapping[str, float],
        max_prediction_s: Mapping[str, float] | None = None,
        longest_age_s: Mapping[str, float] | None = None,
        history_s: float = 0.0,
    ) -> None:
        """Start empty: everything is masked.

        Args:
            modalities: In the order of the model's mask rows.
            step_s: The time between the two slots.
            min_contrast: See `Soundness`.
            max_prediction_s: By sense, for how long it counts as predicted when it is missing.
            longest_age_s: By modality, how old samples may be for the model to read them: so long
                the last two of a sense that is predicted are kept, a step apart.
            history_s: How far back `pair` can look, in any case.

        """
        self.modalities = tuple(modalities)
        self.step_ns = round(step_s * NS)
        ranges = {m.name for m in modalities if m.channels in RANGES}
        self._soundness = Soundness(min_contrast, ranges)
        self._by_name = {m.name: m for m in modalities}
        self._max_age_ns = {m.name: round(m.max_age_s * NS) for m in modalities}
        spans = dict(max_prediction_s or {})
        self._span_ns = {name: round(span_s * NS) for name, span_s in spans.items()}
        ages = dict(longest_age_s or {})
        # Those that the model reads when they are old, and up to which age.
        self._kept_ns = {
            name: round(min(span_s, ages[name]) * NS)
            for name, span_s in spans.items()
            if ages.get(name, 0) > self._by_name[name].max_age_s
        }
        self._history_ns = round(history_s * NS)
        self._samples: dict[str, deque[Sample]] = {m.name: deque() for m in modalities}
        self._assumed: dict[str, deque[Sample]] = {}
        self._believed_ns: dict[str, int] = {}
        self._distrusted_ns: dict[str, int] = {}
        self._values = empty_values(modalities)
        # Which slots `(M, 2)` of the last read are new enough to be no prediction.
        self.measured: Mask = nothing_known(modalities)
        self._read_ns = 0

    def clear(self) -> None:
        """Forget everything, as after a reset; also what was blank, and what is distrusted."""
        self._soundness.clear()
        self._believed_ns.clear()
        self._distrusted_ns.clear()
        for samples in (*self._samples.values(), *self._assumed.values()):
            samples.clear()

    def push(self, name: str, value: NDArray[np.generic], now_ns: int) -> str:
        """Take a sample, and judge it: what is unsound is remembered, and masked when read.

        Args:
            name: Its modality.
            value: `(*shape)`; copied.
            now_ns: When it was received, on the clock that `read` is asked with; not its header
                stamp, which another machine's clock or a stopped one may have written.

        Returns:
            Why it will be masked; empty for a sound sample.

        Raises:
            ControlError: No such modality, another shape, or a picture that is not uint8.

        """
        modality = self._by_name.get(name)
        if modality is None:
            raise ControlError(f'no modality {name!r}, there are {list(self._by_name)}')
        if value.shape != modality.shape:
            raise ControlError(f'{name}: shape {value.shape}, expected {modality.shape}')
        if modality.dtype is np.uint8 and value.dtype != np.uint8:
            # A cast would wrap around what does not fit, without a word.
            raise ControlError(f'{name}: {value.dtype} values, expected uint8')
        kept = _kept(value, modality)
        fault = self._soundness.fault(name, kept)
        samples = self._samples[name]
        if samples and now_ns < samples[-1].stamp_ns:
            self._forget(name)  # The clock was set back: what was received is from another time.
        if samples and now_ns == samples[-1].stamp_ns:
            samples.pop()  # A clock that stands still must not fill the memory.
        samples.append(Sample(now_ns, kept, not fault))
        if not fault and name not in self._distrusted_ns:
            self._believed_ns[name] = now_ns
        kept_ns = max(self._kept_ns.get(name, 0), self._history_ns)
        oldest_slot_ns = now_ns - self.step_ns - kept_ns
        while len(samples) > 1 and samples[1].stamp_ns <= oldest_slot_ns:
            samples.popleft()
        return fault

    def assume(self, name: str, value: NDArray[np.generic], now_ns: int) -> None:
        """Note what a sense should say now, for when it says nothing that is believed.

        Args:
            name: The sense, one that is predicted when it is missing.
            value: `(*shape)`; copied.
            now_ns: See `push`.

        """
        if name not in self._span_ns:
            return
        assumed = self._assumed.setdefault(name, deque())
        if assumed and now_ns <= assumed[-1].stamp_ns:
            assumed.clear()
        assumed.append(Sample(now_ns, np.array(value, dtype=self._by_name[name].dtype), True))
        while len(assumed) > 1 and assumed[1].stamp_ns <= now_ns - self.step_ns - self._history_ns:
            assumed.popleft()

    def read(self, now_ns: int) -> Observation:
        """Return the two-step observation at a moment.

        Its arrays are this window's own and are overwritten by the next read. Samples from later
        than now are forgotten: the clock was set back, and they would look new when it gets there.
        """
        for name, samples in self._samples.items():
            if samples and samples[-1].stamp_ns > now_ns:
                self._forget(name)
        known, self.measured = nothing_known(self.modalities), nothing_known(self.modalities)
        self._read_ns = now_ns
        age_s = np.full(known.shape, math.inf, dtype=np.float32)
        for row, modality in enumerate(self.modalities):
            newest_ns = self._max_age_ns[modality.name]
            longest_ns = self._kept_ns.get(modality.name, newest_ns)
            assumed = self._assumed_pair(modality.name, now_ns)
            believed = assumed is None and modality.name not in self._distrusted_ns
            for slot, sample in enumerate(assumed or self.pair(modality.name, now_ns)):
                if sample is None:
                    continue
                age_ns = now_ns - (self.step_ns if slot == PREVIOUS else 0) - sample.stamp_ns
                age_s[row, slot] = age_ns / NS
                if sample.sound and age_ns <= longest_ns:
                    known[row, slot] = True
                    self.measured[row, slot] = believed and age_ns <= newest_ns
                    self._values[modality.name][slot] = sample.value
        return Observation(now_ns, self._values, known, age_s)

    def pair(self, name: str, now_ns: int, before_ns: int | None = None) -> Pair:
        """Return the samples of one modality for t - dt and t; None where there is none.

        Those that are kept are a step apart however old they are: in their difference is what
        moved, and how fast.

        Args:
            name: The modality.
            now_ns: The moment t.
            before_ns: Only samples from before are looked at, a step apart.

        """
        if name not in self._kept_ns and before_ns is None:
            before_step = self._latest(name, now_ns - self.step_ns, sound_only=False)
            return before_step, self._latest(name, now_ns, sound_only=False)
        current = self._latest(name, now_ns if before_ns is None else before_ns)
        if current is None:
            return None, None
        slot_ns = current.stamp_ns - self.step_ns
        previous = self._latest(name, slot_ns)
        if previous is not None and slot_ns - previous.stamp_ns > self._max_age_ns[name]:
            previous = None
        return previous, current

    def _assumed_pair(self, name: str, now_ns: int) -> Pair | None:
        """Return what a sense should have said, if it may be predicted and has to be."""
        assumed = self._assumed.get(name)
        if not assumed or not self._predicts(name, now_ns):
            return None
        believed = self._latest(name, now_ns)
        age_ns = now_ns - believed.stamp_ns if believed is not None else math.inf
        if name not in self._distrusted_ns and age_ns <= self._max_age_ns[name]:
            return None
        return _latest_of(assumed, now_ns - self.step_ns), _latest_of(assumed, now_ns)

    def newest(self, name: str, now_ns: int) -> Sample | None:
        """Return the newest sound sample, distrusted or not; None if it is too old to count."""
        sample = next((s for s in reversed(self._samples[name]) if s.sound), None)
        if sample is None or not 0 <= now_ns - sample.stamp_ns <= self._max_age_ns[name]:
            return None
        return sample

    def states(self) -> dict[str, SenseState]:
        """Return where the model had each sense from, at t of the last read."""
        states = {}
        for row, modality in enumerate(self.modalities):
            if modality.role is not Role.SENSE:
                continue
            if self.measured[row, CURRENT]:
                states[modality.name] = SenseState.MEASURED
            elif self._predicts(modality.name, self._read_ns):
                states[modality.name] = SenseState.PREDICTED
            else:
                states[modality.name] = SenseState.MASKED
        return states

    def distrust(self, name: str, since_ns: int) -> None:
        """Use no sample of a sense from a moment on, also in the past, until it is trusted.

        Believed last was the sound one before, or none that is known of: for how long the sense
        may be predicted counts from there, not from when it was found to lie.
        """
        self._distrusted_ns[name] = since_ns
        believed = self._latest(name, since_ns)
        if believed is None:
            self._believed_ns.pop(name, None)
        else:
            self._believed_ns[name] = believed.stamp_ns

    def trust(self, name: str) -> None:
        """Use its samples again."""
        self._distrusted_ns.pop(name, None)

    def distrusted_since_ns(self, name: str) -> int | None:
        """Return from when on a sense is not believed; None if it is."""
        return self._distrusted_ns.get(name)

    def _predicts(self, name: str, now_ns: int) -> bool:
        """Tell whether a sense was believed so short a time ago that it may be predicted."""
        believed_ns = self._believed_ns.get(name)
        if believed_ns is None or name not in self._span_ns:
            return False
        return now_ns - believed_ns <= self._span_ns[name]

    def _forget(self, name: str) -> None:
        self._samples[name].clear()
        self._assumed.pop(name, None)
        self._believed_ns.pop(name, None)
        if name in self._distrusted_ns:
            self._distrusted_ns[name] = BEGINNING_NS  # Else what it says now were from before.

    def _latest(self, name: str, slot_ns: int, sound_only: bool = True) -> Sample | None:
        distrusted_ns = self._distrusted_ns.get(name)
        for sample in reversed(self._samples[name]):
            if distrusted_ns is not None and sample.stamp_ns >= distrusted_ns:
                continue
            if sample.stamp_ns <= slot_ns and (sample.sound or not sound_only):
                return sample
        return None


def _kept(value: NDArray[np.generic], modality: Modality) -> NDArray[np.generic]:
    if value.dtype == modality.dtype:
        return value.copy()
    with np.errstate(over='ignore'):  # Too large for float32 becomes inf, and is masked.
        return np.array(value, dtype=modality.dtype)


def _latest_of(samples: deque[Sample], slot_ns: int) -> Sample | None:
    return next((s for s in reversed(samples) if s.stamp_ns <= slot_ns), None)
