"""The diagnostics node: how much each sense matters right now, and what the model expects."""

from __future__ import annotations

import os
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from mmvae_controller.control.network import Network
from mmvae_controller.importance.errors import ImportanceError
from mmvae_controller.importance.live import Importance, LiveImportance
from mmvae_controller.modality.contract import NETWORK_FILE
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.observation import CURRENT, Observation
from mmvae_controller.modality.spec import Role
from mmvae_controller.nodes.curves import Curves
from mmvae_controller.nodes.errors import MessageError
from mmvae_controller.nodes.evaluations import ModelHealth
from mmvae_controller.nodes.imagined import Imagined
from mmvae_controller.nodes.pace import AtMost
from mmvae_controller.nodes.parameters import declare, given_path
from mmvae_controller.nodes.pointcloud import read_observation
from mmvae_controller.nodes.qos import NEWEST, REPORT
from mmvae_controller.nodes.runtime import main as run_main
from mmvae_controller.nodes.senses import SenseHealth
from mmvae_controller.nodes.status import Level, LOG_THROTTLE_S, Status
from mmvae_controller.nodes.updater import Updater
import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import PointCloud2

# One observation that lacks a sense is a late message; this long it is a sense that is missing.
RAISE_AFTER_S = 0.1
NICENESS = 10
LARGEST_NICENESS = 19
UNMEASURED = 'what the network answers cannot be measured'


class DiagnosticsNode(Node):
    """Evaluates the newest observation at its own rate; too slow here delays nobody."""

    def __init__(self, **options: Any) -> None:
        """Load the model and listen; `options` are those of `rclpy.node.Node`.

        Raises:
            ModalityError: The model is missing, damaged or of one modality, or a parameter makes
                no sense.

        """
        super().__init__('diagnostics', **options)
        declare(self, 'model', '', 'Folder of the trained model, the one the controller runs')
        topic = declare(
            self,
            'observation_topic',
            'controller/observation',
            'Where the controller publishes what it sees; its inputs are heard under that name',
        )
        rate_hz = declare(self, 'rate_hz', 10.0, 'Hz, of the evaluation, at most')
        stale_s = declare(self, 'stale_s', 1.0, 's without an observation: then all is STALE')
        error_after_s = declare(
            self, 'error_after_s', 3.0, 's, so long a sense may be missing before it is an ERROR'
        )
        smoothing_s = declare(self, 'smoothing_s', 0.5, 's, of the curves; 0 smooths nothing')
        declare(
            self,
            'niceness',
            NICENESS,
            'How far this process stands back for others, 0 to 19: the control loop comes first',
        )
        _require_above_0(rate_hz=rate_hz, stale_s=stale_s, error_after_s=error_after_s)
        network = Network(given_path(self, 'model'))
        contract = network.contract
        self._modalities = contract.modalities
        try:
            self._importance = LiveImportance(network)
        except ImportanceError as error:
            raise ModalityError(str(error)) from error
        self._due = AtMost(rate_hz, 2 * rate_hz)
        self._waiting: PointCloud2 | None = None
        self._evaluated_s = time.monotonic()
        self._curves = Curves(self, tuple(m.name for m in self._modalities), smoothing_s)
        self._imagined = Imagined(self, self._modalities)
        self._senses = [
            SenseHealth(m.name, m.role is Role.SENSE, error_after_s) for m in self._modalities
        ]
        checksum = contract.checksums.get(NETWORK_FILE, 'none')
        self._model = ModelHealth(contract.name, checksum, 1 / rate_hz, stale_s)
        self._updater = Updater(self, self._statuses, RAISE_AFTER_S)
        self._updater.hardware_id = contract.name
        heard = self.create_subscription(PointCloud2, topic, self._hear, NEWEST)
        controller = heard.topic_name.strip('/').rpartition('/')[0]
        self._inputs = {f'{controller}: input {s.name}': s for s in self._senses}
        self.create_subscription(DiagnosticArray, '/diagnostics', self._hear_controller, REPORT)
        # On a steady clock: it has to say that nothing comes when /clock stands still, too.
        self.create_timer(1 / rate_hz, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def start(self) -> None:
        """Stand back where the control loop wants the same core.

        Raises:
            ModalityError: The niceness is none.

        """
        niceness = self.get_parameter('niceness').value
        if not 0 <= niceness <= LARGEST_NICENESS:
            raise ModalityError(
                f'parameter niceness is {niceness}, expected 0 to {LARGEST_NICENESS}'
            )
        os.nice(niceness)

    def close(self) -> None:
        """Nothing has to be said at the end."""

    def callback_failed(self, error: Exception) -> None:
        """Tell on /diagnostics."""
        self._fail(Level.WARN, f'{type(error).__name__}: {error}')

    def _hear(self, message: PointCloud2) -> None:
        self._waiting = message
        self._model.hear(time.monotonic())
        self._evaluate_if_due()

    def _hear_controller(self, message: DiagnosticArray) -> None:
        for status in message.status:
            sense = self._inputs.get(status.name)
            if sense is not None:
                values = {v.key: v.value for v in status.values}
                level = Level(status.level[0])
                sense.hear(level, status.message, values, time.monotonic())

    def _look(self) -> None:
        """Evaluate what had to wait; forget what is too old."""
        self._evaluate_if_due()
        if self._model.why_stale(time.monotonic()):
            self._curves.clear()
            for sense in self._senses:
                sense.forget()

    def _evaluate_if_due(self) -> None:
        """Evaluate what was heard since the last time; nothing new, nothing is published."""
        if self._waiting is None or not self._due.due(time.monotonic_ns()):
            return
        message, self._waiting = self._waiting, None
        try:
            observation = read_observation(message, self._modalities)
        except MessageError as error:
            self._fail(Level.WARN, f'observation rejected: {error}')
            return
        now_s = time.monotonic()
        self._model.read(now_s)
        for row, sense in enumerate(self._senses):
            age_s = float(observation.age_s[row, CURRENT])
            sense.observe(observation.known[row].tolist(), age_s, now_s)
        self._evaluate(observation)
        # A change of level is told now, and not when the updater looks next.
        self._updater.check()

    def _evaluate(self, observation: Observation) -> None:
        began_s = time.monotonic()
        try:
            importance = self._importance.evaluate(observation)
        except ImportanceError as error:
            self._fail(Level.ERROR, f'{UNMEASURED}: {error}')
            return
        ended_s = time.monotonic()
        self._model.evaluate(importance.latent_kl, importance.active_units, ended_s - began_s)
        unmeasured = _not_finite(importance)
        if unmeasured:
            self._model.fail(Level.ERROR, f'{UNMEASURED}: {", ".join(unmeasured)} is not finite')
        self._curves.publish(importance, ended_s - self._evaluated_s)
        self._evaluated_s = ended_s
        self._imagined.publish(observation, importance.predicted)

    def _fail(self, level: Level, text: str) -> None:
        """Tell why there is no evaluation, and show no number of an older one."""
        self._model.fail(level, text)
        self._curves.clear()
        self.get_logger().warning(text, throttle_duration_sec=LOG_THROTTLE_S)

    def _statuses(self) -> list[Status]:
        now_s = time.monotonic()
        why = self._model.why_stale(now_s)
        return [self._model.status(now_s)] + [
            s.stale(why, now_s) if why else s.status(self._curves.of(s.name), now_s)
            for s in self._senses
        ]


def _require_above_0(**values: float) -> None:
    for name, value in values.items():
        if not value > 0:
            raise ModalityError(f'parameter {name} is {value}, expected above 0')


def _not_finite(importance: Importance) -> list[str]:
    sound = np.isfinite(importance.without).all(axis=0)
    return [importance.modalities[column] for column in np.flatnonzero(~sound)]


def main() -> None:
    """Run the node."""
    run_main(DiagnosticsNode, 'diagnostics')


if __name__ == '__main__':
    main()
