"""The observation window: the latest value of each modality at t and t - dt.

The same window serves the robot, the simulation and the recordings, so a model is trained on
what it will meet. It never waits: a topic that died is masked, the others go on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
import math

from mmvae_controller.control.errors import ControlError
from mmvae_controller.modality.observation import (
    empty_values,
    nothing_known,
    Observation,
    PREVIOUS,
    STEPS,
)
from mmvae_controller.modality.spec import Modality
import numpy as np
from numpy.typing import NDArray

NS = 1_000_000_000
_Sample = tuple[int, NDArray[np.generic], bool]
# A picture's contrast is measured on at most about so many rows and columns: on all up to this.
CONTRAST_GRID = 64


class ObservationWindow:
    """Keeps as much of each modality's past as the two slots need."""

    def __init__(
        self,
        modalities: Sequence[Modality],
        step_s: float,
        min_contrast: Mapping[str, float] | None = None,
    ) -> None:
        """Start empty: everything is masked.

        Args:
            modalities: In the order of the model's mask rows.
            step_s: The time between the two slots.
            min_contrast: By image modality, in grey levels; a picture with less shows nothing
                and is masked. Not named, every picture counts.

        """
        self.modalities = tuple(modalities)
        self._min_contrast = dict(min_contrast or {})
        self.step_ns = round(step_s * NS)
        self._by_name = {m.name: m for m in modalities}
        self._max_age_ns = {m.name: round(m.max_age_s * NS) for m in modalities}
        self._samples: dict[str, deque[_Sample]] = {m.name: deque() for m in modalities}
        self._values = empty_values(modalities)

    def clear(self) -> None:
        """Forget everything, as after a reset."""
        for samples in self._samples.values():
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
        with np.errstate(over='ignore'):  # Too large for float32 becomes inf, and is masked.
            kept = np.array(value, dtype=modality.dtype)
        fault = _fault(kept, self._min_contrast.get(name, 0.0))
        samples = self._samples[name]
        if samples and now_ns < samples[-1][0]:
            samples.clear()  # The clock was set back: what was received is from another time.
        if samples and now_ns == samples[-1][0]:
            samples.pop()  # A clock that stands still must not fill the memory.
        samples.append((now_ns, kept, not fault))
        oldest_slot_ns = now_ns - self.step_ns
        while len(samples) > 1 and samples[1][0] <= oldest_slot_ns:
            samples.popleft()
        return fault

    def read(self, now_ns: int) -> Observation:
        """Return the two-step observation at a moment.

        Its arrays are this window's own and are overwritten by the next read. Samples from later
        than now are forgotten: the clock was set back, and they would look new when it gets there.
        """
        for samples in self._samples.values():
            if samples and samples[-1][0] > now_ns:
                samples.clear()
        known = nothing_known(self.modalities)
        age_s = np.full(known.shape, math.inf, dtype=np.float32)
        for row, modality in enumerate(self.modalities):
            for slot in range(STEPS):
                slot_ns = now_ns - (self.step_ns if slot == PREVIOUS else 0)
                sample = self._latest(modality.name, slot_ns)
                if sample is None:
                    continue
                stamp_ns, value, sound = sample
                age_s[row, slot] = (slot_ns - stamp_ns) / NS
                if sound and slot_ns - stamp_ns <= self._max_age_ns[modality.name]:
                    known[row, slot] = True
                    self._values[modality.name][slot] = value
        return Observation(now_ns, self._values, known, age_s)

    def _latest(self, name: str, slot_ns: int) -> _Sample | None:
        for sample in reversed(self._samples[name]):
            if sample[0] <= slot_ns:
                return sample
        return None


def contrast(picture: NDArray[np.uint8]) -> float:
    """Return how much a picture `(H, W, C)` shows: the standard deviation of its grey levels.

    Of every pixel up to 64 x 64; of a larger picture, each k-th row and column.
    """
    rows, columns, channels = picture.shape
    thinned = picture[:: -(-rows // CONTRAST_GRID), :: -(-columns // CONTRAST_GRID)]
    pixels = thinned.reshape(-1, channels).astype(np.float32)
    grey = pixels @ np.full(channels, 1 / channels, dtype=np.float32)
    grey -= grey.mean()
    return math.sqrt(float(grey @ grey) / len(grey))


def _fault(value: NDArray[np.generic], min_contrast: float) -> str:
    """Return what is wrong with a sample, empty if nothing is: here alone it is judged."""
    if value.dtype != np.uint8:
        return '' if np.isfinite(value).all() else 'the last value is not finite'
    if min_contrast <= 0:
        return ''
    shown = contrast(value.view(np.uint8))
    if shown >= min_contrast:
        return ''
    # A covered lens, a saturated or a dead sensor: the model would read it as a scene.
    return f'no contrast ({shown:.1f} grey levels, min_contrast {min_contrast:g})'
