"""Records the topics of one robot, as they come off the wire."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
import time
from typing import Any

from ament_index_python.packages import get_package_share_directory, PackageNotFoundError
from mmvae_controller.modality.robot import Robot
from mmvae_controller.nodes.wire.messages import message_type
from mmvae_controller.nodes.wire.qos import EVERY, EVERY_RELIABLE
from mmvae_controller.recordings.errors import RecordingError
from mmvae_controller.recordings.stored import kind_of
from mmvae_controller.recordings.topics import CLOCK, CLOCK_KIND
from mmvae_controller.recordings.writer import BagWriter
import rclpy
from rclpy.exceptions import InvalidNamespaceException, InvalidTopicNameException
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions
from rclpy.validate_topic_name import validate_topic_name

DIAGNOSTICS, DIAGNOSTICS_KIND = '/diagnostics', 'diagnostic_msgs/DiagnosticArray'
OBSERVATION, OBSERVATION_KIND = 'controller/observation', 'sensor_msgs/PointCloud2'
# So much is lost at most when the process is killed.
FLUSH_S = 1.0
LOOK_S = 1.0


class Recorder:
    """A node that only listens, and writes what it hears; spun by hand.

    Nothing is decoded, and no more is held than what the middleware keeps for each topic and what
    the writer has not flushed.
    """

    def __init__(
        self,
        robot: Robot,
        writer: BagWriter,
        namespace: str = '',
        observation: bool = False,
        also: Sequence[str] = (),
        remaps: Sequence[str] = (),
    ) -> None:
        """Listen to the senses and the command of a robot, `/clock` and `/diagnostics`.

        Args:
            robot: Whose topics.
            writer: Gets the messages, with the time at which the middleware received them.
            namespace: Of the robot.
            observation: Whether to record what its controller observes as well.
            also: Other topics; their type is asked for when somebody publishes them.
            remaps: As `from:=to`.

        Raises:
            ModalityError: The type of a message is not installed.
            RecordingError: A name cannot be one.

        """
        self.heard: Counter[str] = Counter()
        self.senses: dict[str, str] = {}
        self._writer = writer
        self._context = rclpy.Context()
        rclpy.init(context=self._context, signal_handler_options=SignalHandlerOptions.NO)
        try:
            self._node = Node(
                'recorder',
                namespace=namespace,
                context=self._context,
                cli_args=['--ros-args', *(w for remap in remaps for w in ('-r', remap))],
                enable_rosout=False,
                start_parameter_services=False,
            )
            self._executor = SingleThreadedExecutor(context=self._context)
            self._executor.add_node(self._node)
            for topic in also:
                validate_topic_name(topic)
            self._also = {self._node.resolve_topic_name(topic) for topic in also}
            self._listen_to(robot, observation)
        except (InvalidNamespaceException, InvalidTopicNameException) as error:
            self._context.try_shutdown()
            raise RecordingError(str(error).splitlines()[0]) from error
        except BaseException:
            self._context.try_shutdown()
            raise
        self._flushed_s = self._looked_s = time.monotonic()
        self._look()

    @property
    def waiting(self) -> tuple[str, ...]:
        """Return the other topics that nobody publishes yet."""
        return tuple(sorted(self._also))

    def spin(self, duration_s: float) -> None:
        """Write what comes for a while.

        Raises:
            RecordingError: The disk is full.

        """
        until_s = time.monotonic() + duration_s
        while (left_s := until_s - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left_s)
            now_s = time.monotonic()
            if now_s - self._flushed_s >= FLUSH_S:
                self._flushed_s = now_s
                self._writer.flush()
            if self._also and now_s - self._looked_s >= LOOK_S:
                self._looked_s = now_s
                self._look()

    def close(self) -> None:
        """Stop listening."""
        self._executor.shutdown()
        self._node.destroy_node()
        self._context.try_shutdown()

    def _listen_to(self, robot: Robot, observation: bool) -> None:
        for name, source in robot.sources.items():
            topic = self._node.resolve_topic_name(source.topic)
            self.senses[name] = topic
            self._listen(topic, str(source.message), EVERY)
        command = self._node.resolve_topic_name(robot.output.topic)
        self.senses[robot.command.name] = command
        self._listen(command, str(robot.output.message), EVERY_RELIABLE)
        self._listen(CLOCK, CLOCK_KIND, EVERY)
        self._listen(DIAGNOSTICS, DIAGNOSTICS_KIND, EVERY_RELIABLE)
        if observation:
            topic = self._node.resolve_topic_name(OBSERVATION)
            self._listen(topic, OBSERVATION_KIND, EVERY_RELIABLE)

    def _listen(self, topic: str, kind: str, qos: QoSProfile) -> None:
        if topic in self.heard:
            return  # Two senses of one topic.
        self.heard[topic] = 0
        self._node.create_subscription(
            message_type(kind), topic, partial(self._write, topic, kind), qos, raw=True
        )

    def _look(self) -> None:
        """Listen to the other topics that somebody publishes by now."""
        for topic, kinds in self._node.get_topic_names_and_types():
            if topic in self._also:
                self._also.remove(topic)
                # Best effort, so that whoever publishes is heard.
                self._listen(topic, kind_of(kinds[0]), EVERY)

    def _write(self, topic: str, kind: str, data: bytes, info: Mapping[str, Any]) -> None:
        # Not now: others may have been read before it, and came after it.
        stamp_ns = int(info.get('received_timestamp') or 0) or time.time_ns()
        self._writer.write(topic, kind, stamp_ns, data)
        self.heard[topic] += 1


def definition(kind: str) -> str:
    """Return the definition of a type of an installed package; empty if there is none."""
    package, name = kind.split('/')
    try:
        path = Path(get_package_share_directory(package), 'msg', f'{name}.msg')
        return path.read_text(encoding='utf-8')
    except (PackageNotFoundError, OSError):
        return ''
