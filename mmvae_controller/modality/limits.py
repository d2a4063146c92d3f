"""What the joints may do: position, velocity and acceleration limits."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import TYPE_CHECKING
import xml.etree.ElementTree as ElementTree

from mmvae_controller.modality.errors import ModalityError
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mmvae_controller.modality.reader import Section


@dataclass(frozen=True, slots=True, eq=False)
class JointLimits:
    """Limits of D joints, each `(D,)` float64.

    Args:
        joints: Their names.
        lower_rad: Smallest position.
        upper_rad: Largest position.
        velocity_rad_s: Largest speed, above 0.
        acceleration_rad_s2: Largest change of speed, above 0.

    """

    joints: tuple[str, ...]
    lower_rad: NDArray[np.float64]
    upper_rad: NDArray[np.float64]
    velocity_rad_s: NDArray[np.float64]
    acceleration_rad_s2: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Refuse limits that let anything or nothing pass."""
        for name in ('lower_rad', 'upper_rad', 'velocity_rad_s', 'acceleration_rad_s2'):
            values = np.asarray(getattr(self, name), dtype=np.float64)
            if values.shape != (len(self.joints),):
                raise ModalityError(
                    f'limits: {name} has {values.size} numbers for {len(self.joints)} joints'
                )
            if not np.all(np.isfinite(values)):
                raise ModalityError(
                    f'limits: {name} is not finite: {values.tolist()} of {list(self.joints)}'
                )
            object.__setattr__(self, name, values)
        for i, joint in enumerate(self.joints):
            if not self.lower_rad[i] < self.upper_rad[i]:
                raise ModalityError(
                    f'limits of {joint}: lower {self.lower_rad[i]} rad is not below upper '
                    f'{self.upper_rad[i]} rad'
                )
            if not (self.velocity_rad_s[i] > 0 and self.acceleration_rad_s2[i] > 0):
                raise ModalityError(f'limits of {joint}: velocity and acceleration must be > 0')

    @classmethod
    def from_section(cls, section: Section, joints: tuple[str, ...]) -> JointLimits:
        """Read `lower_rad`, `upper_rad`, `velocity_rad_s`, `acceleration_rad_s2`.

        Raises:
            ModalityError: One is missing or does not fit the joints.

        """
        try:
            limits = cls(
                joints,
                np.array(section.numbers('lower_rad')),
                np.array(section.numbers('upper_rad')),
                np.array(section.numbers('velocity_rad_s')),
                np.array(section.numbers('acceleration_rad_s2')),
            )
        except ModalityError as error:
            text = str(error)
            raise ModalityError(
                text if text.startswith(section.where) else f'{section.where}: {text}'
            ) from error
        section.done()
        return limits


def limits_from_urdf(
    urdf: str, joints: tuple[str, ...], acceleration_rad_s2: float
) -> JointLimits:
    """Read position and velocity limits from a robot description.

    Args:
        urdf: The XML text.
        joints: Whose limits are wanted, in order.
        acceleration_rad_s2: A URDF has none, so it is given; one for all joints.

    Raises:
        ModalityError: Not XML, a joint is missing, or it has no limits.

    """
    try:
        root = ElementTree.fromstring(urdf)
    except ElementTree.ParseError as error:
        raise ModalityError(f'robot description is not valid XML: {error}') from error
    # Direct children only: <ros2_control> and <transmission> name the same joints, without limits.
    found = {j.get('name'): j.find('limit') for j in root.findall('joint')}
    rows = []
    for joint in joints:
        limit = found.get(joint)
        if limit is None:
            raise ModalityError(f'robot description: joint {joint} is missing or has no <limit>')
        try:
            rows.append([float(limit.get(k, math.nan)) for k in ('lower', 'upper', 'velocity')])
        except ValueError as error:
            raise ModalityError(f'robot description: limit of {joint}: {error}') from error
    lower, upper, velocity = np.array(rows, dtype=np.float64).reshape(-1, 3).T
    acceleration = np.full(len(joints), acceleration_rad_s2)
    return JointLimits(joints, lower, upper, velocity, acceleration)
