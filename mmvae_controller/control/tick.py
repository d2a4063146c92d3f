"""What one tick saw, wanted and decided, for whoever sends, shows or counts it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mmvae_controller.control.gate import Decision
from mmvae_controller.control.policy import Estimate
from mmvae_controller.control.window import SenseState
from mmvae_controller.modality.observation import Observation


@dataclass(frozen=True, slots=True, eq=False)
class Tick:
    """What one tick saw, wanted and decided.

    Args:
        observation: Valid until the next tick.
        senses: Where the model has each of them from.
        missing: The required senses that were neither known nor predicted.
        estimate: None when nobody was asked.
        decision: None when nothing is to be sent: there is no set-point, see `idle`.
        idle: Why there is no set-point, for an operator; empty when there is one.

    """

    observation: Observation
    senses: Mapping[str, SenseState]
    missing: tuple[str, ...]
    estimate: Estimate | None
    decision: Decision | None
    idle: str


@dataclass(frozen=True, slots=True)
class Sensed:
    """What a tick made of one sense.

    Args:
        known: At [t - dt, t].
        state: Where the model has it from.
        why: It is distrusted; empty if it is not.
        evidence: What speaks against it, 1 at the alarm; None if it is not compared.

    """

    known: tuple[bool, bool]
    state: SenseState
    why: str
    evidence: float | None


NOTHING_SENSED = Sensed((False, False), SenseState.MASKED, '', None)
