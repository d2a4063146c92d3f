"""The command gate: the one place where a command is judged before it may reach the wire.

finite -> fresh -> position limits -> velocity and acceleration limits, counted from the last
command sent; slower the less certain -> certain enough. What fails a question is limited or
refused, with a reason; a refused command is replaced by the last safe set-point, never by zeros.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
import math

from mmvae_controller.control.errors import ControlError
from mmvae_controller.modality.limits import JointLimits
from mmvae_controller.modality.robot import Certainty
from mmvae_controller.modality.spec import Quantity
import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
# Keeps 0 / 0 out of the division when there is no way left and no time passed.
SMALLEST = float(np.finfo(np.float64).tiny)


class Reason(StrEnum):
    """Why a command was limited or refused; part of the interface on /diagnostics."""

    NOT_FINITE = 'not_finite'
    STALE = 'stale'
    POSITION_LIMIT = 'position_limit'
    VELOCITY_LIMIT = 'velocity_limit'
    ACCELERATION_LIMIT = 'acceleration_limit'
    SLOWED = 'slowed'
    UNCERTAIN = 'uncertain'
    STOPPED = 'stopped'
    CLOCK = 'clock'
    WATCHDOG = 'watchdog'
    NO_ANCHOR = 'no_anchor'
    NO_GOAL = 'no_goal'
    ERROR = 'error'


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """The last command that was sent: joint positions in rad and their speed in rad/s, `(D,)`."""

    position: Vector
    velocity: Vector

    def value(self, quantity: Quantity) -> Vector:
        """Return what was sent as a quantity: rad or rad/s."""
        return self.velocity if quantity is Quantity.VELOCITY else self.position


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A command that somebody would like to send.

    Args:
        value: `(D,)` rad or rad/s, as `quantity` says.
        std: `(D,)` standard deviation in the same unit.
        quantity: Position or velocity.
        fresh: Whether every sense that the robot requires was known.

    """

    value: Vector
    std: Vector
    quantity: Quantity
    fresh: bool


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """What may be sent: a set-point inside every limit, and why it is not what was asked for."""

    sent: Sent
    holding: bool
    reasons: tuple[Reason, ...]


def hold(last: Sent, *reasons: Reason) -> Decision:
    """Return the decision to stay where the last command led."""
    return Decision(Sent(last.position, np.zeros_like(last.velocity)), True, reasons)


def judge(
    request: Request, last: Sent, limits: JointLimits, elapsed_s: float, certainty: Certainty
) -> Decision:
    """Return what may be sent instead of a request.

    Args:
        request: Anything at all: NaN, infinities and huge numbers are expected.
        last: What was sent before; finite and inside the limits.
        limits: Of each joint.
        elapsed_s: Since the last command was sent, above 0.
        certainty: Above which standard deviation the arm is slowed down, and holds.

    Raises:
        ControlError: The request is for another number of joints.

    """
    if request.value.shape != last.position.shape or request.std.shape != last.position.shape:
        # NumPy would give one number to every joint.
        raise ControlError(
            f'command of shape {request.value.shape} with standard deviation of shape '
            f'{request.std.shape}, expected {last.position.shape} for {list(limits.joints)}'
        )
    finite = np.isfinite(request.value).all() and np.isfinite(request.std).all()
    if not finite or (request.std < 0).any():
        return hold(last, Reason.NOT_FINITE)
    if not request.fresh:
        return hold(last, Reason.STALE)
    if not 0 < elapsed_s < math.inf:
        return hold(last, Reason.CLOCK)
    reasons = []
    wanted = request.value
    if request.quantity is Quantity.POSITION:
        inside = _between(wanted, limits.lower_rad, limits.upper_rad)
        if (inside != wanted).any():
            reasons.append(Reason.POSITION_LIMIT)
        wanted = (inside - last.position) / elapsed_s
    largest_std = float(request.std.max())
    uncertain = certainty.max_std is not None and largest_std > certainty.max_std
    share = 1.0 if uncertain else certainty.speed_share(largest_std)
    velocity, limited = _limit_velocity(wanted, share, last, limits, elapsed_s)
    reasons += [reason for reason in limited if reason not in reasons]
    if uncertain:
        return hold(last, *reasons, Reason.UNCERTAIN)
    position = last.position + velocity * elapsed_s
    # Limits keep NaN, and an overflow above may have made one: ask again, last of all.
    position = _between(position, limits.lower_rad, limits.upper_rad)
    if not (np.isfinite(position).all() and np.isfinite(velocity).all()):
        return hold(last, *reasons, Reason.NOT_FINITE)
    return Decision(Sent(position, velocity), False, tuple(reasons))


def _limit_velocity(
    wanted: Vector, share: float, last: Sent, limits: JointLimits, elapsed_s: float
) -> tuple[Vector, list[Reason]]:
    """Return the nearest velocity that keeps every limit, now and while braking later.

    Args:
        wanted: `(D,)` rad/s.
        share: How much of it to go at, 0 to 1: all joints alike, so that the way stays the same.
        last: See `judge`.
        limits: See `judge`.
        elapsed_s: See `judge`.

    """
    reasons = []
    velocity = _between(wanted, -limits.velocity_rad_s, limits.velocity_rad_s)
    if (velocity != wanted).any():
        reasons.append(Reason.VELOCITY_LIMIT)
    if share < 1:
        velocity = share * velocity
        reasons.append(Reason.SLOWED)
    change = limits.acceleration_rad_s2 * elapsed_s
    reachable = _between(velocity, last.velocity - change, last.velocity + change)
    if (reachable != velocity).any():
        reasons.append(Reason.ACCELERATION_LIMIT)
    above = _braking_velocity(limits.upper_rad - last.position, limits, elapsed_s)
    below = _braking_velocity(last.position - limits.lower_rad, limits, elapsed_s)
    braked = _between(reachable, -below, above)
    if (braked != reachable).any():
        reasons.append(Reason.POSITION_LIMIT)
    return braked, reasons


def _between(value: Vector, low: Vector, high: Vector) -> Vector:
    """Return a value limited on both sides; NaN stays NaN, as in np.clip, which is slower."""
    return np.minimum(np.maximum(value, low), high)


def _braking_velocity(distance: Vector, limits: JointLimits, elapsed_s: float) -> Vector:
    """Return the largest speed towards a position limit from which the joint can still stop.

    Braking from v takes at most v^2 / (2 a), whatever the periods to come: each set-point is
    v * dt beyond the last with v already lowered. So the largest v leaves that much of the
    distance d: v^2 / (2 a) = d - v * dt, written without a difference of large numbers. A rule
    that counts on the next period being as long as this one breaks the acceleration limit when
    the loop jitters.
    """
    room = np.maximum(2 * limits.acceleration_rad_s2 * distance, 0.0)
    change = limits.acceleration_rad_s2 * elapsed_s
    # hypot: neither a denormal nor a huge period under- or overflows when it is squared.
    braking: Vector = room / np.maximum(np.hypot(change, np.sqrt(room)) + change, SMALLEST)
    return braking
