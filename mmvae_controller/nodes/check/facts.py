"""What was gathered of a robot by listening: plain values, so that judging them needs no ROS 2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

CLOCK = 'clock'
UNNAMED = 'a node not named yet'


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A publisher or a listener of a topic.

    Args:
        node: Its name, with the namespace; `UNNAMED` until that is learnt.
        kind: The type, such as `sensor_msgs/Image`.
        reliability: `reliable` or `best_effort`; empty if not known.
        incompatible: Why its QoS and ours exchange nothing; empty if they do.

    """

    node: str
    kind: str
    reliability: str = ''
    incompatible: str = ''

    @property
    def name(self) -> str:
        """The name of the node, without the namespace."""
        return self.node.rsplit('/', 1)[-1]

    @property
    def named(self) -> bool:
        """Whether its name is known."""
        return self.node != UNNAMED

    def __str__(self) -> str:
        """Name the node, and what it promises."""
        return f'{self.node} ({self.reliability})' if self.reliability else self.node


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of one sense.

    Args:
        received: How many messages.
        refused: How many of them were no sample of the sense.
        refusal: Why the first of them was not; empty if all were.
        unsound: How many samples would have been masked for what they contain.
        fault: Why the first of them would have; empty if none.
        rate_hz: Of the samples; None if there were too few to tell.
        longest_gap_s: Between two samples, or from the last one to the end; None without any.
        late_s: How long its publisher was known before it said anything; what it takes to connect
            is not counted.
        masked_share: Of the time in which it could be heard, without a sound sample that is fresh.
        delay_s: Median of now minus the stamp in the header; None where there is no stamp.
        delay_pace: By how many seconds that grew in a second; 1 where the stamps stand still.
        waited_s: Median of how long a message lay in the middleware; None where it does not tell.
        names: Of the joints in the message that has most of those wanted.
        picture: Size and encoding of the first picture, such as `640 x 480 rgb8`.
        size: Its height and width; None if it is no picture.
        encoding: Of it.
        contrast: Of the picture that showed least, in grey levels; None without pictures.
        values: The last sound sample of a sense that is no picture, by channel.

    """

    received: int = 0
    refused: int = 0
    refusal: str = ''
    unsound: int = 0
    fault: str = ''
    rate_hz: float | None = None
    longest_gap_s: float | None = None
    late_s: float = 0.0
    masked_share: float = 1.0
    delay_s: float | None = None
    delay_pace: float = 0.0
    waited_s: float | None = None
    names: tuple[str, ...] = ()
    picture: str = ''
    size: tuple[int, int] | None = None
    encoding: str = ''
    contrast: float | None = None
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """A topic of the robot YAML, as it is in the graph.

    Args:
        topic: Resolved, such as `/robot1/joint_states`.
        publishers: Who publishes.
        listeners: Who listens, ourselves left out.
        heard: What came of it; nothing of a command, which nobody listens to here.
        not_installed: Why its message cannot be had here; empty if it can.

    """

    topic: str
    publishers: tuple[Endpoint, ...] = ()
    listeners: tuple[Endpoint, ...] = ()
    heard: Heard = field(default_factory=Heard)
    not_installed: str = ''


@dataclass(frozen=True, slots=True)
class Facts:
    """All that was gathered.

    Args:
        namespace: Of the robot, beginning with `/`.
        seconds: How long was listened.
        senses: By name.
        command: Where the command is to go.
        published: The types of every topic that somebody publishes.
        heeded: The types of every topic that somebody listens to.
        description: The URDF on the topic `robot_description`; empty if there is none.
        time_factor: Simulated seconds in a real one; None without simulated time. Rates and gaps
            are in simulated seconds then, as the controller counts.
        clocks: How many publish the simulated time that counts.
        controllers: The states that ros2_control told on `/diagnostics`, by controller.

    """

    namespace: str
    seconds: float
    senses: Mapping[str, TopicFacts]
    command: TopicFacts
    published: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    heeded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    description: str = ''
    time_factor: float | None = None
    clocks: int = 0
    controllers: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def simulated(self) -> bool:
        """Whether somebody publishes simulated time, for all or in the namespace."""
        return any(f'{place}/{CLOCK}' in self.published for place in ('', self.inside))

    @property
    def inside(self) -> str:
        """The namespace as names begin in it: empty of `/`."""
        return self.namespace.rstrip('/')
