"""The simulated world: physics, sensors at their own rates, and the state of an episode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
import math

from mmvae_controller.modality.robot import InputMessage, Robot
from mmvae_controller.simulation.arm import Arm
from mmvae_controller.simulation.arm_file import arm_of, ArmDescription
from mmvae_controller.simulation.camera import Camera, CAMERA_POSE
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.simulation.physics import pybullet
from mmvae_controller.simulation.showing import views_of
from mmvae_controller.simulation.tasks.task import make_task, Task
from mmvae_controller.vision.shrinking import enlarged
import numpy as np
from numpy.typing import NDArray
import pybullet_data

PHYSICS_HZ = 240
CAMERA_HZ = 20
PROPRIOCEPTION_HZ = 80
NS = 1_000_000_000
PHYSICS_STEP_NS = NS // PHYSICS_HZ
SENSED_EVERY_STEPS = PHYSICS_HZ // math.lcm(CAMERA_HZ, PROPRIOCEPTION_HZ)
# Every sensor is due at multiples of the slowest one's period; an episode begins at one.
RESET_EVERY_STEPS = PHYSICS_HZ // CAMERA_HZ
RESET_EVERY_NS = NS // CAMERA_HZ


@dataclass(frozen=True, slots=True)
class Pictures:
    """Of a camera, each size as height and width in pixels.

    Args:
        drawn: What the model looks at, and no more: drawing takes 5 ms for 64 x 64, and for
            640 x 480 more than twice the time between two pictures.
        delivered: What the camera of the robot publishes.

    """

    drawn: tuple[int, int]
    delivered: tuple[int, int]


USUAL_PICTURES = Pictures((64, 64), (64, 64))


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """What the sensors deliver at one physics step; None where a sensor is not due.

    Args:
        camera: `(H, W, 3)` uint8, of the size that the robot's camera has; see `Camera.read`.
        joint_position: `(D,)` rad.
        joint_velocity: `(D,)` rad/s.
        touch: `(3,)` N on the fingertip, world axes.
        views: By name, `(H, W, 3)` uint8: what the cameras of the task see; none where there are
            none or they are not due.

    """

    camera: NDArray[np.uint8] | None
    joint_position: NDArray[np.float64] | None
    joint_velocity: NDArray[np.float64] | None
    touch: NDArray[np.float64] | None
    views: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an episode stands."""

    finished: bool
    success: bool
    elapsed_s: float
    distance_m: float


class Simulator:
    """One arm, one task, one physics client."""

    def __init__(
        self,
        task: Task,
        arm: ArmDescription,
        gui: bool = False,
        pictures: Pictures = USUAL_PICTURES,
    ) -> None:
        """Build the scene; call `reset` before anything else.

        Args:
            task: What is to be done in it.
            arm: Who is to do it.
            gui: Whether to show a window.
            pictures: Of its camera.

        """
        self.task = task
        self.client = pybullet.connect(pybullet.GUI if gui else pybullet.DIRECT)
        pybullet.setGravity(0, 0, -9.81, physicsClientId=self.client)
        pybullet.setTimeStep(1 / PHYSICS_HZ, physicsClientId=self.client)
        pybullet.setAdditionalSearchPath(pybullet_data.getDataPath())
        pybullet.loadURDF('plane.urdf', physicsClientId=self.client)
        self.arm = Arm(self.client, arm)
        task.build(self.client)
        self.camera = Camera(self.client, CAMERA_POSE, *pictures.drawn)
        self.pictures = pictures
        # Pictures are most of the work: none is drawn that nobody looks at.
        self.camera_watched = self.views_watched = True
        self.views = {
            name: Camera(self.client, view.pose, view.height, view.width)
            for name, view in views_of(task).items()
        }
        self._steps = 0
        self._began_step = 0
        self._success = self._lost = self._waiting = False

    @property
    def joint_names(self) -> tuple[str, ...]:
        """The names of the commanded joints, in the order of every array here."""
        return self.arm.joint_names

    @property
    def time_ns(self) -> int:
        """Simulated time; it goes on over resets."""
        return self._steps * NS // PHYSICS_HZ

    @property
    def due(self) -> bool:
        """Whether any sensor delivers something at this step."""
        return self._steps % SENSED_EVERY_STEPS == 0

    @property
    def finished(self) -> bool:
        """Whether the episode is over."""
        return self._success or self._lost or self._elapsed_s >= self.task.time_limit_s

    @property
    def lost(self) -> bool:
        """Whether the episode ended because the task could not be done any more."""
        return self._lost

    def reset(self, seed: int, waiting: bool = False) -> None:
        """Begin a new episode, the same for the same seed.

        Args:
            seed: Of the scene and the posture.
            waiting: Let nothing move by itself until `restart_clock`.

        """
        self.task.reset(self.arm, np.random.default_rng(seed))
        # Or the finger would go on feeling what it touched where the last episode ended.
        pybullet.performCollisionDetection(physicsClientId=self.client)
        self._steps += -self._steps % RESET_EVERY_STEPS
        self.restart_clock()
        self._waiting = waiting

    def restart_clock(self) -> None:
        """Let the time of the episode begin now: the arm waited until here."""
        self._began_step = self._steps
        self._success = self._lost = self._waiting = False

    def command(self, position_rad: NDArray[np.float64]) -> None:
        """Give the joints new set-points `(D,)`."""
        self.arm.command(position_rad)

    def step(self) -> None:
        """Let one 240th of a second pass."""
        if not self._waiting:
            self.task.advance(self.arm, 1 / PHYSICS_HZ)
        pybullet.stepSimulation(physicsClientId=self.client)
        self._steps += 1
        standing = self.task.standing(self.arm)
        self._success = self._success or (standing.success and not self._lost)
        self._lost = self._lost or (standing.lost and not self._success)

    def readings(self) -> Readings:
        """Return what the sensors deliver at this step."""
        camera = position = velocity = touch = None
        views: dict[str, NDArray[np.uint8]] = {}
        if self._steps % (PHYSICS_HZ // CAMERA_HZ) == 0:
            drawn = self.camera.read() if self.camera_watched else None
            camera = None if drawn is None else enlarged(drawn, self.pictures.delivered)
            if self.views_watched:
                views = {name: view.picture() for name, view in self.views.items()}
        if self._steps % (PHYSICS_HZ // PROPRIOCEPTION_HZ) == 0:
            position, velocity = self.arm.state()
            touch = self.arm.touch_force()
        return Readings(camera, position, velocity, touch, views)

    def outcome(self) -> Outcome:
        """Return how the episode stands."""
        distance_m = self.task.distance_m(self.arm)
        return Outcome(self.finished, self._success, self._elapsed_s, distance_m)

    @property
    def _elapsed_s(self) -> float:
        return (self._steps - self._began_step) / PHYSICS_HZ

    def close(self) -> None:
        """Release the physics client."""
        pybullet.disconnect(physicsClientId=self.client)


def simulator_of(robot: Robot, task: str, gui: bool = False) -> Simulator:
    """Return the scene of a task, with a robot's arm and a camera like the robot's.

    Raises:
        SimulationError: Nothing simulates that arm, the robot has two cameras, or there is no
            such task.

    """
    return Simulator(make_task(task), arm_of(robot), gui, _pictures_of(robot))


def _pictures_of(robot: Robot) -> Pictures:
    found: dict[str, Pictures] = {}
    for modality in robot.modalities:
        source = robot.sources.get(modality.name)
        if source is not None and source.message is InputMessage.IMAGE:
            assert source.picture is not None, 'a Source of pictures has their format'
            height, width = modality.shape[:2]
            drawn = height, width
            found[modality.name] = Pictures(drawn, source.picture.camera_size or drawn)
    if len(found) > 1:
        raise SimulationError(
            f'{robot.path}: {" and ".join(found)} are pictures, the simulation has one camera: '
            'take one of them out'
        )
    return next(iter(found.values()), USUAL_PICTURES)
