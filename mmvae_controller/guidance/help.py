"""Where a message sends its reader: to a section of the page on troubleshooting.

`mmvae explain SECTION` prints it, on a robot without a screen and without the sources as well.
"""

from __future__ import annotations

from enum import StrEnum

COMMAND = 'mmvae explain'


class Help(StrEnum):
    """The sections of docs/troubleshooting.md that messages name, by their anchors.

    Short: a message has to fit a line of rqt with what it says itself.
    """

    NO_SET_POINT = 'no-set-point'
    LET_GO = 'let-go'
    ARM_HOLDS = 'arm-holds'
    ARM_IS_SLOW = 'arm-is-slow'
    ARM_IS_JERKY = 'arm-is-jerky'
    CLOCK_STANDS = 'clock-stands'
    NO_GOAL = 'no-goal'
    NO_MESSAGE = 'no-message'
    SENSE_IS_MASKED = 'sense-is-masked'
    SENSE_IS_DISTRUSTED = 'sense-is-distrusted'
    NO_OBSERVATION = 'no-observation'
    NODE_IS_SILENT = 'node-is-silent'
    NODE_HANGS = 'node-hangs'
    NOT_CONFIGURED = 'not-configured'
    NOT_ACTIVATED = 'not-activated'
    MODEL_DOES_NOT_FIT = 'model-does-not-fit'
    MODEL_IS_DAMAGED = 'model-is-damaged'
    SIMULATION_WAITS = 'simulation-waits'
    NOT_INSTALLED = 'not-installed'
    ANOTHER_ROS = 'another-ros'
    EXIT_CODES = 'exit-codes'


def explained_by(section: Help, message: str) -> str:
    """Return a message that ends with where to read on, unless it does already."""
    return message if COMMAND in message else f'{message}; {COMMAND} {section}'
