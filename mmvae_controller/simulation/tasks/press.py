"""Press a sprung key whose height the camera does not resolve, and hold the force."""

from __future__ import annotations

from dataclasses import dataclass
import math
from pathlib import Path
import tempfile

from mmvae_controller.simulation.arm import Arm
from mmvae_controller.simulation.arm_urdf import FINGERTIP_RADIUS_M
from mmvae_controller.simulation.camera import CAMERA_POSE
from mmvae_controller.simulation.physics import pybullet
from mmvae_controller.simulation.tasks.postures import draw_posture
from mmvae_controller.simulation.tasks.reach import approach, from_above, joint_velocity, length
from mmvae_controller.simulation.tasks.sector import Sector
from mmvae_controller.simulation.tasks.standing import Standing
from mmvae_controller.simulation.tasks.touch_target import put
import numpy as np
from numpy.typing import NDArray

KEY = 0
KEY_WIDTH_M = 0.12
PANEL_WIDTH_M = 0.15
THICKNESS_M = 0.02
POST_WIDTH_M = 0.02
# Long enough for the highest panel; the rest of it is in the floor.
POST_LENGTH_M = 0.08
KEY_MASS_KG = 0.1
KEY_TRAVEL_M = 0.015
# 3 N at 6 mm: the band of 3 +- 1.5 N is 6 mm wide, the heights differ by 40 mm.
STIFFNESS_N_M = 500.0
DAMPING_RATIO = 0.7
DAMPING_N_S_M = 2 * DAMPING_RATIO * math.sqrt(STIFFNESS_N_M * KEY_MASS_KG)
WEIGHT_N = 9.81 * KEY_MASS_KG
OUT_OF_REACH_M_S = 100.0
# At the stop of the key the spring has 7.5 N: who presses twice as hard, and does not notice for
# a tenth of a second, has broken it. A shorter knock it bears.
TOO_HARD_N = 15.0
TOO_HARD_S = 0.1
# The fingertip waits so far above the highest key until it is over the key.
CLEARANCE_M = 0.03
# Nearer to the key's middle than the first it presses, farther than the second it does not.
PRESSING_M = 0.02
REACHING_M = 0.045
# In free air 3 N are missing: it comes down at 0.09 m/s. On the key the error of the force fades
# at STIFFNESS_N_M times this, 15 per second; at 40 per second it was steady still.
ADMITTANCE_M_S_N = 0.03
# How far from the key a demonstrator is disturbed in full, and by what share at it.
DISTURBED_FROM_M = 0.3
DISTURBED_NEAR = 0.08


LIES_IN = Sector(nearest_m=0.45, farthest_m=0.72, half_angle_rad=math.radians(60))


@dataclass
class Press:
    """Press a green key with the fingertip and hold 3 N on it for a second without interruption.

    Where the key lies is for the camera to say. How high it stands is not: seen from the camera a
    higher key looks like one farther away, and its post is hidden below it. Only touch tells.
    """

    name: str = 'press'
    time_limit_s: float = 8.0
    height_m: float = 0.08
    height_spread_m: float = 0.02
    area: Sector = LIES_IN
    force_n: float = 3.0
    tolerance_n: float = 1.5
    hold_s: float = 1.0

    def build(self, client: int) -> None:
        """Put the panel with its key into the scene."""
        self._client = client
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / 'panel.urdf'
            path.write_text(_PANEL_URDF, encoding='utf-8')
            self.panel = pybullet.loadURDF(str(path), useFixedBase=True, physicsClientId=client)
        # Carries the key's weight, also while a scene waits to begin: a motor that can not reach
        # its speed pushes with all its force.
        pybullet.setJointMotorControl2(
            self.panel,
            KEY,
            pybullet.VELOCITY_CONTROL,
            targetVelocity=-OUT_OF_REACH_M_S,
            force=WEIGHT_N,
            physicsClientId=client,
        )
        self.put(np.zeros(3))

    def reset(self, arm: Arm, random: np.random.Generator) -> None:
        """Put the panel anywhere in the sector, at any height, with the key up; raise the arm."""
        place = self.area.within(arm.reach_m).draw(random)
        height = self.height_m + random.uniform(-1, 1) * self.height_spread_m
        self.put(np.append(place, height))
        draw_posture(arm, random)

    def put(self, place_m: NDArray[np.float64]) -> None:
        """Put the panel where the middle of its key's face is at a place `(3,)` m, the key up."""
        self.place_m = place_m
        middle = place_m - np.array([0.0, 0.0, 1.5 * THICKNESS_M])
        put(self._client, self.panel, middle)
        pybullet.resetJointState(self.panel, KEY, 0.0, 0.0, physicsClientId=self._client)
        self._held_s = self._too_hard_s = 0.0

    def advance(self, arm: Arm, step_s: float) -> None:
        """Let the spring push; count for how long the force has been right, or far too high."""
        travel_m, speed_m_s = pybullet.getJointState(
            self.panel, KEY, physicsClientId=self._client
        )[:2]
        push = STIFFNESS_N_M * travel_m + DAMPING_N_S_M * speed_m_s
        pybullet.setJointMotorControl2(
            self.panel, KEY, pybullet.TORQUE_CONTROL, force=-push, physicsClientId=self._client
        )
        right = abs(self.key_force_n(arm) - self.force_n) <= self.tolerance_n
        self._held_s = self._held_s + step_s if right else 0.0
        too_hard = self.load_n(arm) > TOO_HARD_N
        self._too_hard_s = self._too_hard_s + step_s if too_hard else 0.0

    def standing(self, arm: Arm) -> Standing:
        """Tell whether the force was held, and whether the key broke."""
        return Standing(self._held_s >= self.hold_s, self._too_hard_s >= TOO_HARD_S)

    def distance_m(self, arm: Arm) -> float:
        """Return how far the fingertip is from where it begins to touch the key."""
        return length(self._contact_m() - arm.fingertip_position())

    def expert_velocity(self, arm: Arm) -> NDArray[np.float64]:
        """Go over the key, come down until it is felt, and regulate the force (an admittance).

        It knows no more than the senses can tell: it goes to where the key seems to lie, about
        2 cm beside its middle at most, and of the height it knows the range.
        """
        waiting = seen_at(self.place_m, self.height_m)
        waiting[2] += self.height_spread_m + FINGERTIP_RADIUS_M + CLEARANCE_M
        offset = waiting - arm.fingertip_position()
        sideways = length(offset[:2])
        tip = approach(from_above(offset))
        down = ADMITTANCE_M_S_N * (self.force_n - arm.touch_force()[2])
        over = np.clip((REACHING_M - sideways) / (REACHING_M - PRESSING_M), 0.0, 1.0)
        tip[2] += over * min(0.0, -down - tip[2])
        return joint_velocity(arm, tip)

    def disturbance(self, arm: Arm) -> float:
        """Return by what share a demonstrator may be disturbed: near the key a push breaks it."""
        return min(1.0, max(DISTURBED_NEAR, self.distance_m(arm) / DISTURBED_FROM_M))

    def key_force_n(self, arm: Arm) -> float:
        """Return how hard the fingertip presses the key down."""
        contacts = pybullet.getContactPoints(
            bodyA=arm.body,
            bodyB=self.panel,
            linkIndexA=arm.fingertip,
            linkIndexB=KEY,
            physicsClientId=self._client,
        )
        return float(sum(contact[9] * contact[7][2] for contact in contacts))

    def load_n(self, arm: Arm) -> float:
        """Return how hard the arm, with whatever part, presses on key and panel."""
        contacts = pybullet.getContactPoints(
            bodyA=arm.body, bodyB=self.panel, physicsClientId=self._client
        )
        return float(sum(contact[9] for contact in contacts))

    def _contact_m(self) -> NDArray[np.float64]:
        """Return where the centre of the fingertip is when it begins to touch the key."""
        contact: NDArray[np.float64] = self.place_m + np.array([0.0, 0.0, FINGERTIP_RADIUS_M])
        return contact


def seen_at(place_m: NDArray[np.float64], height_m: float) -> NDArray[np.float64]:
    """Return where a place `(3,)` m seems to be to the camera when taken to be at a height."""
    eye = np.array(CAMERA_POSE.eye)
    ray = place_m - eye
    seen: NDArray[np.float64] = eye + ray * (height_m - eye[2]) / ray[2]
    return seen


def _link(name: str, mass_kg: float, rgb: str, shapes: dict[str, str]) -> str:
    """Return the URDF of a link of boxes: their sizes by where their middles are."""
    boxes = [
        f'<origin xyz="{middle}"/><geometry><box size="{size}"/></geometry>'
        for middle, size in shapes.items()
    ]
    look = f'<material name="{name}_colour"><color rgba="{rgb} 1"/></material>'
    inertia = mass_kg * KEY_WIDTH_M**2 / 6
    return (
        f'<link name="{name}"><inertial><mass value="{mass_kg}"/><inertia ixx="{inertia}" '
        f'iyy="{inertia}" izz="{inertia}" ixy="0" ixz="0" iyz="0"/></inertial>'
        + ''.join(f'<visual>{b}{look}</visual><collision>{b}</collision>' for b in boxes)
        + '</link>'
    )


_PANEL_URDF = (
    '<robot name="panel">'
    + _link(
        'panel',
        0.0,
        '0.15 0.15 0.15',
        {
            '0 0 0': f'{PANEL_WIDTH_M} {PANEL_WIDTH_M} {THICKNESS_M}',
            f'0 0 {-(THICKNESS_M + POST_LENGTH_M) / 2}': f'{POST_WIDTH_M} {POST_WIDTH_M} '
            f'{POST_LENGTH_M}',
        },
    )
    + _link(
        'key',
        KEY_MASS_KG,
        '0.05 0.8 0.1',
        {'0 0 0': f'{KEY_WIDTH_M} {KEY_WIDTH_M} {THICKNESS_M}'},
    )
    + '<joint name="spring" type="prismatic"><parent link="panel"/><child link="key"/>'
    f'<origin xyz="0 0 {THICKNESS_M}"/><axis xyz="0 0 -1"/>'
    f'<limit lower="0" upper="{KEY_TRAVEL_M}" effort="100" velocity="10"/></joint></robot>'
)
