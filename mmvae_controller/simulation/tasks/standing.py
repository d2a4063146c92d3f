"""How a task stands at one moment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """How a task stands after a physics step.

    Args:
        success: It is done at this moment.
        lost: It cannot be done any more.

    """

    success: bool
    lost: bool
