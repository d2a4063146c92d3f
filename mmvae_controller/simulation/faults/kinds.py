"""The faults of the benchmark: what goes wrong with which sense, alone and in pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
import zlib

from mmvae_controller.modality.robot import InputMessage, Robot, Source
from mmvae_controller.simulation.episode import Distortion, Values
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.simulation.faults import effects
from mmvae_controller.simulation.faults.effects import Maker
from mmvae_controller.simulation.faults.schedule import Schedule
import numpy as np

POSITION = 'position'
JOIN = '+'


class Sense(StrEnum):
    """What a sense is to the robot, whatever it is called."""

    CAMERA = 'camera'
    JOINTS = 'joints'
    TOUCH = 'touch'


SENSE_OF = {
    InputMessage.IMAGE: Sense.CAMERA,
    InputMessage.JOINT_STATE: Sense.JOINTS,
    InputMessage.WRENCH_STAMPED: Sense.TOUCH,
}


@dataclass(frozen=True, slots=True)
class Part:
    """What goes wrong with one sense.

    Args:
        sense: Which.
        make: A new effect, for one episode.
        whole_message: Whether speeds, which come with the positions, go wrong with them.

    """

    sense: Sense
    make: Maker
    whole_message: bool = True

    def hits(self, source: Source) -> bool:
        """Tell whether it hits what comes from a source."""
        if SENSE_OF.get(source.message) is not self.sense:
            return False
        return self.sense is not Sense.JOINTS or self.whole_message or source.part == POSITION


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the benchmark: what goes wrong, with one sense or with two."""

    name: str
    parts: tuple[Part, ...]

    def lacking(self, robot: Robot) -> list[Sense]:
        """Return the senses it needs and the robot does not have."""
        sources = robot.sources.values()
        return [p.sense for p in self.parts if not any(p.hits(s) for s in sources)]

    def modalities(self, robot: Robot) -> list[str]:
        """Return the modalities that go wrong, in the robot's order."""
        return [n for n, s in robot.sources.items() if any(p.hits(s) for p in self.parts)]


SINGLE = {
    'camera_black': Part(Sense.CAMERA, effects.black),
    'camera_frozen': Part(Sense.CAMERA, effects.frozen),
    'camera_delayed': Part(Sense.CAMERA, effects.delayed),
    'camera_noise': Part(Sense.CAMERA, effects.pixel_noise),
    'camera_occluded': Part(Sense.CAMERA, effects.occluded),
    'camera_absent': Part(Sense.CAMERA, effects.absent),
    'joints_noise': Part(Sense.JOINTS, effects.joint_noise, whole_message=False),
    'joints_bias': Part(Sense.JOINTS, effects.joint_bias, whole_message=False),
    'joints_absent': Part(Sense.JOINTS, effects.absent),
    'joints_permuted': Part(Sense.JOINTS, effects.permuted),
    'touch_dead': Part(Sense.TOUCH, effects.dead),
    'touch_stuck_on': Part(Sense.TOUCH, effects.stuck_on),
    'touch_absent': Part(Sense.TOUCH, effects.absent),
}
# Each asks something that no single fault asks.
PAIRS = (
    # Only the joints are left, and what is silent goes with what looks like no contact.
    ('camera_absent', 'touch_dead'),
    # A picture that stands still can be told by the joints alone, and they tell it badly.
    ('camera_frozen', 'joints_noise'),
    # Half seen and not felt: what remains of the contact is in the hidden part of the picture.
    ('camera_occluded', 'touch_absent'),
    # Two small lies that look right, each where the other would have to show it.
    ('camera_delayed', 'joints_bias'),
    # In the dark the only word on the contact is a lie: it says that the work is done.
    ('camera_black', 'touch_stuck_on'),
    # Only the camera is left, and the set-point has nothing to be compared with.
    ('joints_absent', 'touch_absent'),
)
FAULTS: dict[str, Fault] = {name: Fault(name, (part,)) for name, part in SINGLE.items()} | {
    JOIN.join(pair): Fault(JOIN.join(pair), tuple(SINGLE[name] for name in pair)) for pair in PAIRS
}


def make_fault(name: str) -> Fault:
    """Return a fault by its name.

    Raises:
        SimulationError: There is none of that name.

    """
    if name not in FAULTS:
        raise SimulationError(f'no fault {name!r}, there are {", ".join(FAULTS)}')
    return FAULTS[name]


def faults_for(robot: Robot, names: Sequence[str]) -> tuple[list[Fault], dict[str, str]]:
    """Return the faults that a robot can have, and of the others why it can not, by name.

    Raises:
        SimulationError: There is no fault of some name.

    """
    possible, left_out = [], {}
    for fault in map(make_fault, names):
        lacking = fault.lacking(robot)
        if lacking:
            left_out[fault.name] = f'{robot.name} has no {" and no ".join(lacking)}'
        else:
            possible.append(fault)
    return possible, left_out


def distortion(fault: Fault, robot: Robot, schedule: Schedule, seed: int) -> Distortion:
    """Return what a fault makes of the readings of one episode; it remembers, and serves once.

    The same for the same fault and seed, whatever else is distorted.
    """
    shapes = {m.name: m for m in robot.modalities}
    made = {}
    for part in fault.parts:
        for name, source in robot.sources.items():
            if part.hits(source):
                # A stream for each fault, but one for all that comes in the same message.
                stream = zlib.crc32(f'{fault.name} {part.sense}'.encode())
                made[name] = part.make(shapes[name], np.random.default_rng([seed, stream]))
    began_ns: list[int] = []

    def distort(values: Values, now_ns: int) -> Values:
        if not began_ns:
            began_ns.append(now_ns)
        active = schedule.active(now_ns - began_ns[0])
        arriving: Values = {}
        for name, value in values.items():
            found = made[name](value, now_ns, active) if name in made else value
            if found is not None:
                arriving[name] = found
        return arriving

    return distort
