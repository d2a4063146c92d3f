"""Which topics of a recording belong to a robot, by the names its nodes would listen to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mmvae_controller.modality.robot import OutputMessage, Robot
from mmvae_controller.recordings.errors import RecordingError

CLOCK, CLOCK_KIND = '/clock', 'rosgraph_msgs/Clock'
# In its namespace: what a simulation publishes that has one.
OWN_CLOCK = 'clock'
# Of the node whose private names begin with ~/.
CONTROLLER = 'controller'
EPISODE_TOPIC = 'simulation/episode'
BOOL, EMPTY, STATUS = 'std_msgs/Bool', 'std_msgs/Empty', 'diagnostic_msgs/DiagnosticStatus'
EPISODE_KINDS = (BOOL, EMPTY, STATUS)
LABEL_KINDS = tuple(str(kind) for kind in OutputMessage)


@dataclass(frozen=True, slots=True)
class Names:
    """How the topics of a recording are called, where not as in the robot YAML.

    Args:
        namespace: Of the robot.
        remaps: From the name in the YAML to that in the recording.
        command: Topic of the set-points; empty: that of the robot YAML.
        label: Topic of what a demonstrator wanted; empty: what was sent is what was wanted.
        episode: Topic that marks episodes; empty: that of the simulation, if it is recorded.

    """

    namespace: str = ''
    remaps: Mapping[str, str] | None = None
    command: str = ''
    label: str = ''
    episode: str = ''


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of a robot, each an absolute name.

    Args:
        senses: By topic, the modalities it feeds.
        kinds: By topic, the types of messages it may have.
        command: The set-points.
        label: What a demonstrator wanted; empty: there is none.
        episode: What marks episodes, if it is recorded.
        clocks: Of simulated time: the first of them that tells some is the robot's.

    """

    senses: Mapping[str, tuple[str, ...]]
    kinds: Mapping[str, tuple[str, ...]]
    command: str
    label: str
    episode: str
    clocks: tuple[str, ...] = (CLOCK,)

    @property
    def labels(self) -> str:
        """Return the topic on which it is told what would have been right."""
        return self.label or self.command


def topics_of(robot: Robot, names: Names) -> Topics:
    """Return what to listen to.

    Raises:
        RecordingError: Two senses want one topic in different types.

    """
    remaps = {
        _absolute(old, names.namespace): _absolute(new, names.namespace)
        for old, new in (names.remaps or {}).items()
    }

    def found(name: str) -> str:
        topic = _absolute(name, names.namespace)
        return remaps.get(topic, topic)

    senses: dict[str, tuple[str, ...]] = {}
    clocks = clocks_of(names.namespace, found)
    kinds: dict[str, tuple[str, ...]] = dict.fromkeys(clocks, (CLOCK_KIND,))
    for modality, source in robot.sources.items():
        topic, kind = found(source.topic), (str(source.message),)
        if kinds.setdefault(topic, kind) != kind:
            raise RecordingError(
                f'{topic} is asked for as {kinds[topic][0]} and, by {modality}, as {kind[0]}'
            )
        senses[topic] = (*senses.get(topic, ()), modality)
    command = _absolute(names.command, names.namespace) if names.command else ''
    command = command or found(robot.output.topic)
    label = _absolute(names.label, names.namespace) if names.label else ''
    episode = _absolute(names.episode or EPISODE_TOPIC, names.namespace)
    for topic, known in (
        (command, (str(robot.output.message),)), (label, LABEL_KINDS), (episode, EPISODE_KINDS)
    ):  # fmt: skip
        if kinds.setdefault(topic, known) != known:
            raise RecordingError(f'{topic} is asked for twice, as {kinds[topic]} and {known}')
    return Topics(senses, kinds, command, label, episode, clocks)


def clocks_of(namespace: str, found: Callable[[str], str]) -> tuple[str, ...]:
    """Return where a robot may have simulated time from: of a simulation of its own, or of all.

    Args:
        namespace: Of the robot.
        found: Returns how a topic is called.

    """
    return tuple(dict.fromkeys((found(_absolute(OWN_CLOCK, namespace)), found(CLOCK))))


def read_remaps(texts: Sequence[str]) -> dict[str, str]:
    """Return remaps from texts as `from:=to`.

    Raises:
        RecordingError: One is written otherwise.

    """
    remaps = {}
    for text in texts:
        old, found, new = text.partition(':=')
        if not (old and found and new):
            raise RecordingError(f'remap {text!r}, expected as camera/image_raw:=front/image')
        remaps[old] = new
    return remaps


def _absolute(name: str, namespace: str) -> str:
    root = f'/{namespace.strip("/")}'.rstrip('/')
    if name.startswith('/'):
        return name
    return f'{root}/{name.replace("~", CONTROLLER, 1) if name.startswith("~/") else name}'
