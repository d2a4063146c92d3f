"""Messages of arrays, as the nodes would send them, for bags that no node records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmvae_controller.control.window import NS
from mmvae_controller.recordings.decoding import full_name, USUAL
import numpy as np
from numpy.typing import NDArray
from rosbags.typesys import get_typestore

Raw = memoryview


class Maker:
    """Makes raw messages (CDR); each method returns the type and the bytes."""

    def __init__(self) -> None:
        """Know the standard types."""
        self._store = get_typestore(USUAL)

    def clock(self, now_ns: int) -> tuple[str, Raw]:
        """Return the time."""
        return self._raw('rosgraph_msgs/Clock', clock=self._time(now_ns))

    def image(
        self, picture: NDArray[np.uint8], encoding: str, now_ns: int, frame: str
    ) -> tuple[str, Raw]:
        """Return a picture `(H, W, C)`."""
        height, width, channels = picture.shape
        return self._raw(
            'sensor_msgs/Image',
            header=self._header(now_ns, frame),
            height=height,
            width=width,
            encoding=encoding,
            is_bigendian=0,
            step=width * channels,
            data=np.ascontiguousarray(picture).reshape(-1),
        )

    def joints(
        self,
        names: Sequence[str],
        position: NDArray[np.float64],
        velocity: NDArray[np.float64],
        now_ns: int,
        frame: str,
    ) -> tuple[str, Raw]:
        """Return where joints are, `(D,)` rad, and how fast, rad/s."""
        return self._raw(
            'sensor_msgs/JointState',
            header=self._header(now_ns, frame),
            name=list(names),
            position=np.asarray(position, dtype=np.float64),
            velocity=np.asarray(velocity, dtype=np.float64),
            effort=np.empty(0),
        )

    def force(self, force: NDArray[np.float64], now_ns: int, frame: str) -> tuple[str, Raw]:
        """Return a force `(3,)` N without a torque."""
        vector = self._type('geometry_msgs/Vector3')
        wrench = self._type('geometry_msgs/Wrench')(
            force=vector(*force.tolist()), torque=vector(0.0, 0.0, 0.0)
        )
        return self._raw(
            'geometry_msgs/WrenchStamped', header=self._header(now_ns, frame), wrench=wrench
        )

    def numbers(self, values: NDArray[np.float64]) -> tuple[str, Raw]:
        """Return a set-point `(D,)`."""
        layout = self._type('std_msgs/MultiArrayLayout')(dim=[], data_offset=0)
        data = np.asarray(values, dtype=np.float64)
        return self._raw('std_msgs/Float64MultiArray', layout=layout, data=data)

    def flag(self, value: bool) -> tuple[str, Raw]:
        """Return true or false."""
        return self._raw('std_msgs/Bool', data=value)

    def empty(self) -> tuple[str, Raw]:
        """Return nothing but that something happened."""
        return self._raw('std_msgs/Empty', structure_needs_at_least_one_member=0)

    def status(self, name: str, values: Mapping[str, str]) -> tuple[str, Raw]:
        """Return a status that is well."""
        pair = self._type('diagnostic_msgs/KeyValue')
        return self._raw(
            'diagnostic_msgs/DiagnosticStatus',
            level=0,
            name=name,
            message='',
            hardware_id='',
            values=[pair(key=key, value=value) for key, value in values.items()],
        )

    def _raw(self, kind: str, **fields: Any) -> tuple[str, Raw]:
        message = self._type(kind)(**fields)
        raw: Raw = self._store.serialize_cdr(message, full_name(kind))
        return kind, raw

    def _type(self, kind: str) -> Any:
        return self._store.types[full_name(kind)]

    def _header(self, now_ns: int, frame: str) -> Any:
        return self._type('std_msgs/Header')(stamp=self._time(now_ns), frame_id=frame)

    def _time(self, now_ns: int) -> Any:
        return self._type('builtin_interfaces/Time')(sec=now_ns // NS, nanosec=now_ns % NS)
