"""Runs episodes without ROS, through the same controller as on the robot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from mmvae_controller.control.controller import Controller
from mmvae_controller.control.tick import Tick
from mmvae_controller.modality.robot import InputMessage, Robot
from mmvae_controller.simulation.arm_file import require_joints
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.simulation.simulator import PHYSICS_HZ, Readings, Simulator
from mmvae_controller.vision.hand import find_hand, HAND_CHANNELS
from mmvae_controller.vision.shrinking import shrunk
import numpy as np
from numpy.typing import NDArray

ENCODING = 'rgb8'
TOUCH_CHANNELS = ('force.x', 'force.y', 'force.z')
Values = dict[str, NDArray[np.generic]]
# What becomes of the values that are due, by modality, at a time in ns.
Distortion = Callable[[Values, int], Values]


@dataclass(frozen=True, slots=True)
class Wiring:
    """Which modality each sensor of the simulation feeds; None where the robot has none.

    Pictures are shrunk to `picture_size`, as on the robot.
    """

    camera: str | None
    joint_position: str | None
    joint_velocity: str | None
    touch: str | None
    hand: str | None
    picture_size: tuple[int, int]

    def values(self, readings: Readings) -> Values:
        """Return the readings that are due, by modality."""
        camera = readings.camera
        pairs = (
            (self.camera, None if camera is None else shrunk(camera, self.picture_size)),
            (self.joint_position, readings.joint_position),
            (self.joint_velocity, readings.joint_velocity),
            (self.touch, readings.touch),
            # As the tracker node finds it: nowhere, if not in both pictures.
            (self.hand, find_hand(readings.views) if self.hand and readings.views else None),
        )
        return {name: value for name, value in pairs if name is not None and value is not None}


def wire(robot: Robot, simulator: Simulator) -> Wiring:
    """Find the modality for each sensor by its message type, as a subscriber would.

    Raises:
        SimulationError: The robot has other joints than the simulation, or reads a sensor in
            another order or encoding.

    """
    found: dict[tuple[InputMessage, str], str] = {
        (source.message, source.part): name for name, source in robot.sources.items()
    }
    require_joints(robot, simulator.joint_names)
    expected = {
        InputMessage.JOINT_STATE: ('joints', simulator.joint_names),
        InputMessage.WRENCH_STAMPED: ('channels', TOUCH_CHANNELS),
    }
    for modality in robot.modalities:
        source = robot.sources.get(modality.name)
        if source is None:
            continue
        picture = source.picture if source.message is InputMessage.IMAGE else None
        if picture is not None and picture.encoding != ENCODING:
            raise SimulationError(
                f'{modality.name} of {robot.path} has encoding {picture.encoding}, the simulation '
                f'draws {ENCODING}'
            )
        key, names = expected.get(source.message, ('', modality.channels))
        if modality.channels != names:
            raise SimulationError(
                f'{modality.name} of {robot.path} has {key} {list(modality.channels)}, the '
                f'simulation {list(names)}'
            )
    return Wiring(
        camera=found.get((InputMessage.IMAGE, '')),
        joint_position=found.get((InputMessage.JOINT_STATE, 'position')),
        joint_velocity=found.get((InputMessage.JOINT_STATE, 'velocity')),
        touch=found.get((InputMessage.WRENCH_STAMPED, '')),
        hand=next((m.name for m in robot.modalities if m.channels == HAND_CHANNELS), None),
        picture_size=simulator.pictures.drawn,
    )


def ticks(
    simulator: Simulator,
    controller: Controller,
    wiring: Wiring,
    seed: int,
    linger_s: float = 0.0,
    distort: Distortion | None = None,
    watch: Callable[[Readings, int], None] | None = None,
) -> Iterator[Tick]:
    """Run one episode, one controller tick at a time; its end is in `simulator.outcome()`.

    Args:
        simulator: Is reset with the seed.
        controller: Is reset too; it meets the arm where it stands.
        wiring: From sensors to modalities.
        seed: Of the scene and the posture.
        linger_s: How long to go on after a success.
        distort: What becomes of the readings on their way, e.g. a picture turned black. It is
            asked at every physics step at which some are due, and may remember.
        watch: Is shown the readings that are due, and told the time in ns.

    """
    simulator.camera_watched = wiring.camera is not None
    simulator.views_watched = wiring.hand is not None
    simulator.reset(seed)
    controller.reset()
    every = physics_steps_per_tick(controller.robot)
    lingering = round(linger_s * PHYSICS_HZ)
    for step in range(round((simulator.task.time_limit_s + linger_s) * PHYSICS_HZ) + 1):
        readings = simulator.readings() if simulator.due else None
        if readings is not None and watch is not None:
            watch(readings, simulator.time_ns)
        values = {} if readings is None else wiring.values(readings)
        if distort is not None and values:
            values = distort(values, simulator.time_ns)
        for name, value in values.items():
            controller.push(name, value, simulator.time_ns)
        if step % every == 0:
            tick = controller.tick(simulator.time_ns)
            if tick.decision is not None:
                simulator.command(tick.decision.sent.position)
            controller.check_senses()
            yield tick
        if simulator.finished:
            lingering -= 1
            if lingering < 0 or simulator.lost:
                return
        simulator.step()


def physics_steps_per_tick(robot: Robot) -> int:
    """Return how many physics steps lie between two ticks.

    Raises:
        SimulationError: Not a whole number.

    """
    every = PHYSICS_HZ / robot.rate_hz
    if every < 1 or not every.is_integer():
        raise SimulationError(
            f'rate_hz {robot.rate_hz:g} of {robot.path} does not divide the {PHYSICS_HZ} Hz of '
            'the simulation'
        )
    return int(every)


def blackout(robot: Robot) -> Distortion:
    """Return a distortion that turns every picture black: it is there, and shows nothing.

    For `Robot.taking_every_picture`: one that asks for contrast takes it for missing.
    """
    pictures = {n for n, s in robot.sources.items() if s.message is InputMessage.IMAGE}

    def distort(values: Mapping[str, NDArray[np.generic]], now_ns: int) -> Values:
        return {n: np.zeros_like(v) if n in pictures else v for n, v in values.items()}

    return distort
