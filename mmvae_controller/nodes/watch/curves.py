"""The topics of importance: a curve for each measure and modality, smoothed and as it is."""

from __future__ import annotations

import math

from mmvae_controller.importance.live import Importance
from mmvae_controller.importance.measures import MEASURES
from mmvae_controller.nodes.watch.smoothing import Smoother
from mmvae_controller.nodes.wire.arrays import labelled_array
from mmvae_controller.nodes.wire.qos import REPORT
import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.publisher import Publisher
from std_msgs.msg import Float64, Float64MultiArray

Key = tuple[str, str]


class Curves:
    """Publishes what was measured, and remembers the newest point of each smoothed curve."""

    def __init__(self, node: Node, modalities: tuple[str, ...], smoothing_s: float) -> None:
        """Announce every topic; see `Smoother` for `smoothing_s`."""
        self._smoother: Smoother[Key] = Smoother(smoothing_s)
        self._known: dict[str, list[bool]] = {}
        keys = [(measure, modality) for modality in modalities for measure in MEASURES]

        def curve(folder: str, key: Key) -> Publisher:
            return node.create_publisher(Float64, f'{folder}/{key[0]}/{key[1]}', REPORT)

        self._smooth_out = {key: curve('importance', key) for key in keys}
        self._raw_out = {key: curve('importance_raw', key) for key in keys}
        self._without_out = node.create_publisher(Float64MultiArray, 'importance/matrix', REPORT)
        self._alone_out = node.create_publisher(
            Float64MultiArray, 'importance/matrix_alone', REPORT
        )

    def clear(self) -> None:
        """Forget everything: what comes next is of another time."""
        self._smoother.clear()

    def of(self, modality: str) -> dict[str, float]:
        """Return the newest smoothed value of each measure that there is."""
        return {m: nats for (m, name), nats in self._smoother.newest.items() if name == modality}

    def publish(self, importance: Importance, elapsed_s: float) -> None:
        """Publish what is finite; `elapsed_s` since the last time."""
        self._forget_what_changed(importance)
        for key in self._raw_out:
            measure, modality = key
            nats = importance.measures[measure][modality]
            smooth = self._smoother.smooth(key, nats, elapsed_s)
            if smooth is None:
                continue
            self._raw_out[key].publish(Float64(data=nats))
            self._smooth_out[key].publish(Float64(data=smooth))
        names = importance.modalities
        without, alone = importance.without, importance.alone
        # NaN says that a modality is missing, and nothing else: not that an answer is broken.
        measured = importance.known.any(axis=1)
        self._publish(self._without_out, without, without, (('without', names), ('loses', names)))
        self._publish(
            self._alone_out, alone, alone[measured], (('alone', names), ('explains', names))
        )

    def _forget_what_changed(self, importance: Importance) -> None:
        """Smooth nothing over a loss or a return: then a curve is at once what it is."""
        for name, known in zip(importance.modalities, importance.known.tolist(), strict=True):
            if self._known.get(name) != known:
                for measure in MEASURES:
                    self._smoother.forget((measure, name))
            self._known[name] = known

    @staticmethod
    def _publish(
        out: Publisher,
        matrix: NDArray[np.float64],
        measured: NDArray[np.float64],
        labels: tuple[tuple[str, tuple[str, ...]], ...],
    ) -> None:
        if all(map(math.isfinite, measured.flat)):
            out.publish(labelled_array(Float64MultiArray, matrix, labels))
