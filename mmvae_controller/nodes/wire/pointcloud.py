"""The two-step observation as a sensor_msgs/PointCloud2, a structured array that names itself.

Two points, [t - dt, t]. For each modality a field of its name with all its numbers, then
`<name>/known` (0 or 1) and `<name>/age_s` (inf if there is no sample). A masked slot is zero
here, so that nothing old can be read as new.
"""

from __future__ import annotations

from array import array
from dataclasses import asdict, dataclass
from functools import lru_cache

from mmvae_controller.modality.observation import (
    empty_values,
    nothing_known,
    Observation,
    STEPS,
)
from mmvae_controller.modality.spec import Modality
from mmvae_controller.nodes.wire.messages import stamp_of, time_message
from mmvae_controller.senses.errors import MessageError
import numpy as np
from sensor_msgs.msg import PointCloud2, PointField

_FIELD_TYPES = {np.dtype(np.uint8): PointField.UINT8, np.dtype(np.float32): PointField.FLOAT32}


# A model's layout never changes, and each tick asks for it.
@lru_cache(maxsize=8)
def point_dtype(modalities: tuple[Modality, ...]) -> np.dtype[np.void]:
    """Return the layout of one time step."""
    fields: list[tuple[str, object, tuple[int, ...]]] = []
    for modality in modalities:
        fields += [
            (modality.name, np.dtype(modality.dtype), modality.shape),
            (f'{modality.name}/known', np.dtype(np.uint8), ()),
            (f'{modality.name}/age_s', np.dtype(np.float32), ()),
        ]
    return np.dtype(fields)


@dataclass(frozen=True, slots=True)
class Field:
    """What a PointField says; unlike one, it cannot be changed, so it can be kept."""

    name: str
    offset: int
    datatype: int
    count: int


@lru_cache(maxsize=8)
def point_fields(modalities: tuple[Modality, ...]) -> tuple[Field, ...]:
    """Return the same layout in the words of PointCloud2."""
    layout = point_dtype(modalities)
    result = []
    for name in layout.names or ():
        kind, offset = layout.fields[name][:2]  # type: ignore[index]
        base = kind.base
        result.append(
            Field(
                name=name,
                offset=offset,
                datatype=_FIELD_TYPES[base],
                count=kind.itemsize // base.itemsize,
            )
        )
    return tuple(result)


def observation_message(
    observation: Observation, modalities: tuple[Modality, ...], stamp_ns: int
) -> PointCloud2:
    """Return an observation as a message.

    Args:
        observation: What was seen.
        modalities: In the order of its mask rows.
        stamp_ns: Its moment t on the ROS clock; its own may be on another clock.

    """
    points = np.zeros(STEPS, dtype=point_dtype(modalities))
    for row, modality in enumerate(modalities):
        known = observation.known[row]
        points[modality.name][known] = observation.values[modality.name][known]
        points[f'{modality.name}/known'] = known
        points[f'{modality.name}/age_s'] = observation.age_s[row]
    message = PointCloud2(
        height=1,
        width=STEPS,
        fields=[PointField(**asdict(field)) for field in point_fields(modalities)],
        is_bigendian=False,
        point_step=points.itemsize,
        row_step=points.nbytes,
        is_dense=bool(observation.known.all()),
    )
    message.header.stamp = time_message(stamp_ns)
    message.data = array('B', points.tobytes())
    return message


def read_observation(message: PointCloud2, modalities: tuple[Modality, ...]) -> Observation:
    """Return the observation that a message carries.

    Raises:
        MessageError: It was made for other modalities, or its content is broken.

    """
    _check_layout(message, modalities)
    points = np.frombuffer(message.data, dtype=point_dtype(modalities))
    values = empty_values(modalities)
    known = nothing_known(modalities)
    age_s = np.zeros(known.shape, dtype=np.float32)
    for row, modality in enumerate(modalities):
        name = modality.name
        flags = points[f'{name}/known']
        if flags.max() > 1:
            raise MessageError(f'{name}/known is {flags.tolist()}, expected 0 or 1')
        known[row] = flags.astype(bool)
        age_s[row] = points[f'{name}/age_s']
        if not np.all(age_s[row] >= 0):
            raise MessageError(f'{name}/age_s is {age_s[row].tolist()}, expected 0 or above')
        values[name][known[row]] = points[name][known[row]]
        if not np.all(np.isfinite(values[name])):
            raise MessageError(f'{name} is known but not finite')
    return Observation(stamp_of(message.header.stamp), values, known, age_s)


def _check_layout(message: PointCloud2, modalities: tuple[Modality, ...]) -> None:
    expected = point_fields(modalities)
    found_names = [f.name for f in message.fields]
    expected_names = [f.name for f in expected]
    if found_names != expected_names:
        raise MessageError(f'fields are {found_names}, expected {expected_names}')
    for found, wanted in zip(message.fields, expected, strict=True):
        for what in ('offset', 'datatype', 'count'):
            if getattr(found, what) != getattr(wanted, what):
                raise MessageError(
                    f'field {wanted.name}: {what} is {getattr(found, what)}, '
                    f'expected {getattr(wanted, what)}'
                )
    size = point_dtype(modalities).itemsize
    for what, value in (
        ('height', 1),
        ('width', STEPS),
        ('is_bigendian', False),
        ('point_step', size),
        ('row_step', STEPS * size),
    ):
        if getattr(message, what) != value:
            raise MessageError(f'{what} is {getattr(message, what)}, expected {value}')
    if len(message.data) != STEPS * size:
        raise MessageError(f'data has {len(message.data)} bytes, expected {STEPS * size}')
