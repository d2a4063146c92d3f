"""What may go wrong with senses, clock, model and operator, each fault for a while."""

from __future__ import annotations

from collections.abc import Callable

from mmvae_controller.control.policy import Estimate
import numpy as np

NS = 1_000_000_000
HOUR_NS = 3600 * NS
# So many ticks a fault lasts on average.
MEAN_TICKS = 12
LARGEST, LARGEST32 = float(np.finfo(np.float64).max), 3.5e38
DENORMAL = 5e-324
HOSTILE = (np.nan, np.inf, -np.inf, LARGEST, -LARGEST, LARGEST32, DENORMAL, -0.0, 0.0, 1e3, -1e3)
Random = np.random.Generator
Array = np.ndarray


class Trouble:
    """One thing that has one fault at a time, or none."""

    def __init__(self, kinds: tuple[str, ...], random: Random, onset: float) -> None:
        """Start sound; `onset` is the chance of a fault at each tick without one."""
        self._kinds, self._random, self._onset = kinds, random, onset
        self.kind, self.began, self.ticks = '', False, 0

    def advance(self) -> str:
        """Let a tick pass and return the fault, empty for none."""
        self.began = False
        if self.kind and self._random.random() < 1 / MEAN_TICKS:
            self.kind = ''
        elif not self.kind and self._random.random() < self._onset:
            self.kind, self.began, self.ticks = str(self._random.choice(self._kinds)), True, 0
        self.ticks += 1
        return self.kind


def spoil_numbers(kind: str, value: Array, last: Array, ticks: int, random: Random) -> Array:
    """Return what a faulty sensor says instead of `(D,)`; `last` is what it said before."""
    one = random.integers(len(value))
    spoilt = value.copy()
    if kind == 'stuck':
        return last.copy()
    if kind == 'hostile':
        spoilt[one] = random.choice(HOSTILE)
    elif kind == 'all hostile':
        spoilt = random.choice(HOSTILE, len(value))
    elif kind == 'drift':
        spoilt = value + 0.01 * ticks * np.sign(random.normal(size=len(value)))
    elif kind == 'noise':
        spoilt = value + random.normal(scale=10.0 ** random.uniform(-6, 2), size=len(value))
    elif kind == 'permuted':
        spoilt = random.permutation(value)
    elif kind == 'sign':
        spoilt = -value
    elif kind == 'scaled':
        spoilt = value * 10.0 ** random.uniform(-3, 3)
    elif kind == 'zeros':
        spoilt[:] = 0
    return spoilt


NUMBERS = (
    'silent', 'stuck', 'hostile', 'all hostile', 'drift', 'noise', 'permuted', 'sign', 'scaled',
    'zeros', 'old', 'early', 'size',
)  # fmt: skip


def spoil_picture(kind: str, picture: Array, last: Array, other: Array, random: Random) -> Array:
    """Return what a faulty camera shows instead of `(H, W, C)`."""
    height = len(picture)
    pictures: dict[str, Callable[[], Array]] = {
        'stuck': last.copy,
        'black': lambda: np.zeros_like(picture),
        'white': lambda: np.full_like(picture, 255),
        'static': lambda: random.integers(0, 256, picture.shape, dtype=np.uint8),
        'dim': lambda: (picture * random.uniform(0, 0.4)).astype(np.uint8),
        'flipped': lambda: picture[::-1].copy(),
        'inverted': lambda: 255 - picture,
        'shifted': lambda: np.roll(picture, random.integers(1, height), axis=(0, 1)),
        'covered': lambda: np.where(
            np.arange(height)[:, None, None] < random.integers(height), np.uint8(0), picture
        ),
        'elsewhere': other.copy,
    }
    return pictures[kind]() if kind in pictures else picture


PICTURES = (
    'silent', 'stuck', 'black', 'white', 'static', 'dim', 'flipped', 'inverted', 'shifted',
    'covered', 'elsewhere', 'old', 'early', 'size',
)  # fmt: skip
# A sample is stamped when it is received; receipts may be late, or of a clock that was ahead.
STAMPS_S = {'old': (-0.5, 0.0), 'early': (0.0, 2.0)}


def stamp_ns(kind: str, now_ns: int, random: Random) -> int:
    """Return when a sample is said to have come."""
    return now_ns + round(random.uniform(*STAMPS_S.get(kind, (0.0, 0.0))) * NS)


CLOCKS = ('frozen', 'crawling', 'back and forth', 'jitter', 'slow', 'hour', 'zero', 'back')


def clock_step_ns(kind: str, began: bool, now_ns: int, period_ns: int, random: Random) -> int:
    """Return how far the clock goes until the next tick; jumps happen once."""
    jumps = {'hour': HOUR_NS, 'zero': -now_ns, 'back': -round(random.uniform(0, 2) * NS)}
    if kind in jumps:
        return jumps[kind] if began else period_ns
    steps: dict[str, Callable[[], int]] = {
        'frozen': lambda: 0,
        'crawling': lambda: int(random.integers(1, 1000)),
        'back and forth': lambda: int(random.integers(-4, 6)) * period_ns,
        'jitter': lambda: round(random.exponential(period_ns)),
        'slow': lambda: round(random.uniform(0, 1.5) * NS),
    }
    return steps[kind]() if kind in steps else period_ns


ANSWERS = ('hostile', 'wild', 'certain', 'flips', 'pushes', 'late', 'raises', 'shape')


class BrokenError(Exception):
    """The policy fails, as it is told to."""


def spoil_answer(kind: str, good: Estimate, ticks: int, random: Random) -> Estimate:
    """Return what a policy says instead of what the model wants; raises for `raises`."""
    size = len(good.mean)
    if kind == 'raises':
        raise BrokenError
    if kind == 'shape':
        return Estimate(good.mean[: random.integers(size)], good.std)
    mean, std = good.mean.copy(), good.std.copy()
    if kind == 'hostile':
        mean[random.integers(size)] = random.choice(HOSTILE)
        std[random.integers(size)] = random.choice(HOSTILE)
    elif kind == 'wild':
        mean = random.normal(size=size) * 10.0 ** random.uniform(-320, 300)
    elif kind == 'flips':
        mean = np.full(size, 100.0 if ticks % 2 else -100.0)
    elif kind == 'pushes':  # Towards a limit, as fast as it may.
        mean = np.full(size, 100.0) * np.where(np.arange(size) % 2, 1, -1)
    if kind in ('wild', 'flips', 'pushes', 'certain'):
        std = np.full(size, random.choice([0.0, 1e-300, 0.01, -1.0]))
    return Estimate(mean, std)


OPERATIONS = ('stop', 'resume', 'hold', 'reset')
