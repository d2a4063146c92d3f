"""A simulated arm with a finger that feels force; `arm_file` says which one."""

from __future__ import annotations

from pathlib import Path
import tempfile
from typing import Any

from mmvae_controller.simulation.arm_file import ArmDescription
from mmvae_controller.simulation.arm_urdf import FINGERTIP, urdf_with_finger
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.simulation.physics import pybullet
import numpy as np
from numpy.typing import NDArray

# The tracking of PyBullet's position motors: a gain of 1 would close the gap in one step.
POSITION_GAIN = 0.25
VELOCITY_GAIN = 1.0
# N or Nm: holds a gripper whatever hangs on it.
HOLDING_FORCE = 50.0
# What the force sensor in the fingertip can show on each axis.
TOUCH_RANGE_N = 20.0


class Arm:
    """The arm in one physics client; it has D commanded joints."""

    def __init__(self, client: int, description: ArmDescription) -> None:
        """Load it with its base at the origin.

        Raises:
            SimulationError: Its URDF does not have what its description names.

        """
        self._client = client
        self.home_rad = description.home_rad
        self.spread_rad = description.spread_rad
        self.reach_m = description.reach_m
        self.joint_names = description.joints
        self.held_names = tuple(description.held)
        self.motor_force_nm: list[float] = description.motor_force_nm.tolist()
        self.body = _load(client, description)
        infos = [
            pybullet.getJointInfo(self.body, i, physicsClientId=client)
            for i in range(pybullet.getNumJoints(self.body, physicsClientId=client))
        ]
        moving = {i[1].decode(): i for i in infos if i[2] != pybullet.JOINT_FIXED}
        _check(description, moving)
        self.joints = [moving[name][0] for name in self.joint_names]
        self.held = [moving[name][0] for name in self.held_names]
        # A joint that turns for ever has its limits the wrong way round.
        bounds = np.array([moving[name][8:10] for name in self.joint_names])
        endless = bounds[:, 0] > bounds[:, 1]
        self.lower_rad = np.where(endless, -np.inf, bounds[:, 0])
        self.upper_rad = np.where(endless, np.inf, bounds[:, 1])
        _check_postures(description, self.lower_rad, self.upper_rad)
        self._held_at = list(description.held.values())
        # The Jacobian is asked for with all that moves, and has a column for each.
        self._columns = [list(moving).index(name) for name in self.joint_names]
        self._all_at = np.array([description.held.get(name, 0.0) for name in moving])
        links = {i[12].decode(): i[0] for i in infos}
        self.fingertip = links[FINGERTIP]
        self._hold()

    def set_posture(self, position_rad: NDArray[np.float64]) -> None:
        """Put the joints at a place, at rest, and hold them there."""
        for joint, angle in zip(self.joints, position_rad, strict=True):
            pybullet.resetJointState(self.body, joint, angle, 0.0, physicsClientId=self._client)
        for joint, place in zip(self.held, self._held_at, strict=True):
            pybullet.resetJointState(self.body, joint, place, 0.0, physicsClientId=self._client)
        self.command(position_rad)

    def command(self, position_rad: NDArray[np.float64]) -> None:
        """Give the motors new set-points `(D,)`."""
        n = len(self.joints)
        pybullet.setJointMotorControlArray(
            self.body,
            self.joints,
            pybullet.POSITION_CONTROL,
            targetPositions=position_rad.tolist(),
            forces=self.motor_force_nm,
            positionGains=[POSITION_GAIN] * n,
            velocityGains=[VELOCITY_GAIN] * n,
            physicsClientId=self._client,
        )

    def state(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return joint positions in rad and velocities in rad/s, `(D,)` each."""
        states = pybullet.getJointStates(self.body, self.joints, physicsClientId=self._client)
        return np.array([s[0] for s in states]), np.array([s[1] for s in states])

    def held_state(self) -> tuple[list[float], list[float]]:
        """Return the same of the joints that are not commanded, rad or m, in their order."""
        # Of no joints PyBullet returns None.
        held = self.held and pybullet.getJointStates(
            self.body, self.held, physicsClientId=self._client
        )
        return [s[0] for s in held], [s[1] for s in held]

    def fingertip_position(self) -> NDArray[np.float64]:
        """Return the centre of the fingertip in the world, `(3,)` m."""
        link = pybullet.getLinkState(
            self.body, self.fingertip, computeForwardKinematics=True, physicsClientId=self._client
        )
        return np.array(link[4])

    def fingertip_axis(self) -> NDArray[np.float64]:
        """Return the unit vector along which the finger points, `(3,)`."""
        link = pybullet.getLinkState(
            self.body, self.fingertip, computeForwardKinematics=True, physicsClientId=self._client
        )
        return np.array(pybullet.getMatrixFromQuaternion(link[5])[2::3])

    def fingertip_jacobian(self, position_rad: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the Jacobian of the fingertip, `(6, D)`: three rows linear, three angular."""
        zeros = [0.0] * len(self._all_at)
        self._all_at[self._columns] = position_rad
        linear, angular = pybullet.calculateJacobian(
            self.body,
            self.fingertip,
            [0.0, 0.0, 0.0],
            self._all_at.tolist(),
            zeros,
            zeros,
            physicsClientId=self._client,
        )
        return np.array(linear + angular).take(self._columns, axis=1)

    def touch_force(self) -> NDArray[np.float64]:
        """Return the contact force on the fingertip, world axes, `(3,)` N, saturated."""
        force = np.zeros(3)
        contacts = pybullet.getContactPoints(
            bodyA=self.body, linkIndexA=self.fingertip, physicsClientId=self._client
        )
        if not contacts:
            return force
        for contact in contacts:
            force += contact[9] * np.array(contact[7])
        return np.clip(force, -TOUCH_RANGE_N, TOUCH_RANGE_N)

    def fingertip_touches(self, body: int) -> bool:
        """Tell whether the fingertip, and not another link, is in contact with a body."""
        return bool(
            pybullet.getContactPoints(
                bodyA=self.body,
                bodyB=body,
                linkIndexA=self.fingertip,
                physicsClientId=self._client,
            )
        )

    def _hold(self) -> None:
        """Let the joints that are not commanded stay where they are held."""
        n = len(self.held)
        if n:
            pybullet.setJointMotorControlArray(
                self.body,
                self.held,
                pybullet.POSITION_CONTROL,
                targetPositions=self._held_at,
                forces=[HOLDING_FORCE] * n,
                physicsClientId=self._client,
            )


def _load(client: int, description: ArmDescription) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'arm_with_finger.urdf'
        path.write_text(urdf_with_finger(description), encoding='utf-8')
        try:
            return int(pybullet.loadURDF(str(path), useFixedBase=True, physicsClientId=client))
        except pybullet.error as error:
            raise SimulationError(
                f'{description.urdf}: PyBullet cannot load it: {error}'
            ) from error


def _check(description: ArmDescription, moving: dict[str, tuple[Any, ...]]) -> None:
    """Refuse a description that does not say of each joint that moves who moves it."""
    named = (*description.joints, *description.held)
    absent = [name for name in named if name not in moving]
    if absent:
        raise SimulationError(
            f'{description.path}: {", ".join(absent)} is no joint that moves, of '
            f'{description.urdf}: {", ".join(moving)}'
        )
    forgotten = [name for name in moving if name not in named]
    if forgotten:
        raise SimulationError(
            f'{description.path}: {", ".join(forgotten)} moves, expected it in joints or in held'
        )
    sliding = [n for n in description.joints if moving[n][2] != pybullet.JOINT_REVOLUTE]
    if sliding:
        raise SimulationError(
            f'{description.path}: joints: {", ".join(sliding)} does not turn, expected joints '
            'whose set-points are angles; what slides can be held'
        )


def _check_postures(
    description: ArmDescription, lower_rad: NDArray[np.float64], upper_rad: NDArray[np.float64]
) -> None:
    """Refuse postures to begin with that the joints do not reach."""
    lowest = description.home_rad - description.spread_rad
    highest = description.home_rad + description.spread_rad
    outside = np.flatnonzero((lowest < lower_rad) | (highest > upper_rad))
    for i in outside.tolist():
        raise SimulationError(
            f'{description.path}: {description.joints[i]} begins between {lowest[i]:g} and '
            f'{highest[i]:g} rad by home_rad and spread_rad, its limits are {lower_rad[i]:g} and '
            f'{upper_rad[i]:g}'
        )
