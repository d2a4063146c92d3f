"""The goal query: here at t-1, there at t, and which command leads from one to the other."""

from __future__ import annotations

from collections.abc import Sequence

from mmvae_controller.modality.observation import CURRENT, Mask, nothing_known, PREVIOUS
from mmvae_controller.modality.spec import Modality, Role


def goal_query(modalities: Sequence[Modality], goal: str) -> Mask:
    """Return the slots of a goal query: every sense at t-1, the goal's modality at t.

    The command is asked for at t-1: it is what leads to t.
    """
    query = nothing_known(modalities)
    for row, modality in enumerate(modalities):
        query[row, PREVIOUS] = modality.role is Role.SENSE
        query[row, CURRENT] = modality.name == goal
    return query
