"""What a fault makes of the readings of one sense; each may remember what came before."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from mmvae_controller.control.window import NS
from mmvae_controller.modality.spec import Modality
from mmvae_controller.simulation.arm import TOUCH_RANGE_N
from mmvae_controller.simulation.camera import darkness, UINT8_MAX
import numpy as np
from numpy.typing import NDArray

Value = NDArray[np.generic]
DELAY_S = 0.3
# In grey levels: what is left of a small ball between such pixels is guesswork.
PIXEL_NOISE = 60.0
OCCLUDED_SHARE = (1 / 4, 1 / 3)
# How far beside the middle of the picture the block's own middle may lie, as a share of the
# picture. The camera looks at the workspace, so the middle is always hidden.
OCCLUDED_OFFSET = 1 / 6
OCCLUDED_LEVEL = 96
# Three degrees; the simulated encoders have no noise of their own.
JOINT_NOISE_RAD = 0.05
JOINT_BIAS_RAD = 0.1
# What the fingertip reads on most contacts: its upward axis is saturated.
STUCK_ON_N = TOUCH_RANGE_N
STUCK_ON_CHANNEL = 'force.z'


class Effect(Protocol):
    """What a fault does to one sense."""

    def __call__(self, value: Value, now_ns: int, active: bool) -> Value | None:
        """Return what arrives in the place of a reading, None for no message.

        It is asked for every reading, also while the fault is not there, and may remember.
        """


Maker = Callable[[Modality, np.random.Generator], Effect]


def stateless(change: Callable[[Value], Value | None]) -> Effect:
    """Return an effect that needs no memory."""

    def effect(value: Value, now_ns: int, active: bool) -> Value | None:
        return change(value) if active else value

    return effect


def absent(modality: Modality, random: np.random.Generator) -> Effect:
    """No message comes."""
    return stateless(lambda value: None)


def black(modality: Modality, random: np.random.Generator) -> Effect:
    """Return what the simulated sensor delivers behind a lens cap."""
    return stateless(lambda value: darkness(value.shape, random))


def pixel_noise(modality: Modality, random: np.random.Generator) -> Effect:
    """Every pixel is disturbed by itself."""

    def change(value: Value) -> Value:
        noisy = value.astype(np.float64) + random.normal(0, PIXEL_NOISE, value.shape)
        return np.clip(np.rint(noisy), 0, UINT8_MAX).astype(np.uint8)

    return stateless(change)


def occluded(modality: Modality, random: np.random.Generator) -> Effect:
    """Hide a quarter to a third of the picture behind a grey block, the same all the time."""
    side = np.sqrt(random.uniform(*OCCLUDED_SHARE))
    places = []
    for size in modality.shape[:2]:
        middle = size * (0.5 + random.uniform(-OCCLUDED_OFFSET, OCCLUDED_OFFSET))
        first = int(np.clip(round(middle - side * size / 2), 0, size))
        places.append(slice(first, first + round(side * size)))

    def change(value: Value) -> Value:
        hidden = value.copy()
        hidden[places[0], places[1]] = OCCLUDED_LEVEL
        return hidden

    return stateless(change)


def frozen(modality: Modality, random: np.random.Generator) -> Effect:
    """The last reading before the fault comes again and again, as if new."""
    kept: list[Value] = []

    def effect(value: Value, now_ns: int, active: bool) -> Value:
        if not active or not kept:
            kept[:] = [value.copy()]
        return kept[0]

    return effect


def delayed(modality: Modality, random: np.random.Generator) -> Effect:
    """Every reading comes late; until the first is old enough, none does."""
    waiting: deque[tuple[int, Value]] = deque()
    delay_ns = round(DELAY_S * NS)

    def effect(value: Value, now_ns: int, active: bool) -> Value | None:
        waiting.append((now_ns, value.copy()))
        while len(waiting) > 1 and waiting[1][0] <= now_ns - delay_ns:
            waiting.popleft()
        if not active:
            return value
        return waiting[0][1] if waiting[0][0] <= now_ns - delay_ns else None

    return effect


def joint_noise(modality: Modality, random: np.random.Generator) -> Effect:
    """Every joint is disturbed by itself."""
    return stateless(
        lambda value: np.asarray(value, float) + random.normal(0, JOINT_NOISE_RAD, value.shape)
    )


def joint_bias(modality: Modality, random: np.random.Generator) -> Effect:
    """One joint is measured beside where it is."""
    bias = np.zeros(modality.shape)
    bias[random.integers(modality.size)] = random.choice([-1, 1]) * JOINT_BIAS_RAD
    return stateless(lambda value: np.asarray(value, float) + bias)


def permuted(modality: Modality, random: np.random.Generator) -> Effect:
    """Every joint bears the name of another."""
    order = random.permutation(modality.size)
    source = np.empty_like(order)
    source[order] = np.roll(order, 1)
    return stateless(lambda value: value[source])


def dead(modality: Modality, random: np.random.Generator) -> Effect:
    """Nothing is felt."""
    return stateless(np.zeros_like)


def stuck_on(modality: Modality, random: np.random.Generator) -> Effect:
    """The same contact is felt all the time."""
    force = np.zeros(modality.shape)
    channels = modality.channels
    upward = channels.index(STUCK_ON_CHANNEL) if STUCK_ON_CHANNEL in channels else 0
    force[upward] = STUCK_ON_N
    return stateless(lambda value: force.copy())
