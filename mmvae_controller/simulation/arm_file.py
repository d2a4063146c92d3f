"""Which arm is simulated: `config/arms/iiwa.yaml` documents every key of such a file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.reader import read_yaml, Section
from mmvae_controller.modality.robot import Robot
from mmvae_controller.modality.shared_files import find_arm
from mmvae_controller.simulation.errors import SimulationError
import numpy as np
from numpy.typing import NDArray
import pybullet_data

FARTHEST_M = 3.0
LONGEST_FINGER_M = 1.0


class Drawn(StrEnum):
    """Which meshes of a URDF the cameras see."""

    VISUAL = 'visual'
    COLLISION = 'collision'


@dataclass(frozen=True, slots=True)
class Finger:
    """A straight finger with a round tip that feels force.

    Args:
        link: It stands on this one, and points along its z axis.
        from_m: Where on that axis it begins.
        length_m: From there to the centre of its tip.

    """

    link: str
    from_m: float
    length_m: float


@dataclass(frozen=True, slots=True, eq=False)
class ArmDescription:
    """An arm of D commanded joints.

    Args:
        urdf: Its file.
        drawn: What the cameras see of it.
        joints: That are commanded, in the order of the set-points; the first turns all of it.
        motor_force_nm: `(D,)`, at most.
        held: Where the joints that move and are not commanded are held, rad or m.
        finger: What it touches with.
        home_rad: `(D,)`, where it likes to be.
        spread_rad: `(D,)`, how far beside that an episode begins at most.
        reach_m: How near its base and how far from it the fingertip gets to the floor.
        path: Where it was read from.

    """

    urdf: Path
    drawn: Drawn
    joints: tuple[str, ...]
    motor_force_nm: NDArray[np.float64]
    held: dict[str, float]
    finger: Finger
    home_rad: NDArray[np.float64]
    spread_rad: NDArray[np.float64]
    reach_m: tuple[float, float]
    path: Path


def arm_of(robot: Robot) -> ArmDescription:
    """Return the arm that simulates a robot.

    Raises:
        ModalityError: Its file is not there, or does not say what it should.
        SimulationError: The robot names none, or one of other joints.

    """
    if not robot.arm:
        raise SimulationError(
            f'{robot.path}: names no arm to simulate; expected simulation: {{arm: ...}}, the name '
            'of a file of config/arms/ or the path of one of your own'
        )
    arm = load_arm(find_arm(robot.arm, robot.path.parent))
    require_joints(robot, arm.joints)
    return arm


def require_joints(robot: Robot, joints: tuple[str, ...]) -> None:
    """Raise unless these are the joints that a robot commands, in their order.

    Raises:
        SimulationError: They are others.

    """
    if robot.output.joints != joints:
        raise SimulationError(
            f'robot {robot.name!r} commands joints {list(robot.output.joints)}, the simulation '
            f'has {list(joints)}: name another arm in {robot.path}, or correct its joints'
        )


def load_arm(path: Path) -> ArmDescription:
    """Read the file of an arm.

    Raises:
        ModalityError: Names the file, the key, what was found and what was expected.

    """
    root = read_yaml(path)
    joints = root.texts('joints')
    if not joints or len(set(joints)) != len(joints):
        raise ModalityError(f'{root.where}: joints is {list(joints)}, expected different names')
    description = ArmDescription(
        urdf=_urdf(root, path.parent),
        drawn=root.choice('drawn', Drawn, Drawn.VISUAL),
        joints=joints,
        motor_force_nm=_for_each_joint(root, 'motor_force_nm', joints),
        held=_held(root, joints),
        finger=_finger(root.section('finger')),
        home_rad=_for_each_joint(root, 'home_rad', joints),
        spread_rad=_for_each_joint(root, 'spread_rad', joints),
        reach_m=_reach_m(root),
        path=path,
    )
    root.done()
    for key in ('motor_force_nm', 'spread_rad'):
        if getattr(description, key).min() < 0:
            raise ModalityError(
                f'{root.where}: {key} is {getattr(description, key).tolist()}, expected no '
                'negative number'
            )
    return description


def _urdf(root: Section, folder: Path) -> Path:
    name = root.text('urdf')
    places = [folder / name, Path(pybullet_data.getDataPath()) / name]
    for place in places:
        if place.is_file():
            return place
    tried = ', '.join(str(place) for place in places)
    raise ModalityError(f'{root.where}: urdf {name!r} is not there; looked at {tried}')


def _for_each_joint(root: Section, key: str, joints: tuple[str, ...]) -> NDArray[np.float64]:
    numbers = root.numbers(key)
    if len(numbers) != len(joints):
        raise ModalityError(
            f'{root.where}: {key} has {len(numbers)} numbers, expected one for each of the '
            f'{len(joints)} joints'
        )
    return np.array(numbers)


def _held(root: Section, joints: tuple[str, ...]) -> dict[str, float]:
    if not root.has('held'):
        return {}
    section = root.section('held')
    both = [name for name in joints if section.has(name)]
    if both:
        raise ModalityError(f'{section.where}: {", ".join(both)} is commanded as well')
    return {str(name): section.number(str(name)) for name in section.data}


def _finger(section: Section) -> Finger:
    finger = Finger(
        section.text('link'),
        section.number('from_m', low=-LONGEST_FINGER_M, high=LONGEST_FINGER_M),
        section.number('length_m', low=0.01, high=LONGEST_FINGER_M),
    )
    section.done()
    return finger


def _reach_m(root: Section) -> tuple[float, float]:
    reach = root.numbers('reach_m')
    if len(reach) != 2 or not 0 <= reach[0] < reach[1] <= FARTHEST_M:
        raise ModalityError(
            f'{root.where}: reach_m is {list(reach)}, expected two distances from the base, the '
            f'nearer first, from 0 to {FARTHEST_M:g} m'
        )
    return reach[0], reach[1]
