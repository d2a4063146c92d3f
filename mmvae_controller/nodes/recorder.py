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
from mmvae_controller.nodes.wire.qos import EVERY, EVERY_RELIABLE, hearing
from mmvae_controller.recordings.errors import RecordingError
from mmvae_controller.recordings.stored import kind_of
from mmvae_controller.recordings.topics import CLOCK, CLOCK_KIND, OWN_CLOCK
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
            self._also = {self._node.resolve_topic_name(topic): topic for topic in also}
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
            self.senses[name] = self._listen(source.topic, str(source.message), EVERY)
        output = robot.output
        self.senses[robot.command.name] = self._listen(
            output.topic, str(output.message), EVERY_RELIABLE
        )
        # A simulation in a namespace has a time of its own.
        for clock in (OWN_CLOCK, CLOCK):
            self._listen(clock, CLOCK_KIND, EVERY)
        self._listen(DIAGNOSTICS, DIAGNOSTICS_KIND, EVERY_RELIABLE)
        if observation:
            self._listen(OBSERVATION, OBSERVATION_KIND, EVERY_RELIABLE)

    def _listen(self, name: str, kind: str, qos: QoSProfile) -> str:
        """Listen to a topic, once; return how it is called after all remaps."""
        topic = self._node.resolve_topic_name(name)
        if topic not in self.heard:
            self.heard[topic] = 0
            # By its first name: where two topics are exchanged, its last one is remapped again.
            self._node.create_subscription(
                message_type(kind), name, partial(self._write, topic, kind), qos, raw=True
            )
        return topic

    def _look(self) -> None:
        """Listen to the other topics that somebody publishes by now."""
        for topic, name in tuple(self._also.items()):
            offered = self._node.get_publishers_info_by_topic(name)
            if offered:
                del self._also[topic]
                kind = kind_of(offered[0].topic_type)
                self._listen(name, kind, hearing([info.qos_profile for info in offered]))

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
