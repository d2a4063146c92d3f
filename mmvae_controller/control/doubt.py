"""Whether joints are believed so far that an arm may be told to stay where they say it is."""

from __future__ import annotations

from collections.abc import Mapping

from mmvae_controller.control.judging import Judge
from mmvae_controller.control.window import NS, SenseState
from mmvae_controller.modality.robot import Robot

# So long joints wait for senses to be compared with that the arm can do without.
COMPARED_WITHIN_S = 0.3


class Doubt:
    """Joints have to agree with the other senses before a set-point is taken from them.

    Joints that lie would make the arm jump to where they seem to be.
    """

    def __init__(self, robot: Robot, trust: Judge | None) -> None:
        """Doubt the robot's anchor; nothing if there is nobody to ask."""
        self._robot = robot
        self._trust = trust
        self._waiting_ns: int | None = None
        # Whether the anchor is to be compared though other senses are missing.
        self.compare_anyhow = False

    def clear(self) -> None:
        """Have waited for nothing yet."""
        self._waiting_ns = None

    def why(self, senses: Mapping[str, SenseState], now_ns: int) -> str:
        """Say why the anchor is not believed yet; empty if it is."""
        anchor = self._robot.anchor
        self.compare_anyhow = False
        if self._trust is None or not self._trust.doubts(anchor):
            return ''
        others = [n for n in senses if n != anchor]
        missing = [n for n in others if senses[n] is not SenseState.MEASURED]
        if not missing:
            self._waiting_ns = None
            return f'{anchor} has not yet agreed with the other senses'
        if self._waiting_ns is None or now_ns < self._waiting_ns:
            self._waiting_ns = now_ns
        waited = now_ns - self._waiting_ns >= COMPARED_WITHIN_S * NS
        needed = [n for n in missing if n in self._robot.required or self._trust.why(n)]
        if needed or not waited:
            return f'{anchor} cannot be compared yet: without {", ".join(needed or missing)}'
        self.compare_anyhow = True
        there = [n for n in others if n not in missing]
        # With nothing to compare them with, joints are taken at their word, as without a model.
        return f'{anchor} has not yet agreed with {", ".join(there)}' if there else ''
