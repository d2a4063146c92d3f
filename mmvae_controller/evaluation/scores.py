"""How far decoded Gaussians are from the truth, and whether they know how far.

Everything is summed batch by batch, so that the memory needed does not grow with the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import math
from statistics import NormalDist

from mmvae_controller.modality.observation import CURRENT, Mask, PREVIOUS, STEPS
import numpy as np
from numpy.typing import NDArray

# Central intervals of a Gaussian that should hold this share of the truth: 5 %, 10 %, ... 95 %.
LEVELS = tuple(round(0.05 * n, 2) for n in range(1, 20))
# Their half widths in standard deviations.
HALF_WIDTHS = np.array([NormalDist().inv_cdf((1 + level) / 2) for level in LEVELS])
HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Whether the decoded standard deviations are as large as the errors.

    Args:
        mean_squared_z: Mean of ((truth - mean) / std)^2: 1 if they are, more if too small.
        coverage: Share of the truth inside the central interval, by its nominal share.
        expected_error: Mean of |coverage - nominal| over `LEVELS`: 0 is calibrated.

    """

    mean_squared_z: float
    coverage: Mapping[float, float]
    expected_error: float


@dataclass(frozen=True, slots=True)
class Score:
    """Of one modality, at one time step or at both; NaN where nothing could be compared.

    Args:
        samples: How many samples of a time step were compared.
        mse: Mean over samples and numbers, in the square of the modality's own unit.
        nll: Negative log-likelihood in nats, summed over the numbers and the steps, mean over
            samples; NaN where no Gaussian was decoded.
        nll_per_dim: The same for each number.
        calibration: None where it was not asked for.

    """

    samples: int
    mse: float
    nll: float
    nll_per_dim: float
    calibration: Calibration | None = None

    @property
    def rmse(self) -> float:
        """In the modality's own unit."""
        return math.sqrt(self.mse)


@dataclass(frozen=True, slots=True)
class Scores:
    """Of one modality: at t-1, at t, and both together."""

    previous: Score
    current: Score
    both: Score

    def masked(self, known: Sequence[bool]) -> Score | None:
        """Return the score of the steps that a mask row hides; None where it hides none."""
        hidden = {
            (False, False): self.both,
            (True, False): self.current,
            (False, True): self.previous,
        }
        return hidden.get((bool(known[0]), bool(known[1])))


class Tally:
    """Counts how far predictions of one modality are from the truth."""

    def __init__(self, calibrated: bool = False) -> None:
        """Begin with nothing; ask for the calibration where the spread means something."""
        self._samples = np.zeros(STEPS, dtype=np.int64)
        self._numbers = np.zeros(STEPS, dtype=np.int64)
        self._squares = np.zeros(STEPS)
        self._nll = np.zeros(STEPS)
        self._squared_z = np.zeros(STEPS)
        self._inside = np.zeros((STEPS, len(LEVELS) + 1), dtype=np.int64)
        self._calibrated = calibrated

    def add(
        self,
        truth: NDArray[np.generic],
        mean: NDArray[np.generic],
        std: NDArray[np.generic] | None,
        present: Mask,
    ) -> None:
        """Add some samples.

        Args:
            truth: `(B, 2, *shape)`.
            mean: Predicted; of the same shape, or of one that is broadcast to it.
            std: The same of its standard deviation; None if it is not that of a Gaussian.
            present: `(B, 2)`: which samples to compare.

        """
        shape = truth.shape
        for step in range(STEPS):
            here = present[:, step]
            wanted = truth[here, step].astype(np.float64)
            error = wanted - np.broadcast_to(mean, shape)[here, step]
            self._samples[step] += len(error)
            self._numbers[step] += error.size
            self._squares[step] += np.sum(error**2)
            if std is not None:
                self._add_spread(step, error, np.broadcast_to(std, shape)[here, step])
            else:
                self._nll[step] = self._squared_z[step] = math.nan

    def _add_spread(self, step: int, error: NDArray[np.float64], std: NDArray[np.generic]) -> None:
        spread = std.astype(np.float64)
        z = error / spread
        squared_z = np.sum(z**2)
        self._squared_z[step] += squared_z
        self._nll[step] += 0.5 * squared_z + np.sum(np.log(spread)) + error.size * HALF_LOG_2_PI
        if self._calibrated:
            interval = np.searchsorted(HALF_WIDTHS, np.abs(z).ravel())
            self._inside[step] += np.bincount(interval, minlength=len(LEVELS) + 1)

    def scores(self) -> Scores:
        """Return what was counted."""
        return Scores(
            self._score([PREVIOUS]), self._score([CURRENT]), self._score([PREVIOUS, CURRENT])
        )

    def _score(self, steps: list[int]) -> Score:
        samples, numbers = self._samples[steps], self._numbers[steps]
        if np.any(samples == 0):
            # Both together need both: the mean of one alone would be compared with another's.
            return Score(int(samples.sum()), math.nan, math.nan, math.nan)
        nll = self._nll[steps]
        return Score(
            int(samples.sum()),
            float(self._squares[steps].sum() / numbers.sum()),
            float((nll / samples).sum()),
            float(nll.sum() / numbers.sum()),
            self._calibration(steps) if self._calibrated and np.all(np.isfinite(nll)) else None,
        )

    def _calibration(self, steps: list[int]) -> Calibration:
        numbers = self._numbers[steps].sum()
        inside = np.cumsum(self._inside[steps].sum(axis=0))[:-1] / numbers
        return Calibration(
            float(self._squared_z[steps].sum() / numbers),
            dict(zip(LEVELS, inside.tolist(), strict=True)),
            float(np.mean(np.abs(inside - LEVELS))),
        )
