"""Measures how surprising each sense is while nothing is wrong, and what test that allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
import math

from mmvae_controller.control.cusum import Cusum, LARGEST_EVIDENCE, SMALLEST_SURPRISE, SoundRunning
from mmvae_controller.control.errors import ControlError
from mmvae_controller.control.rota import Channel, Rota
from mmvae_controller.control.surprise import Surprise
from mmvae_controller.control.trust import strayed
from mmvae_controller.control.window import ObservationWindow
from mmvae_controller.modality.observation import Observation
from mmvae_controller.modality.robot import Robot
import numpy as np
from numpy.typing import NDArray

# Of the surprises of sound running, up to which there is no evidence; the first of them, or
# another that finds more. Where rare surprises come one after another, as in an odd posture, a low
# level makes long sums. What joints are vouched by is not made looser for it.
LEVEL_QUANTILES = {
    Channel.PAST: (0.9, 0.95, 0.97, 0.99),
    Channel.OTHERS: (0.9,),
    Channel.FOLLOWING: (0.9,),
}
# Of sound running there is on average .1 at most, one surprise in ten exceeding the level by 1.
ALLOWANCE = 0.5
# Samples of one sense in about half a second, in which a fault is to be found.
SOON = 6
# Episodes that were simulated in step are more alike than a robot's day. A joint has to stray e
# times as far as usual to be as rare as 1 in e^2, or a busy computer would look like a lie.
SMALLEST_SCALE = {Channel.PAST: 0.07, Channel.OTHERS: 0.07, Channel.FOLLOWING: 0.5}
# Of the largest sums of the runs, from which on they are taken as an exponential tail.
TAIL_QUANTILE = 0.8
# The threshold is so many times the largest sum that was seen, and at least so many times the
# largest piece of evidence: so many samples raise no alarm. In the beginning, with no past to go
# by, the model knows least.
MARGIN = 1.7
FEWEST = {Channel.PAST: 3.0, Channel.OTHERS: 5.0, Channel.FOLLOWING: 3.0}
Series = Mapping[str, Mapping[Channel, list[float]]]


class Listener:
    """Believes every sense, and notes what speaks against each; stands in for a `Trust`."""

    def __init__(self, surprise: Surprise, window: ObservationWindow, robot: Robot) -> None:
        """Listen to the senses that are compared."""
        self._anchor = robot.anchor
        self._names = [n for n, source in robot.sources.items() if source.compared]
        self._rota = Rota(surprise, window, self._names)
        self.noted: dict[str, dict[Channel, list[float]]] = {}
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self._rota.clear()
        self.noted = {name: {Channel.PAST: [], Channel.OTHERS: []} for name in self._names}
        if self._anchor in self.noted:
            self.noted[self._anchor][Channel.FOLLOWING] = []

    def why(self, name: str) -> str:
        """Return nothing: it is believed."""
        return ''

    def doubts(self, name: str) -> bool:
        """Return that it is believed."""
        return False

    def evidence(self, name: str) -> float | None:
        """Return nothing: it is not judged."""
        return None

    def check(
        self,
        observation: Observation,
        strayed_rad: NDArray[np.float64] | None,
        urgent: str | None = None,
        anyhow: bool = False,
    ) -> None:
        """Note what `Trust.check` would judge."""
        if strayed_rad is not None and self._anchor in self.noted:
            self.noted[self._anchor][Channel.FOLLOWING].append(strayed(strayed_rad))
        compared = self._rota.next(observation, urgent)
        if compared is not None:
            name, channel, surprise = compared
            self.noted[name][channel].append(surprise)


@dataclass(frozen=True, slots=True, eq=False)
class Listening:
    """A `Comparison` that only listens."""

    surprise: Surprise

    def trust(self, window: ObservationWindow, robot: Robot) -> Listener:
        """Return what notes."""
        return Listener(self.surprise, window, robot)


def fit(
    channel: Channel, runs: Sequence[Sequence[float]], hours: float, alarms_per_hour: float
) -> SoundRunning:
    """Return the test that raises so many false alarms and finds the most in half a second.

    How rare a surprise is follows from the spread of what exceeds the level: the tail of the
    logarithm is taken as exponential. The sum's threshold follows from the largest sums of the
    runs, whose tail is taken as exponential too; it is where as many runs would get as false
    alarms are allowed, and further where sound running itself got further. Of several levels that
    one is taken with which the smallest steady surprise is found in `SOON` samples.

    Args:
        channel: What was compared.
        runs: Surprises of sound running, run by run, in order.
        hours: How long the runs lasted together.
        alarms_per_hour: How many false alarms are allowed.

    Raises:
        ControlError: There is too little to measure.

    """
    whole = np.concatenate([np.asarray(run) for run in runs])
    logarithms = np.log(np.maximum(whole, SMALLEST_SURPRISE))
    if len(logarithms) < 100 or len(runs) < 10 or not np.isfinite(logarithms).all():
        raise ControlError(
            f'{len(whole)} surprises in {len(runs)} runs, expected at least 100 finite ones in '
            '10: give more --episodes'
        )
    fitted = []
    for quantile in LEVEL_QUANTILES[channel]:
        level = float(np.quantile(logarithms, quantile))
        beyond = logarithms[logarithms > level] - level
        scale = max(float(beyond.mean()) if beyond.size else 0.0, SMALLEST_SCALE[channel])
        unbounded = SoundRunning(level, scale, ALLOWANCE, math.inf)
        largest = [_largest_sum(run, unbounded) for run in runs]
        fewest = FEWEST[channel] * LARGEST_EVIDENCE
        threshold = max(_threshold(largest, hours, alarms_per_hour), fewest)
        fitted.append(replace(unbounded, threshold=threshold))
    return min(fitted, key=_found_soon)


def _threshold(largest: Sequence[float], hours: float, alarms_per_hour: float) -> float:
    begin = float(np.quantile(largest, TAIL_QUANTILE))
    beyond = [m - begin for m in largest if m > begin]
    spread = sum(beyond) / len(beyond) if beyond else 0.0
    rate_per_hour = len(beyond) / hours
    threshold = begin + spread * math.log(max(rate_per_hour / alarms_per_hour, 1.0))
    return max(threshold, MARGIN * max(largest))


def _found_soon(sound: SoundRunning) -> tuple[float, float]:
    """Return what is short of an alarm in `SOON` samples, and which surprise raises it."""
    evidence = sound.allowance + sound.threshold / SOON
    return max(evidence - LARGEST_EVIDENCE, 0.0), sound.level + sound.scale * evidence


def _largest_sum(run: Sequence[float], sound: SoundRunning) -> float:
    cusum, largest = Cusum(sound), 0.0
    for number, surprise in enumerate(run):
        cusum.add(surprise, number)
        largest = max(largest, cusum.total)
    return largest
