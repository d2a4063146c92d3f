"""The topics of what the model sees and what it imagines, for who listens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmvae_controller.modality.gaussian import Gaussian
from mmvae_controller.modality.observation import CURRENT, Observation
from mmvae_controller.modality.spec import Encoder, Modality
from mmvae_controller.nodes.wire.arrays import labelled_array
from mmvae_controller.nodes.wire.messages import ENCODING_OF, image_message
from mmvae_controller.nodes.wire.qos import REPORT
import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Float32MultiArray

UINT8_MAX = 255
TIME_LABELS = ('t-dt', 't')


class Imagined:
    """Publishes `~/prediction/<modality>`, and `~/seen/<modality>` of pictures."""

    def __init__(self, node: Node, modalities: tuple[Modality, ...]) -> None:
        """Announce every topic."""
        self._modalities = modalities
        self._prediction_out = {
            m.name: node.create_publisher(
                Image if m.encoder is Encoder.IMAGE else Float32MultiArray,
                f'~/prediction/{m.name}',
                REPORT,
            )
            for m in modalities
        }
        self._seen_out = {
            m.name: node.create_publisher(Image, f'~/seen/{m.name}', REPORT)
            for m in modalities
            if m.encoder is Encoder.IMAGE
        }

    def publish(self, observation: Observation, predicted: Mapping[str, Gaussian]) -> None:
        """Publish what was seen at t, black where it is masked, and what was decoded."""
        stamp_ns = observation.stamp_ns
        for modality in self._modalities:
            name = modality.name
            out = self._prediction_out[name]
            if name in predicted and out.get_subscription_count():
                out.publish(_prediction(modality, predicted[name], stamp_ns))
            seen = self._seen_out.get(name)
            if seen is not None and seen.get_subscription_count():
                # What is masked came over the wire as zeros: see `observation_message`.
                picture = observation.values[name][CURRENT].view(np.uint8)
                seen.publish(_image(modality, picture, stamp_ns))


def _prediction(modality: Modality, predicted: Gaussian, stamp_ns: int) -> Any:
    if modality.encoder is Encoder.IMAGE:
        mean = np.nan_to_num(predicted.mean[0, CURRENT])
        picture = np.clip(np.rint(mean), 0, UINT8_MAX).astype(np.uint8)
        return _image(modality, picture, stamp_ns)
    return labelled_array(
        Float32MultiArray,
        np.stack([predicted.mean[0], predicted.std[0]]),
        (
            ('statistic', ('mean', 'std')),
            ('time', TIME_LABELS),
            ('channel', modality.channels),
        ),
    )


def _image(modality: Modality, picture: NDArray[np.uint8], stamp_ns: int) -> Image:
    return image_message(picture, ENCODING_OF[modality.channels], stamp_ns, modality.name)
