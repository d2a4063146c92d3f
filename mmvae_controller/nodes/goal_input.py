"""The subscription of the controller to the goal it is to lead to."""

from __future__ import annotations

from collections.abc import Mapping
import time
from typing import Any

from mmvae_controller.control.goal import GoalPolicy
from mmvae_controller.guidance.help import explained_by, Help
from mmvae_controller.modality.robot import Source
from mmvae_controller.nodes.reporting.status import Level, LOG_THROTTLE_S, Status
from mmvae_controller.nodes.wire.clock import ControlClock
from mmvae_controller.nodes.wire.messages import message_type
from mmvae_controller.nodes.wire.qos import NEWEST
from mmvae_controller.nodes.wire.receipt import Receipts, waited_ns
from mmvae_controller.senses.errors import MessageError
from mmvae_controller.senses.reading import read_sense
from rclpy.node import Node

TOPIC = '~/goal'


class GoalInput:
    """Listens to `~/goal`; what is no goal ends the last one too, and is told."""

    def __init__(
        self,
        node: Node,
        policy: GoalPolicy,
        source: Source,
        clock: ControlClock,
        receipts: Receipts,
    ) -> None:
        """Subscribe.

        Args:
            node: Whose subscription.
            policy: Is aimed.
            source: How the sense that is the goal's comes: its goals come in the same message.
            clock: On which the receipts are told.
            receipts: When messages came.

        """
        self._node, self._policy, self._source = node, policy, source
        self._clock, self._receipts = clock, receipts
        self._received = self._rejected = 0
        self._subscription = node.create_subscription(
            message_type(source.message), TOPIC, self._receive, NEWEST
        )

    def forget(self) -> None:
        """Have no goal until the next one comes."""
        self._policy.forget()

    def heed(self, now_ns: int) -> None:
        """Have no goal any more that is from later than now."""
        self._policy.heed(now_ns)

    def close(self) -> None:
        """Unsubscribe, and have no goal any more."""
        self._policy.forget()
        self._node.destroy_subscription(self._subscription)

    def status(self, now_ns: int) -> Status:
        """Tell whether there is a goal that counts, on the clock of the loop."""
        trouble = self._policy.trouble(now_ns)
        age_s = self._policy.age_s(now_ns)
        return Status(
            'goal',
            Level.WARN if trouble else Level.OK,
            f'{trouble}: holding' if trouble else f'to a value of {self._policy.modality.name}',
            {
                'topic': self._subscription.topic_name,
                'age_s': age_s,
                'received': self._received,
                'rejected': self._rejected,
            },
            Help.NO_GOAL,
        )

    def _receive(self, message: Any, info: Mapping[str, Any]) -> None:
        stamp_ns = self._receipts.stamp_ns(
            TOPIC, self._clock.now_ns(), waited_ns(info, time.time_ns()), time.monotonic_ns()
        )
        try:
            if stamp_ns is None:
                raise MessageError('it may be as old as the pause of the control loop')
            trouble = self._policy.aim(
                read_sense(message, self._policy.modality, self._source), stamp_ns
            )
            if trouble:
                raise MessageError(trouble)
        except MessageError as error:
            self._rejected += 1
            self._policy.forget(f'the last goal was rejected: {error}')
            self._node.get_logger().warning(
                explained_by(Help.NO_GOAL, f'goal rejected: {error}'),
                throttle_duration_sec=LOG_THROTTLE_S,
            )
            return
        self._received += 1
