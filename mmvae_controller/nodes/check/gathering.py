"""Listens to the topics of a robot YAML for some seconds; publishes and calls nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from mmvae_controller.control.window import NS
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.robot import Robot
from mmvae_controller.nodes.check.compatible import refusal
from mmvae_controller.nodes.check.facts import CLOCK, Endpoint, Facts, TopicFacts, UNNAMED
from mmvae_controller.nodes.check.hearing import Hearing
from mmvae_controller.nodes.check.pace import Pace
from mmvae_controller.nodes.watch.listener import leave_graph, listener
from mmvae_controller.nodes.wire.messages import message_type, stamp_of
from mmvae_controller.nodes.wire.qos import CLOCK as CLOCK_QOS
from mmvae_controller.nodes.wire.qos import COMMAND, EVERY, SENSOR
from mmvae_controller.nodes.wire.receipt import waited_ns
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSProfile,
    ReliabilityPolicy,
)
from rosgraph_msgs.msg import Clock
from std_msgs.msg import String

NAME = 'check_robot'
DESCRIPTION = 'robot_description'
# A forward controller of ros2_control listens as soon as it is configured, and obeys only while it
# is active. Its manager says so without being asked, in a status of this name; some versions put
# `.state` behind the name of a controller, and other keys beside it.
DIAGNOSTICS, ACTIVITY, STATE = '/diagnostics', 'Controllers Activity', '.state'
# What rmw calls a node whose name it has not learnt yet.
UNKNOWN = '_NODE_NAME_UNKNOWN'
# As robot_state_publisher publishes it: once, kept for who comes later.
KEPT = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)


class Gatherer:
    """A node that only listens; spun by hand, so that its owner stays in charge."""

    def __init__(self, robot: Robot, namespace: str) -> None:
        """Join the graph and subscribe to every sense as the controller does.

        Raises:
            NamespaceError: It cannot be one.

        """
        self._robot = robot
        self._namespace = f'/{namespace.strip("/")}'
        self._node = listener(NAME, namespace)
        self._executor = SingleThreadedExecutor(context=self._node.context)
        self._executor.add_node(self._node)
        self._description = ''
        self._controllers: dict[str, set[str]] = {}
        # When a publisher of a sense was first known.
        self._known_s: dict[str, float] = {}
        self._hearings: dict[str, Hearing] = {}
        self._senses: dict[str, TopicFacts] = {}
        self._began_s = time.monotonic()
        # The clock of the namespace counts, if there is one, else that of all.
        self._paces = {place: Pace() for place in dict.fromkeys((CLOCK, f'/{CLOCK}'))}
        for place, pace in self._paces.items():
            self._node.create_subscription(Clock, place, self._clock_hearer(pace), CLOCK_QOS)
        for modality in robot.modalities:
            if modality.name in robot.sources:
                source = robot.sources[modality.name]
                self._hearings[modality.name] = Hearing(modality, source)
                self._senses[modality.name] = self._subscribe(modality.name, source.topic)
        self._node.create_subscription(String, DESCRIPTION, self._on_description, KEPT)
        self._node.create_subscription(DiagnosticArray, DIAGNOSTICS, self._on_diagnostics, EVERY)

    def spin(self, duration_s: float) -> None:
        """Handle what comes for a while."""
        until_s = time.monotonic() + duration_s
        while (left_s := until_s - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left_s)
            self._note_publishers()

    def facts(self) -> Facts:
        """Return what is known by now."""
        now_s = time.monotonic()
        output = self._robot.output
        place, pace = next(
            ((place, p) for place, p in self._paces.items() if p.factor is not None),
            (CLOCK, Pace()),
        )
        try:
            message_type(output.message)
            not_installed = ''
        except ModalityError as error:
            not_installed = str(error)
        topic = self._node.resolve_topic_name(output.topic)
        topics = {name: tuple(map(_plain, kinds)) for name, kinds in self._topics()}
        return Facts(
            namespace=self._namespace,
            seconds=now_s - self._began_s,
            senses={
                name: replace(
                    facts,
                    publishers=self._publishers(facts.topic),
                    heard=self._hearings[name].heard(now_s, self._known_s.get(name), pace.at),
                )
                for name, facts in self._senses.items()
            },
            command=TopicFacts(
                topic,
                self._publishers(topic),
                self._listeners(topic),
                not_installed=not_installed,
            ),
            published={t: k for t, k in topics.items() if self._node.count_publishers(t)},
            heeded={t: k for t, k in topics.items() if self._listeners(t)},
            description=self._description,
            time_factor=pace.factor,
            clocks=self._node.count_publishers(place),
            controllers={n: frozenset(states) for n, states in self._controllers.items()},
        )

    def close(self) -> None:
        """Leave the graph."""
        leave_graph(self._node, self._executor)

    def _subscribe(self, name: str, topic: str) -> TopicFacts:
        resolved = self._node.resolve_topic_name(topic)
        try:
            kind = message_type(self._robot.sources[name].message)
        except ModalityError as error:
            return TopicFacts(resolved, not_installed=str(error))
        self._node.create_subscription(kind, topic, self._receiver(self._hearings[name]), SENSOR)
        return TopicFacts(resolved)

    def _receiver(self, hearing: Hearing) -> Callable[[Any, Mapping[str, Any]], None]:
        def receive(message: Any, info: Mapping[str, Any]) -> None:
            wait_ns = waited_ns(info, time.time_ns())
            waited_s = None if wait_ns is None else wait_ns / NS
            received_s = time.monotonic() - (waited_s or 0.0)
            hearing.hear(message, received_s, waited_s, self._delay_s(message))

        return receive

    def _delay_s(self, message: Any) -> float | None:
        header = getattr(message, 'header', None)
        stamp_ns = stamp_of(header.stamp) if header is not None else 0
        return (self._node.get_clock().now().nanoseconds - stamp_ns) / NS if stamp_ns else None

    def _clock_hearer(self, pace: Pace) -> Callable[[Any], None]:
        return lambda message: pace.hear(time.monotonic(), stamp_of(message.clock) / NS)

    def _on_description(self, message: String) -> None:
        self._description = message.data

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name.endswith(ACTIVITY):
                for pair in status.values:
                    name = pair.key.removesuffix(STATE)
                    self._controllers.setdefault(name, set()).add(pair.value)

    def _note_publishers(self) -> None:
        for name, facts in self._senses.items():
            if name not in self._known_s and self._node.count_publishers(facts.topic):
                self._known_s[name] = time.monotonic()

    def _topics(self) -> list[tuple[str, list[str]]]:
        return list(self._node.get_topic_names_and_types())

    def _publishers(self, topic: str) -> tuple[Endpoint, ...]:
        found = self._node.get_publishers_info_by_topic(topic)
        return tuple(_endpoint(i, refusal(i.qos_profile, SENSOR)) for i in found)

    def _listeners(self, topic: str) -> tuple[Endpoint, ...]:
        found = self._node.get_subscriptions_info_by_topic(topic)
        return tuple(
            _endpoint(i, refusal(COMMAND, i.qos_profile))
            for i in found
            if (i.node_name, i.node_namespace) != (NAME, self._namespace)
        )


def _endpoint(info: Any, incompatible: str) -> Endpoint:
    named = not info.node_name.startswith(UNKNOWN)
    node = f'{info.node_namespace.rstrip("/")}/{info.node_name}' if named else UNNAMED
    reliability = info.qos_profile.reliability.name.lower()
    return Endpoint(node, _plain(info.topic_type), reliability, incompatible)


def _plain(kind: str) -> str:
    """Return a type as robot YAMLs write it."""
    return kind.replace('/msg/', '/')
