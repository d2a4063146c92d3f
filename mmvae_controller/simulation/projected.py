"""Where the tracker would find the hand, without drawing and searching pictures.

A test holds the two together. Pictures would be most of the work of collecting.
"""

from __future__ import annotations

from dataclasses import replace

from mmvae_controller.simulation.episode import Distortion, Values, Wiring
from mmvae_controller.simulation.projection import project
from mmvae_controller.simulation.showing import views_of
from mmvae_controller.simulation.simulator import RESET_EVERY_NS, Simulator
import numpy as np

# How far from the projected centre of the fingertip the tracker finds it, px right and down:
# standard deviation over 100 postures. The mean is calibrated away.
TRACKER_STD_PX = (0.09, 0.13)


def projected(
    simulator: Simulator, wiring: Wiring, random: np.random.Generator
) -> tuple[Wiring, Distortion | None]:
    """Return a wiring in which nobody looks at the pictures, and what adds the hand instead.

    The distortion adds it whenever the cameras are due; None where no hand is tracked.

    Args:
        simulator: Whose fingertip.
        wiring: As the robot has it.
        random: Of the tracker's errors.

    """
    hand, views = wiring.hand, views_of(simulator.task)
    if hand is None or not views:
        return wiring, None
    std = np.tile(TRACKER_STD_PX, len(views))

    def distort(values: Values, now_ns: int) -> Values:
        if now_ns % RESET_EVERY_NS:
            return values
        place = project(views, simulator.arm.fingertip_position())
        return values | {hand: place + random.normal(0.0, std)}

    return replace(wiring, hand=None), distort
