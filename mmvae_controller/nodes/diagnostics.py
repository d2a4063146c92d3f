"""The diagnostics node: how much each sense matters right now, and what the model expects."""

from __future__ import annotations

import math
import os
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from mmvae_controller.control.network import Network
from mmvae_controller.control.pace import AtMost
from mmvae_controller.guidance.help import explained_by
from mmvae_controller.importance.errors import ImportanceError
from mmvae_controller.importance.live import Importance, LiveImportance
from mmvae_controller.modality.contract import NETWORK_FILE
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.observation import CURRENT, Observation
from mmvae_controller.modality.shared_files import find_model
from mmvae_controller.modality.spec import Role
from mmvae_controller.nodes.parameters import declare, given
from mmvae_controller.nodes.reporting.status import Level, LOG_THROTTLE_S, Status
from mmvae_controller.nodes.reporting.updater import Updater
from mmvae_controller.nodes.runtime import main as run_main
from mmvae_controller.nodes.watch.curves import Curves
from mmvae_controller.nodes.watch.evaluations import ModelHealth, section_of
from mmvae_controller.nodes.watch.imagined import Imagined
from mmvae_controller.nodes.watch.senses import SenseHealth
from mmvae_controller.nodes.watch.watched import told_by
from mmvae_controller.nodes.wire.pointcloud import read_observation
from mmvae_controller.nodes.wire.qos import NEWEST, REPORT
from mmvae_controller.senses.errors import MessageError
import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.logging import get_logger
from rclpy.node import Node
from sensor_msgs.msg import PointCloud2

# The control loop comes first.
NICENESS = 10
# Faster than any robot observes; the timer of an endless rate would do nothing but fire.
MAX_RATE_HZ = 1000.0
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
        declare(
            self, 'model', '', 'Model folder, or the name of a shipped one: that of the controller'
        )
        topic = declare(
            self,
            'observation_topic',
            'controller/observation',
            'Where the controller publishes what it sees; its inputs are heard under that name',
        )
        rate_hz = declare(
            self, 'rate_hz', 10.0, 'Hz, of the evaluation, at most; 1 / stale_s at least'
        )
        stale_s = declare(self, 'stale_s', 1.0, 's without an observation: then all is STALE')
        error_after_s = declare(
            self, 'error_after_s', 3.0, 's, so long a sense may be missing before it is an ERROR'
        )
        smoothing_s = declare(self, 'smoothing_s', 0.5, 's, of the curves; 0 smooths nothing')
        _check(rate_hz, stale_s, error_after_s, smoothing_s)
        network = Network(find_model(given(self, 'model')))
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
            SenseHealth(m.name, m.role is Role.SENSE, error_after_s, m.max_age_s)
            for m in self._modalities
        ]
        checksum = contract.checksums.get(NETWORK_FILE, 'none')
        self._model = ModelHealth(contract.name, checksum, 1 / rate_hz, stale_s)
        self._updater = Updater(self, self._statuses)
        self._updater.hardware_id = contract.name
        heard = self.create_subscription(PointCloud2, topic, self._hear, NEWEST)
        controller = heard.topic_name.strip('/').rpartition('/')[0]
        self._inputs = {f'{controller}: input {s.name}': s for s in self._senses}
        self.create_subscription(DiagnosticArray, '/diagnostics', self._hear_controller, REPORT)
        # On a steady clock: it has to say that nothing comes when /clock stands still, too.
        self.create_timer(1 / rate_hz, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def start(self) -> None:
        """Nothing is left to do."""

    def close(self) -> None:
        """Tell the others."""
        self._updater.close()

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
                sense.hear(told_by(status, time.monotonic()))

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
        changed = [
            sense.observe(known, age_s, now_s)
            for sense, known, age_s in zip(
                self._senses,
                observation.known.tolist(),
                observation.age_s[:, CURRENT].tolist(),
                strict=True,
            )
        ]
        self._evaluate(observation)
        # What has changed is told now, and not when the updater looks next. That a sense is
        # missing is news also where the controller's warning has raised the level before.
        if any(changed):
            self._updater.publish()
        else:
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
        said = explained_by(section_of(level), text)
        self.get_logger().warning(said, throttle_duration_sec=LOG_THROTTLE_S)

    def _statuses(self) -> list[Status]:
        now_s = time.monotonic()
        why = self._model.why_stale(now_s)
        return [self._model.status(now_s)] + [
            s.stale(why, now_s) if why else s.status(self._curves.of(s.name), now_s)
            for s in self._senses
        ]


def stand_back() -> None:
    """Leave the processor to the control loop where both want it.

    To be done before there is middleware: on Linux each thread has a niceness of its own, which
    the threads that it starts inherit.
    """
    try:
        for thread in map(int, os.listdir('/proc/self/task')):
            already = os.getpriority(os.PRIO_PROCESS, thread)
            os.setpriority(os.PRIO_PROCESS, thread, max(NICENESS, already))
    except OSError as error:
        get_logger('diagnostics').warning(
            f'niceness {NICENESS} is refused, it competes with the control loop: {error}'
        )


def _check(rate_hz: float, stale_s: float, error_after_s: float, smoothing_s: float) -> None:
    above_0 = {'rate_hz': rate_hz, 'stale_s': stale_s, 'error_after_s': error_after_s}
    for name, value in above_0.items():
        if not 0 < value < math.inf:
            raise ModalityError(f'parameter {name} is {value}, expected above 0 and finite')
    if not 0 <= smoothing_s < math.inf:
        raise ModalityError(
            f'parameter smoothing_s is {smoothing_s}, expected 0 or above and finite'
        )
    if not 1 / stale_s <= rate_hz <= MAX_RATE_HZ:
        raise ModalityError(
            f'parameter rate_hz is {rate_hz}, expected {1 / stale_s:g} (1 / stale_s) to '
            f'{MAX_RATE_HZ:g}'
        )


def _not_finite(importance: Importance) -> list[str]:
    asked_alone = importance.alone[importance.known.any(axis=1)]
    answers = np.concatenate([importance.without, asked_alone])
    sound = np.isfinite(answers).all(axis=0)
    return [importance.modalities[column] for column in np.flatnonzero(~sound)]


def main() -> None:
    """Run the node."""
    stand_back()
    run_main(DiagnosticsNode, 'diagnostics')


if __name__ == '__main__':
    main()
