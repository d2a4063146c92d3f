"""The floor of collecting: PyBullet alone draws and steps what a data set holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
import time

from mmvae_controller.datasets.store import Dataset
from mmvae_controller.modality.robot import Robot
from mmvae_controller.simulation.arm import POSITION_GAIN, VELOCITY_GAIN
from mmvae_controller.simulation.camera import CAMERA_POSE, DRAWING, FAR_M, NEAR_M
from mmvae_controller.simulation.physics import pybullet
from mmvae_controller.simulation.simulator import PHYSICS_HZ, simulator_of
import numpy as np


@dataclass(frozen=True, slots=True)
class Shown:
    """What is replayed of an episode.

    Args:
        seed: Of its scene.
        postures: One for each picture, rad.

    """

    seed: int
    postures: list[list[float]]


def read_shown(folder: Path, seed: int, joints: str) -> list[Shown]:
    """Return the episodes of a data set.

    Args:
        folder: Of the data set.
        seed: Of its first episode.
        joints: The modality that says where the arm stood.

    """
    dataset = Dataset(folder)
    rows = np.arange(len(dataset))
    positions = dataset.column(joints, rows).astype(np.float64)
    return [
        Shown(seed + int(number), positions[dataset.episode == number].tolist())
        for number in np.unique(dataset.episode)
    ]


class BarePyBullet:
    """A scene of ours, and from then on nothing but PyBullet's own calls."""

    def __init__(self, robot: Robot, task: str, picture_hz: float) -> None:
        """Build the scene.

        Args:
            robot: Whose arm; its motors are given a set-point as often as its loop runs.
            task: Its name.
            picture_hz: So often a picture is drawn.

        """
        self._stage = simulator_of(robot, task)
        self._client, self._body = self._stage.client, self._stage.arm.body
        self._joints, self._forces = self._stage.arm.joints, self._stage.arm.motor_force_nm
        self._commands = round(robot.rate_hz / picture_hz)
        self._steps = round(PHYSICS_HZ / robot.rate_hz)
        height, width = self._stage.pictures.drawn
        view = pybullet.computeViewMatrix(CAMERA_POSE.eye, CAMERA_POSE.target, (0, 0, 1))
        lens = pybullet.computeProjectionMatrixFOV(
            CAMERA_POSE.field_of_view_deg, width / height, NEAR_M, FAR_M
        )
        self._picture = (width, height, view, lens)

    def draw_and_step(self, episodes: list[Shown]) -> float:
        """Draw a picture at each posture and let the motors go there; return the time in s."""
        took_s = 0.0
        for episode in episodes:
            self._begin(episode)
            began = time.perf_counter()
            for posture in episode.postures:
                for _ in range(self._commands):
                    self._command(posture)
                    for _ in range(self._steps):
                        pybullet.stepSimulation(physicsClientId=self._client)
                self._draw()
            took_s += time.perf_counter() - began
        return took_s

    def draw(self, episodes: list[Shown]) -> float:
        """Draw a picture of each posture and nothing else; return the time in s."""
        took_s = 0.0
        for episode in episodes:
            self._begin(episode)
            for posture in episode.postures:
                self._stand(posture)
                began = time.perf_counter()
                self._draw()
                took_s += time.perf_counter() - began
        return took_s

    def step(self, seed: int, steps: int) -> float:
        """Let physics pass, the arm at rest in the posture of a seed; return the time in s."""
        self._stage.reset(seed)
        began = time.perf_counter()
        for _ in range(steps):
            pybullet.stepSimulation(physicsClientId=self._client)
        return time.perf_counter() - began

    def close(self) -> None:
        """Release the physics client."""
        self._stage.close()

    def _begin(self, episode: Shown) -> None:
        self._stage.reset(episode.seed)
        self._stand(episode.postures[0])

    def _stand(self, posture: list[float]) -> None:
        for joint, angle in zip(self._joints, posture, strict=True):
            pybullet.resetJointState(self._body, joint, angle, 0.0, physicsClientId=self._client)

    def _command(self, posture: list[float]) -> None:
        count = len(self._joints)
        pybullet.setJointMotorControlArray(
            self._body,
            self._joints,
            pybullet.POSITION_CONTROL,
            targetPositions=posture,
            forces=self._forces,
            positionGains=[POSITION_GAIN] * count,
            velocityGains=[VELOCITY_GAIN] * count,
            physicsClientId=self._client,
        )

    def _draw(self) -> None:
        pybullet.getCameraImage(*self._picture, physicsClientId=self._client, **DRAWING)
