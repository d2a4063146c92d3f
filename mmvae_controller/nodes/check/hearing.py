"""Notes what comes of one sense, and sums it up; no ROS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from mmvae_controller.control.soundness import contrast, contrast_of_returns, Soundness
from mmvae_controller.modality.pictures import RANGES
from mmvae_controller.modality.robot import InputMessage, Source
from mmvae_controller.modality.spec import Encoder, Modality
from mmvae_controller.nodes.check.facts import Heard
from mmvae_controller.senses.errors import MessageError
from mmvae_controller.senses.headers import read_header
from mmvae_controller.senses.reading import read_sense
import numpy as np

# So long a publisher that is known may take to be connected, on a busy machine; only then its
# silence is its own. A slow sense is found all the same, by the gaps between its samples.
DISCOVERY_S = 3.0
# Two samples in a row are no trend.
TREND = 3


@dataclass(frozen=True, slots=True)
class _Sample:
    steady_s: float
    sound: bool


class Hearing:
    """Judges each message as the controller would, and counts."""

    def __init__(self, modality: Modality, source: Source) -> None:
        """Start with nothing heard."""
        bound = source.min_contrast
        self._modality, self._source = modality, source
        bounds = {} if bound is None else {modality.name: bound}
        is_range = modality.channels in RANGES
        self._soundness = Soundness(bounds, {modality.name} if is_range else ())
        self._contrast_of = contrast_of_returns if is_range else contrast
        self._samples: list[_Sample] = []
        self._refused = 0
        self._refusal = self._fault = self._encoding = self._picture = ''
        # Of those with a stamp: when they came, and how long after it.
        self._delays_s: list[tuple[float, float]] = []
        self._waits_s: list[float] = []
        self._names: tuple[str, ...] = ()
        self._size: tuple[int, int] | None = None
        self._contrast: float | None = None
        self._values: dict[str, float] = {}

    def hear(
        self, message: Any, steady_s: float, waited_s: float | None, delay_s: float | None
    ) -> None:
        """Take a message.

        Args:
            message: Of the type that the source names.
            steady_s: When it was received, on a steady clock.
            waited_s: How long it lay in the middleware; None if nobody knows.
            delay_s: Since the stamp in its header; None if it has none.

        """
        if waited_s is not None:
            self._waits_s.append(waited_s)
        if delay_s is not None:
            self._delays_s.append((steady_s, delay_s))
        self._look(message)
        try:
            value = read_sense(message, self._modality, self._source)
        except MessageError as error:
            self._refused += 1
            self._refusal = self._refusal or str(error)
            return
        fault = self._soundness.fault(self._modality.name, value)
        self._fault = self._fault or fault
        self._samples.append(_Sample(steady_s, not fault))
        if self._modality.encoder is Encoder.IMAGE:
            shown = self._contrast_of(value.view(np.uint8))
            self._contrast = shown if self._contrast is None else min(shown, self._contrast)
        elif not fault:
            numbers = np.asarray(value, dtype=np.float64).ravel().tolist()
            self._values = dict(zip(self._modality.channels, numbers, strict=True))

    def heard(
        self,
        now_s: float,
        began_s: float | None = None,
        time_at: Callable[[float], float] = float,
    ) -> Heard:
        """Sum up.

        Args:
            now_s: On the same steady clock.
            began_s: When its publisher was known, on it; None counts from the first sample.
            time_at: What the clock of the controller says at a moment of it.

        """
        times_s = [time_at(s.steady_s) for s in self._samples]
        spans_s = [b - a for a, b in pairwise([*times_s, time_at(now_s)])]
        between_s = times_s[-1] - times_s[0] if len(times_s) > 1 else 0.0
        late_s = 0.0
        if began_s is not None and times_s:
            late_s = max(0.0, times_s[0] - time_at(began_s + DISCOVERY_S))
        return Heard(
            received=len(self._samples) + self._refused,
            refused=self._refused,
            refusal=self._refusal,
            unsound=sum(not s.sound for s in self._samples),
            fault=self._fault,
            rate_hz=(len(times_s) - 1) / between_s if between_s > 0 else None,
            longest_gap_s=max(spans_s, default=None),
            late_s=late_s,
            masked_share=self._masked_share(spans_s, late_s),
            delay_s=median(delay_s for _, delay_s in self._delays_s) if self._delays_s else None,
            delay_pace=self._delay_pace(),
            waited_s=median(self._waits_s) if self._waits_s else None,
            names=self._names,
            picture=self._picture,
            size=self._size,
            encoding=self._encoding,
            contrast=self._contrast,
            values=self._values,
        )

    def _delay_pace(self) -> float:
        """Return by how many seconds the delay grows in a second."""
        if len(self._delays_s) < TREND:
            return 0.0
        (first_s, early_s), (last_s, now_s) = self._delays_s[0], self._delays_s[-1]
        return (now_s - early_s) / (last_s - first_s) if last_s > first_s else 0.0

    def _masked_share(self, spans_s: list[float], late_s: float) -> float:
        """Return the share of time without a sound sample that is fresh; 1 without any."""
        total_s = sum(spans_s) + late_s
        if total_s <= 0:
            return 1.0
        masked_s = late_s + sum(
            max(0.0, span_s - self._modality.max_age_s) if sample.sound else span_s
            for sample, span_s in zip(self._samples, spans_s, strict=True)
        )
        return masked_s / total_s

    def _ours(self, names: tuple[str, ...]) -> tuple[int, int]:
        return len(set(names) & set(self._modality.channels)), len(names)

    def _look(self, message: Any) -> None:
        """Note what a message is, whether or not it is what was expected."""
        if self._source.message is InputMessage.JOINT_STATE:
            # Several nodes may publish joints, each its own: what counts is who has ours.
            self._names = max(self._names, tuple(message.name), key=self._ours)
        elif self._source.message is InputMessage.IMAGE and not self._picture:
            self._size = (message.height, message.width)
            self._encoding = message.encoding
        elif self._source.message is InputMessage.COMPRESSED_IMAGE and not self._picture:
            try:
                header = read_header(bytes(memoryview(message.data)))
            except MessageError:
                return  # `read_sense` says it.
            self._size, self._encoding = (header.height, header.width), header.codec
        if self._size is not None and not self._picture:
            self._picture = f'{self._size[1]} x {self._size[0]} {self._encoding}'
