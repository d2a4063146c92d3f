"""Records the topics of one robot, as they come off the wire."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import copy
from functools import partial
from pathlib import Path
import time
from typing import Any

from ament_index_python.packages import get_package_share_directory, PackageNotFoundError
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.robot import Robot
from mmvae_controller.nodes.starting import starting
from mmvae_controller.nodes.waiting import Waiting
from mmvae_controller.nodes.wire.messages import message_type
from mmvae_controller.nodes.wire.qos import EVERY, EVERY_RELIABLE, hearing
from mmvae_controller.recordings.batch import Batch
from mmvae_controller.recordings.errors import RecordingError
from mmvae_controller.recordings.stored import kind_of
from mmvae_controller.recordings.topics import CLOCK, CLOCK_KIND, OWN_CLOCK
from mmvae_controller.recordings.writer import BagWriter
import rclpy
from rclpy.exceptions import (
    InvalidNamespaceException,
    InvalidTopicNameException,
    NoTypeSupportImportedException,
)
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
# What is small may wait longer: a clock of 1 kHz fills the queue of a camera in 30 ms.
SMALL_DEPTH = 1000
LARGE = ('sensor_msgs/Image', 'sensor_msgs/CompressedImage', 'sensor_msgs/PointCloud2')


class Recorder:
    """A node that only listens, and writes what it hears; spun by hand.

    Nothing is decoded, and no more is held than what the middleware keeps for each topic, a batch,
    and what the writer has not flushed. What one topic has kept waiting must not be written after
    what came later on another: a batch is all that is there, in the order of receipt.
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
            RecordingError: A name cannot be one, or nobody defines the type of a message.
            StartError: ROS 2 does not start here.

        """
        self.heard: Counter[str] = Counter()
        self.senses: dict[str, str] = {}
        self.unheard: dict[str, str] = {}
        self._writer = writer
        self._batch = Batch(lambda topic: self._node.count_publishers(topic))
        self._context = rclpy.Context()
        try:
            with starting():
                rclpy.init(context=self._context, signal_handler_options=SignalHandlerOptions.NO)
                self._node = Node(
                    'recorder',
                    namespace=namespace,
                    context=self._context,
                    cli_args=['--ros-args', *(w for remap in remaps for w in ('-r', remap))],
                    enable_rosout=False,
                    start_parameter_services=False,
                )
            self._executor = SingleThreadedExecutor(context=self._context)
            self._waiting = Waiting(
                self._context, self._executor._guard, self._executor._take_subscription
            )
            for topic in also:
                validate_topic_name(topic)
            self._also = {self._node.resolve_topic_name(topic): topic for topic in also}
            self._names = {source.topic for source in robot.sources.values()}
            self._names.add(robot.output.topic)
            self._listen_to(robot, observation)
            for topic in tuple(self._also):
                self._look(topic)
        except (InvalidNamespaceException, InvalidTopicNameException) as error:
            self._context.try_shutdown()
            raise RecordingError(str(error).splitlines()[0]) from error
        except BaseException:
            self._context.try_shutdown()
            raise
        self._flushed_s = self._looked_s = time.monotonic()

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
            self._take(left_s)
            now_s = time.monotonic()
            if now_s - self._flushed_s >= FLUSH_S:
                self._flushed_s = now_s
                self._writer.flush()
            if self._also and now_s - self._looked_s >= LOOK_S:
                self._looked_s = now_s
                self._look_on()

    @property
    def latest_s(self) -> float:
        """Return how late a message was taken, at most: the machine was busy."""
        return self._batch.latest_s

    @property
    def lost(self) -> Counter[str]:
        """Return how many messages were missed, by topic, as far as the middleware tells."""
        return self._batch.lost

    def robots(self) -> list[str]:
        """Return the namespaces that have most of the topics of this robot; none if there is none.

        Those to which this node itself listens do not count.
        """
        there = {
            name
            for name, _ in self._node.get_topic_names_and_types()
            if self._node.count_publishers(name) and name not in self.heard
        }
        found = Counter(
            name.removesuffix(f'/{topic}') or '/'
            for topic in self._names
            for name in there
            if name.endswith(f'/{topic}')
        )
        most = max(found.values(), default=0)
        return sorted(place for place, count in found.items() if count == most)

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
            received = message_type(kind)
            self._writer.require(topic, kind)
            deep = copy(qos)
            if kind not in LARGE:
                deep.depth = max(qos.depth, SMALL_DEPTH)
            # By its first name: where two topics are exchanged, its last one is remapped again.
            self._node.create_subscription(
                received, name, partial(self._received, topic, kind), deep, raw=True
            )
            self.heard[topic] = 0
        return topic

    def _look(self, topic: str) -> None:
        """Listen to one of the other topics, if somebody publishes it by now."""
        name = self._also[topic]
        offered = self._node.get_publishers_info_by_topic(name)
        if not offered:
            return
        del self._also[topic]
        kind = kind_of(offered[0].topic_type)
        if kind.count('/') != 1:
            raise RecordingError(f'{topic}: carries {kind}, which is no message of its own')
        self._listen(name, kind, hearing([info.qos_profile for info in offered]))

    def _look_on(self) -> None:
        """Look for the other topics; what is heard already is worth more than one of them."""
        for topic in tuple(self._also):
            try:
                self._look(topic)
            except (ModalityError, RecordingError, NoTypeSupportImportedException) as error:
                self.unheard[topic] = str(error)

    def _take(self, timeout_s: float) -> None:
        """Wait for something, and write all that is there by then."""
        ready = self._waiting.wait(self._node, timeout_s)
        while ready.subscriptions and not self._batch.is_full:
            for subscription in ready.subscriptions:
                self._waiting.call_back(subscription)
            ready = self._waiting.wait(self._node, 0.0)
        for message in self._batch.taken():
            self._writer.write(message.topic, message.kind, message.stamp_ns, message.data)
            self.heard[message.topic] += 1

    def _received(self, topic: str, kind: str, data: bytes, info: Mapping[str, Any]) -> None:
        self._batch.add(topic, kind, data, info, time.time_ns())


def definition(kind: str) -> str:
    """Return the definition of a type of an installed package; empty if there is none."""
    package, name = kind.split('/')
    try:
        path = Path(get_package_share_directory(package), 'msg', f'{name}.msg')
        return path.read_text(encoding='utf-8')
    except (PackageNotFoundError, OSError):
        return ''
