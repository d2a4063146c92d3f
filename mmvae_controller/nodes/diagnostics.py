"""The diagnostics node: how much each sense matters right now, and what the model expects."""

from __future__ import annotations

import time
from typing import Any

from mmvae_controller.control.network import Network
from mmvae_controller.control.window import NS
from mmvae_controller.importance.live import Importance, LiveImportance
from mmvae_controller.modality.contract import NETWORK_FILE
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.gaussian import Gaussian
from mmvae_controller.modality.observation import CURRENT, Observation, PREVIOUS
from mmvae_controller.modality.spec import Encoder, Modality
from mmvae_controller.nodes.arrays import labelled_array
from mmvae_controller.nodes.errors import MessageError
from mmvae_controller.nodes.messages import ENCODING_OF, image_message
from mmvae_controller.nodes.parameters import declare, given_path
from mmvae_controller.nodes.pointcloud import read_observation
from mmvae_controller.nodes.qos import NEWEST, REPORT
from mmvae_controller.nodes.runtime import main as run_main
from mmvae_controller.nodes.smoothing import Smoother
from mmvae_controller.nodes.status import Level, LOG_THROTTLE_S, Status
from mmvae_controller.nodes.updater import Updater
import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.publisher import Publisher
from sensor_msgs.msg import Image, PointCloud2
from std_msgs.msg import Float32MultiArray, Float64, Float64MultiArray

STALE_NS = NS
UINT8_MAX = 255
TIME_LABELS = ('t-dt', 't')


class DiagnosticsNode(Node):
    """Evaluates the newest observation at its own rate; too slow here delays nobody."""

    def __init__(self, **options: Any) -> None:
        """Load the model and listen; `options` are those of `rclpy.node.Node`.

        Raises:
            ModalityError: The model is missing or damaged, or a parameter makes no sense.

        """
        super().__init__('diagnostics', **options)
        declare(self, 'model', '', 'Folder of the trained model, the one the controller runs')
        rate_hz = declare(self, 'rate_hz', 10.0, 'Hz, of the evaluation')
        topic = declare(
            self,
            'observation_topic',
            'controller/observation',
            'Where the controller publishes what it sees',
        )
        smoothing_s = declare(self, 'smoothing_s', 0.5, 's, of the curves; 0 smooths nothing')
        if not rate_hz > 0:
            raise ModalityError(f'parameter rate_hz is {rate_hz}, expected above 0')
        network = Network(given_path(self, 'model'))
        self._contract = network.contract
        self._importance = LiveImportance(network)
        self._smoother: Smoother[tuple[str, str]] = Smoother(smoothing_s)
        self._waiting: PointCloud2 | None = None
        self._heard_ns: int | None = None
        self._evaluated_ns = time.monotonic_ns()
        self._took_ms = 0.0
        self._trouble = ''
        self._observation: Observation | None = None
        self._last: Importance | None = None
        self._curves: dict[tuple[str, str], float] = {}
        self._curve_out: dict[tuple[str, str], Publisher] = {}
        self._matrix_out = self.create_publisher(Float64MultiArray, 'importance/matrix', REPORT)
        self._prediction_out = {m.name: self._prediction_publisher(m) for m in self._modalities}
        self._updater = Updater(self, self._statuses)
        self._updater.hardware_id = self._contract.name
        self.create_subscription(PointCloud2, topic, self._hear, NEWEST)
        # On a steady clock: it has to say that nothing comes when /clock stands still, too.
        self.create_timer(
            1 / rate_hz, self._evaluate, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    def start(self) -> None:
        """Nothing is left to do."""

    def close(self) -> None:
        """Nothing has to be said at the end."""

    def callback_failed(self, error: Exception) -> None:
        """Tell on /diagnostics."""
        self._trouble = f'{type(error).__name__}: {error}'

    @property
    def _modalities(self) -> tuple[Modality, ...]:
        return self._contract.modalities

    def _prediction_publisher(self, modality: Modality) -> Publisher:
        kind = Image if modality.encoder is Encoder.IMAGE else Float32MultiArray
        return self.create_publisher(kind, f'~/prediction/{modality.name}', REPORT)

    def _hear(self, message: PointCloud2) -> None:
        self._waiting = message
        self._heard_ns = time.monotonic_ns()

    def _stale(self) -> bool:
        now_ns = time.monotonic_ns()
        return self._heard_ns is None or now_ns - self._heard_ns > STALE_NS

    def _evaluate(self) -> None:
        """Evaluate what was heard since the last time; nothing new, nothing is published."""
        message, self._waiting = self._waiting, None
        if message is None:
            if self._stale():
                self._last = None
                self._curves.clear()
                self._smoother.clear()
            return
        try:
            observation = read_observation(message, self._modalities)
        except MessageError as error:
            self._trouble = f'observation rejected: {error}'
            self.get_logger().warning(self._trouble, throttle_duration_sec=LOG_THROTTLE_S)
            return
        began_ns = time.monotonic_ns()
        self._last = self._importance.evaluate(observation)
        ended_ns = time.monotonic_ns()
        elapsed_s = (ended_ns - self._evaluated_ns) / NS
        self._took_ms = (ended_ns - began_ns) * 1000 / NS
        self._evaluated_ns = ended_ns
        self._observation = observation
        self._trouble = ''
        self._publish_importance(self._last, elapsed_s)
        self._publish_predictions(self._last, observation.stamp_ns)

    def _publish_importance(self, importance: Importance, elapsed_s: float) -> None:
        for measure, by_modality in importance.measures.items():
            for modality, nats in by_modality.items():
                key = (measure, modality)
                value = self._smoother.smooth(key, nats, elapsed_s)
                if value is None:
                    self._curves.pop(key, None)
                    continue
                self._curves[key] = value
                if key not in self._curve_out:
                    self._curve_out[key] = self.create_publisher(
                        Float64, f'importance/{measure}/{modality}', REPORT
                    )
                self._curve_out[key].publish(Float64(data=value))
        names = importance.modalities
        if np.all(np.isfinite(importance.without)):
            self._matrix_out.publish(
                labelled_array(
                    Float64MultiArray, importance.without, (('without', names), ('loses', names))
                )
            )

    def _publish_predictions(self, importance: Importance, stamp_ns: int) -> None:
        for modality in self._modalities:
            out = self._prediction_out[modality.name]
            predicted = importance.predicted.get(modality.name)
            if predicted is not None and out.get_subscription_count():
                out.publish(self._prediction(modality, predicted, stamp_ns))

    def _prediction(self, modality: Modality, predicted: Gaussian, stamp_ns: int) -> Any:
        if modality.encoder is Encoder.IMAGE:
            mean = np.nan_to_num(predicted.mean[0, CURRENT])
            picture = np.clip(np.rint(mean), 0, UINT8_MAX).astype(np.uint8)
            return image_message(picture, ENCODING_OF[modality.channels], stamp_ns, modality.name)
        values = np.stack([predicted.mean[0], predicted.std[0]])
        return labelled_array(
            Float32MultiArray,
            values,
            (
                ('statistic', ('mean', 'std')),
                ('time', TIME_LABELS),
                ('channel', modality.channels),
            ),
        )

    def _statuses(self) -> list[Status]:
        if self._stale() or self._last is None or self._observation is None:
            why = self._trouble or 'no observation for 1 s'
            if self._heard_ns is None:
                why = 'no observation yet'
            return [Status('model', Level.STALE, why, self._about_model())] + [
                Status(f'importance {m.name}', Level.STALE, why) for m in self._modalities
            ]
        level, text = Level.OK, self._contract.name
        if self._trouble:
            level, text = Level.WARN, self._trouble
        values = {
            **self._about_model(),
            'latent_kl nats': self._last.latent_kl,
            'active units': self._last.active_units,
            'evaluation ms': self._took_ms,
        }
        return [Status('model', level, text, values)] + [
            self._modality_status(row, m.name) for row, m in enumerate(self._modalities)
        ]

    def _about_model(self) -> dict[str, object]:
        return {
            'name': self._contract.name,
            'sha256': self._contract.checksums.get(NETWORK_FILE, 'none'),
        }

    def _modality_status(self, row: int, name: str) -> Status:
        assert self._observation is not None
        known = self._observation.known[row]
        text = 'known' if known[CURRENT] else 'missing at t, predicted from the rest'
        return Status(
            f'importance {name}',
            Level.OK,
            text,
            {
                'known at t': bool(known[CURRENT]),
                'known at t-1': bool(known[PREVIOUS]),
                **{
                    f'{m} nats': v for (m, modality), v in self._curves.items() if modality == name
                },
            },
        )


def main() -> None:
    """Run the node."""
    run_main(DiagnosticsNode, 'diagnostics')


if __name__ == '__main__':
    main()
