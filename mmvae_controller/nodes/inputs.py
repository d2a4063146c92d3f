"""The subscriptions of the controller, one for each sense."""

from __future__ import annotations

from collections.abc import Callable, Mapping
import time
from typing import Any

from mmvae_controller.control.window import NS
from mmvae_controller.guidance.help import explained_by, Help
from mmvae_controller.modality.robot import Robot, Source
from mmvae_controller.modality.spec import Encoder, Modality
from mmvae_controller.nodes.reporting.health import InputHealth
from mmvae_controller.nodes.reporting.status import LOG_THROTTLE_S
from mmvae_controller.nodes.wire.clock import ControlClock
from mmvae_controller.nodes.wire.messages import message_type
from mmvae_controller.nodes.wire.qos import SENSOR
from mmvae_controller.nodes.wire.receipt import Receipts, waited_ns
from mmvae_controller.senses.errors import MessageError
from mmvae_controller.senses.reading import read_sense
import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.subscription import Subscription
from rclpy.timer import Timer

Push = Callable[[str, NDArray[np.generic], int], str]


class Inputs:
    """Listens to every sense; what is no sample of it is counted and told, never raised."""

    def __init__(
        self,
        node: Node,
        robot: Robot,
        clock: ControlClock,
        push: Push,
        patient: set[Subscription | Timer],
    ) -> None:
        """Subscribe.

        Args:
            node: Whose subscriptions.
            robot: Its senses.
            clock: On which the receipts are told.
            push: Gets modality, sample and the time of its receipt on `clock`; returns why the
                sample will be masked, empty if it will not.
            patient: Gets the subscriptions to pictures: what they cost is in the way of a sample
                that a command answers. Their age counts from when they came.

        Raises:
            ModalityError: The type of a message is not installed.

        """
        self.health: dict[str, InputHealth] = {}
        self.receipts = Receipts(
            clock.simulated, round(NS / robot.rate_hz), round(robot.watchdog_s * NS)
        )
        self._node = node
        self._clock = clock
        self._push = push
        self._taken: list[Subscription] = []
        self._patient = patient
        self._trigger = robot.trigger
        try:
            for modality in robot.modalities:
                if modality.name in robot.sources:
                    self._subscribe(modality, robot.sources[modality.name])
        except Exception:
            self.close()  # Or another arm's joints might go on coming in as this one's.
            raise

    def close(self) -> None:
        """Unsubscribe."""
        for subscription in self._taken:
            self._patient.discard(subscription)
            self._node.destroy_subscription(subscription)
        self._taken.clear()

    def _subscribe(self, modality: Modality, source: Source) -> None:
        health = InputHealth(modality, source.topic)

        def receive(message: Any, info: Mapping[str, Any]) -> None:
            # Header stamps are written by other clocks; a stopped one would keep a sample fresh.
            stamp_ns = self.receipts.stamp_ns(
                modality.name,
                self._clock.now_ns(),
                waited_ns(info, time.time_ns()),
                time.monotonic_ns(),
            )
            try:
                if stamp_ns is None:
                    raise MessageError('it may be as old as the pause of the control loop')
                value = read_sense(message, modality, source)
            except MessageError as error:
                health.reject(str(error))
                self._node.get_logger().warning(
                    explained_by(
                        Help.SENSE_IS_MASKED,
                        f'{modality.name}: message on {health.topic} rejected: {error}',
                    ),
                    throttle_duration_sec=LOG_THROTTLE_S,
                )
                return
            health.accept(stamp_ns, self._push(modality.name, value, stamp_ns))

        subscription = self._node.create_subscription(
            message_type(source.message), source.topic, receive, SENSOR
        )
        health.topic = subscription.topic_name
        self.health[modality.name] = health
        self._taken.append(subscription)
        if modality.encoder is Encoder.IMAGE and modality.name != self._trigger:
            self._patient.add(subscription)
