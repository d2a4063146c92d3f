"""The simulated world: physics, sensors at their own rates, and the state of an episode."""

from __future__ import annotations

from dataclasses import dataclass

from mmvae_controller.simulation.arm import Arm
from mmvae_controller.simulation.camera import Camera, CameraPose
from mmvae_controller.simulation.tasks import Task
import numpy as np
from numpy.typing import NDArray
import pybullet
import pybullet_data

PHYSICS_HZ = 240
CAMERA_HZ = 20
PROPRIOCEPTION_HZ = 80
NS = 1_000_000_000
PHYSICS_STEP_NS = NS // PHYSICS_HZ
# Every sensor is due at multiples of the slowest one's period; an episode begins at one.
RESET_EVERY_STEPS = PHYSICS_HZ // CAMERA_HZ
RESET_EVERY_NS = NS // CAMERA_HZ
CAMERA_SIZE = (64, 64)
CAMERA_POSE = CameraPose(eye=(1.6, 0.0, 1.35), target=(0.4, 0.0, 0.12), field_of_view_deg=46.0)


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """What the sensors deliver at one physics step; None where a sensor is not due.

    Args:
        camera: `(64, 64, 3)` uint8; see `Camera.read`.
        joint_position: `(7,)` rad.
        joint_velocity: `(7,)` rad/s.
        touch: `(3,)` N on the fingertip, world axes.

    """

    camera: NDArray[np.uint8] | None
    joint_position: NDArray[np.float64] | None
    joint_velocity: NDArray[np.float64] | None
    touch: NDArray[np.float64] | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an episode stands."""

    finished: bool
    success: bool
    elapsed_s: float
    distance_m: float


class Simulator:
    """One arm, one task, one physics client."""

    def __init__(self, task: Task, gui: bool = False) -> None:
        """Build the scene; call `reset` before anything else."""
        self.task = task
        self.client = pybullet.connect(pybullet.GUI if gui else pybullet.DIRECT)
        pybullet.setGravity(0, 0, -9.81, physicsClientId=self.client)
        pybullet.setTimeStep(1 / PHYSICS_HZ, physicsClientId=self.client)
        pybullet.setAdditionalSearchPath(pybullet_data.getDataPath())
        pybullet.loadURDF('plane.urdf', physicsClientId=self.client)
        self.arm = Arm(self.client)
        task.build(self.client)
        self.camera = Camera(self.client, CAMERA_POSE, *CAMERA_SIZE)
        self._steps = 0
        self._began_step = 0
        self._success = False

    @property
    def joint_names(self) -> tuple[str, ...]:
        """The names of the joints, in the order of every array here."""
        return self.arm.joint_names

    @property
    def time_ns(self) -> int:
        """Simulated time; it goes on over resets."""
        return self._steps * NS // PHYSICS_HZ

    def reset(self, seed: int) -> None:
        """Begin a new episode, the same for the same seed."""
        self.task.reset(self.arm, np.random.default_rng(seed))
        # Or the finger would go on feeling what it touched where the last episode ended.
        pybullet.performCollisionDetection(physicsClientId=self.client)
        self._steps += -self._steps % RESET_EVERY_STEPS
        self._began_step = self._steps
        self._success = False

    def restart_clock(self) -> None:
        """Let the time of the episode begin now: the arm waited until here."""
        self._began_step = self._steps
        self._success = False

    def command(self, position_rad: NDArray[np.float64]) -> None:
        """Give the joints new set-points `(7,)`."""
        self.arm.command(position_rad)

    def step(self) -> None:
        """Let one 240th of a second pass."""
        pybullet.stepSimulation(physicsClientId=self.client)
        self._steps += 1
        self._success = self._success or self.task.succeeded(self.arm)

    def readings(self) -> Readings:
        """Return what the sensors deliver at this step."""
        camera = position = velocity = touch = None
        if self._steps % (PHYSICS_HZ // CAMERA_HZ) == 0:
            camera = self.camera.read()
        if self._steps % (PHYSICS_HZ // PROPRIOCEPTION_HZ) == 0:
            position, velocity = self.arm.state()
            touch = self.arm.touch_force()
        return Readings(camera, position, velocity, touch)

    def outcome(self) -> Outcome:
        """Return how the episode stands."""
        elapsed_s = (self._steps - self._began_step) / PHYSICS_HZ
        late = elapsed_s >= self.task.time_limit_s
        distance = np.linalg.norm(self.arm.fingertip_position() - self.task.target())
        return Outcome(self._success or late, self._success, elapsed_s, float(distance))

    def close(self) -> None:
        """Release the physics client."""
        pybullet.disconnect(physicsClientId=self.client)
