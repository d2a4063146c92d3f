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
from mmvae_controller.modality.robot import CONTRAST_MARGIN
from mmvae_controller.modality.spec import Modality
import numpy as np
from numpy.typing import NDArray

NS = 1_000_000_000
_Sample = tuple[int, NDArray[np.generic], bool]
# A picture's contrast is that of at most so many rows and columns of blocks.
CONTRAST_GRID = 32
# So many rows of 255 are the most that fits into 16 bits.
LARGEST_BLOCK = 257


class ObservationWindow:
    """Keeps as much of each modality's past as the two slots need."""

    def __init__(
        self,
        modalities: Sequence[Modality],
        step_s: float,
        min_contrast: Mapping[str, float],
    ) -> None:
        """Start empty: everything is masked.

        Args:
            modalities: In the order of the model's mask rows.
            step_s: The time between the two slots.
            min_contrast: By image modality, in grey levels; a picture with less is blank and is
                masked, and so are the next ones until one has `CONTRAST_MARGIN` times as much.
                Not named, every picture counts.

        """
        self.modalities = tuple(modalities)
        self._min_contrast = dict(min_contrast)
        self._blank: set[str] = set()
        self.step_ns = round(step_s * NS)
        self._by_name = {m.name: m for m in modalities}
        self._max_age_ns = {m.name: round(m.max_age_s * NS) for m in modalities}
        self._samples: dict[str, deque[_Sample]] = {m.name: deque() for m in modalities}
        self._values = empty_values(modalities)

    def clear(self) -> None:
        """Forget everything, as after a reset; also which pictures were blank."""
        self._blank.clear()
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
        fault = self._fault(name, kept)
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

    def _fault(self, name: str, value: NDArray[np.generic]) -> str:
        """Return what is wrong with a sample, empty if nothing is: here alone it is judged."""
        if value.dtype != np.uint8:
            return '' if np.isfinite(value).all() else 'the last value is not finite'
        bound = self._min_contrast.get(name)
        if bound is None:
            return ''
        shown, margin = contrast(value.view(np.uint8)), ''
        if name in self._blank:
            margin = f', {CONTRAST_MARGIN * bound:g} after a blank picture'
        if shown >= (CONTRAST_MARGIN * bound if margin else bound):
            self._blank.discard(name)
            return ''
        # A covered lens, a saturated or a dead sensor: the model would read it as a scene.
        self._blank.add(name)
        return f'no contrast ({shown:.1f} grey levels, min_contrast {bound:g}{margin})'

    def _latest(self, name: str, slot_ns: int) -> _Sample | None:
        for sample in reversed(self._samples[name]):
            if sample[0] <= slot_ns:
                return sample
        return None


def contrast(picture: NDArray[np.uint8]) -> float:
    """Return how much a picture `(H, W, C)` shows: the standard deviation of its grey levels.

    Of blocks of pixels, at most about 32 x 32 of them, so that the noise of single pixels counts
    the less the larger the picture is; and so does a pattern finer than a block. What is left
    over at the right and at the bottom is not looked at.
    """
    height, width, channels = picture.shape
    high, wide = (min(-(-size // CONTRAST_GRID), LARGEST_BLOCK) for size in (height, width))
    rows, columns = height // high, width // wide
    cropped = picture[: rows * high, : columns * wide].reshape(rows, high, -1)
    # Rows first, and in 16 bits: of all ways this is the fastest.
    sums = cropped.sum(axis=1, dtype=np.uint16).reshape(rows * columns, -1).astype(np.float32)
    grey = sums @ np.full(wide * channels, 1 / (high * wide * channels), dtype=np.float32)
    grey -= grey.mean()
    return math.sqrt(float(grey @ grey) / len(grey))
