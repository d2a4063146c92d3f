"""Listens to a running robot and remembers what a report needs; commands nothing."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from mmvae_controller.control.window import NS
from mmvae_controller.importance.measures import COMMAND_LOSS
from mmvae_controller.modality.robot import InputMessage, Robot
from mmvae_controller.nodes.starting import starting
from mmvae_controller.nodes.watch.record import read_episode, Record
from mmvae_controller.nodes.watch.watched import is_of, Told, told_by
from mmvae_controller.nodes.wire.messages import stamp_of
from mmvae_controller.nodes.wire.qos import EPISODES, REPORT, SENSOR
from mmvae_controller.senses.reading import read_sense
import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Float64


class Monitor:
    """A node that only listens; spun by hand, so that its owner stays in charge.

    What has no stamp is taken to be as old as the newest sense that was heard.
    """

    def __init__(self, robot: Robot, namespace: str) -> None:
        """Start listening to the nodes of a namespace.

        Its signals stay with the caller: rclpy's own handlers would end the context at once.

        Raises:
            StartError: ROS 2 does not start here.

        """
        with starting():
            rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
            self._node = Node('monitor', namespace=namespace)
        self.record = Record(importance={m.name: [] for m in robot.modalities})
        self._now_s = 0.0
        self._prefix = f'{namespace.strip("/")}/' if namespace.strip('/') else ''
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)
        listen = self._node.create_subscription
        listen(DiagnosticArray, '/diagnostics', self._on_diagnostics, REPORT)
        listen(DiagnosticStatus, 'simulation/episode', self._on_episode, EPISODES)
        for modality in robot.modalities:
            name = f'{COMMAND_LOSS}/{modality.name}'
            keep = partial(self._on_importance, modality.name)
            listen(Float64, f'importance_raw/{name}', keep, REPORT)
            keep = partial(self._on_steering, modality.name)
            listen(Float64, f'importance/{name}', keep, REPORT)
        for name, source in robot.sources.items():
            modality = next(m for m in robot.modalities if m.name == name)
            if source.message is InputMessage.IMAGE:
                assert source.picture is not None, 'a Source of pictures has their format'
                keep = partial(self._keep, self.record.pictures, modality, source)
                listen(Image, source.topic, keep, SENSOR)
                # What is imagined is of the model's size, whatever the camera publishes.
                imagined = replace(source, picture=replace(source.picture, camera_size=None))
                keep = partial(self._keep, self.record.imagined, modality, imagined)
                listen(Image, f'diagnostics/prediction/{name}', keep, REPORT)
            elif name == robot.anchor:
                keep = partial(self._keep, self.record.joints, modality, source)
                listen(JointState, source.topic, keep, SENSOR)

    def spin(self, duration_s: float) -> None:
        """Handle what comes for a while."""
        until_s = time.monotonic() + duration_s
        while (left_s := until_s - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left_s)

    def status(self, name: str) -> Told | None:
        """Return the newest status of a node's part, e.g. `controller: loop`."""
        return self.record.statuses.get(f'{self._prefix}{name}')

    def close(self) -> None:
        """Stop listening."""
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.try_shutdown()

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            # What others say on this topic is no news of this robot.
            if not is_of(status.name, self._prefix):
                continue
            told = told_by(status, time.monotonic())
            self.record.statuses[status.name] = told
            values = told.values
            if status.name == f'{self._prefix}controller: loop' and 'tick p50 ms' in values:
                tick_ms = float(values['tick p50 ms']), float(values['tick p99 ms'])
                self.record.ticks_ms.append((self._now_s, *tick_ms))

    def _on_episode(self, message: DiagnosticStatus) -> None:
        values = {v.key: v.value for v in message.values}
        self.record.episodes.append(read_episode(message.message, values))

    def _on_importance(self, modality: str, message: Float64) -> None:
        self.record.importance[modality].append((self._now_s, message.data))

    def _on_steering(self, modality: str, message: Float64) -> None:
        self.record.steering[modality] = message.data

    def _keep(self, store: list[Any], modality: Any, source: Any, message: Any) -> None:
        stamp_s = stamp_of(message.header.stamp) / NS
        self._now_s = max(self._now_s, stamp_s)
        store.append((stamp_s, np.array(read_sense(message, modality, source))))
