"""The simulated arm: a KUKA iiwa from pybullet_data with a finger that feels force."""

from __future__ import annotations

from pathlib import Path
import tempfile
import xml.etree.ElementTree as ElementTree

import numpy as np
from numpy.typing import NDArray
import pybullet
import pybullet_data

FLANGE = 'lbr_iiwa_link_7'
FINGER = 'finger'
FINGERTIP = 'fingertip'
FLANGE_TO_FINGER_M = 0.045
FINGER_LENGTH_M = 0.14
FINGER_RADIUS_M = 0.012
FINGERTIP_RADIUS_M = 0.02
FINGER_MASS_KG = 0.05
MOTOR_FORCE_NM = 200.0
# The tracking of PyBullet's position motors: a gain of 1 would close the gap in one step.
POSITION_GAIN = 0.25
VELOCITY_GAIN = 1.0
# What the force sensor in the fingertip can show on each axis.
TOUCH_RANGE_N = 20.0


class Arm:
    """The arm in one physics client."""

    def __init__(self, client: int) -> None:
        """Load it with its base at the origin."""
        self._client = client
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / 'iiwa_with_finger.urdf'
            path.write_text(_urdf_with_finger(), encoding='utf-8')
            self.body = pybullet.loadURDF(str(path), useFixedBase=True, physicsClientId=client)
        infos = [
            pybullet.getJointInfo(self.body, i, physicsClientId=client)
            for i in range(pybullet.getNumJoints(self.body, physicsClientId=client))
        ]
        moving = [i for i in infos if i[2] == pybullet.JOINT_REVOLUTE]
        self.joints = [i[0] for i in moving]
        self.joint_names = tuple(i[1].decode() for i in moving)
        self.lower_rad = np.array([i[8] for i in moving])
        self.upper_rad = np.array([i[9] for i in moving])
        links = {i[12].decode(): i[0] for i in infos}
        self.fingertip = links[FINGERTIP]

    def set_posture(self, position_rad: NDArray[np.float64]) -> None:
        """Put the joints at a place, at rest, and hold them there."""
        for joint, angle in zip(self.joints, position_rad, strict=True):
            pybullet.resetJointState(self.body, joint, angle, 0.0, physicsClientId=self._client)
        self.command(position_rad)

    def command(self, position_rad: NDArray[np.float64]) -> None:
        """Give the motors new set-points `(7,)`."""
        n = len(self.joints)
        pybullet.setJointMotorControlArray(
            self.body,
            self.joints,
            pybullet.POSITION_CONTROL,
            targetPositions=position_rad.tolist(),
            forces=[MOTOR_FORCE_NM] * n,
            positionGains=[POSITION_GAIN] * n,
            velocityGains=[VELOCITY_GAIN] * n,
            physicsClientId=self._client,
        )

    def state(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return joint positions in rad and velocities in rad/s, `(7,)` each."""
        states = pybullet.getJointStates(self.body, self.joints, physicsClientId=self._client)
        return np.array([s[0] for s in states]), np.array([s[1] for s in states])

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
        """Return the Jacobian of the fingertip, `(6, 7)`: three rows linear, three angular."""
        zeros = [0.0] * len(self.joints)
        linear, angular = pybullet.calculateJacobian(
            self.body,
            self.fingertip,
            [0.0, 0.0, 0.0],
            position_rad.tolist(),
            zeros,
            zeros,
            physicsClientId=self._client,
        )
        return np.array(linear + angular)

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


def _urdf_with_finger() -> str:
    """Return the iiwa's URDF with a finger at its flange and its meshes by absolute path."""
    folder = Path(pybullet_data.getDataPath()) / 'kuka_iiwa'
    root = ElementTree.parse(folder / 'model.urdf').getroot()
    for mesh in root.iter('mesh'):
        mesh.set('filename', str(folder / mesh.get('filename', '')))
    _add_fixed_link(
        root,
        FLANGE,
        FINGER,
        f'0 0 {FLANGE_TO_FINGER_M + FINGER_LENGTH_M / 2}',
        f'<cylinder radius="{FINGER_RADIUS_M}" length="{FINGER_LENGTH_M}"/>',
        '0.2 0.2 0.2 1',
    )
    _add_fixed_link(
        root,
        FINGER,
        FINGERTIP,
        f'0 0 {FINGER_LENGTH_M / 2}',
        f'<sphere radius="{FINGERTIP_RADIUS_M}"/>',
        '0.1 0.1 0.8 1',
    )
    return ElementTree.tostring(root, encoding='unicode')


def _add_fixed_link(
    root: ElementTree.Element, parent: str, name: str, xyz: str, shape: str, rgba: str
) -> None:
    inertia = FINGER_MASS_KG * FINGER_LENGTH_M**2 / 12
    root.append(
        ElementTree.fromstring(
            f'<link name="{name}"><inertial><mass value="{FINGER_MASS_KG}"/>'
            f'<inertia ixx="{inertia}" iyy="{inertia}" izz="{inertia}" ixy="0" ixz="0" iyz="0"/>'
            f'</inertial><visual><geometry>{shape}</geometry><material name="{name}_colour">'
            f'<color rgba="{rgba}"/></material></visual>'
            f'<collision><geometry>{shape}</geometry></collision></link>'
        )
    )
    root.append(
        ElementTree.fromstring(
            f'<joint name="{name}_joint" type="fixed"><parent link="{parent}"/>'
            f'<child link="{name}"/><origin xyz="{xyz}"/></joint>'
        )
    )
