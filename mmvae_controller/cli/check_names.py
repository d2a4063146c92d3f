"""What a topic or a joint that is not there may be called instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches, SequenceMatcher

SUGGESTED = 3
# Below this, two topics have no more in common than any two.
ALIKE = 0.5


def similar_topics(
    wanted: str, kind: str, topics: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """Return topics of a type, the likeliest first: same ending, then most letters in common.

    Args:
        wanted: Resolved, such as `/robot1/joint_states`.
        kind: Such as `sensor_msgs/JointState`.
        topics: The types of each there is.

    """
    found = [topic for topic, kinds in topics.items() if kind in kinds and topic != wanted]

    def likeness(topic: str) -> tuple[int, float]:
        return shared_ending(wanted, topic), SequenceMatcher(None, wanted, topic).ratio()

    close = [t for t in found if likeness(t) >= (0, ALIKE)]
    # One that is like no other is still the only one of its type.
    return tuple(sorted(close or found, key=likeness, reverse=True)[:SUGGESTED])


def shared_ending(one: str, other: str) -> int:
    """Return how many names at the end of two topics are the same."""
    count = 0
    for a, b in zip(reversed(one.split('/')), reversed(other.split('/')), strict=False):
        if a != b or not a:
            break
        count += 1
    return count


def namespace_for(topic: str, relative: str) -> str:
    """Return the namespace in which a relative topic is another one; empty if in none."""
    if relative.startswith(('/', '~')) or not topic.endswith(f'/{relative}'):
        return ''
    return topic.removesuffix(f'/{relative}').strip('/')


def where_instead(
    relative: str, wanted: str, kind: str, topics: Mapping[str, tuple[str, ...]], verb: str
) -> str:
    """Return what to do about a topic that nobody has, naming what is there instead.

    Args:
        relative: As the robot YAML writes it.
        wanted: The same, resolved.
        kind: Of its messages.
        topics: The types of each topic there is.
        verb: What somebody does with those: `published`, `listened to`.

    """
    found = similar_topics(wanted, kind, topics)
    if not found:
        return (
            f'no topic of type {kind} is {verb}: does its driver run, in this ROS_DOMAIN_ID and '
            'within ROS_AUTOMATIC_DISCOVERY_RANGE?'
        )
    best = found[0]
    inside = namespace_for(best, relative)
    namespace = f', or give --namespace {inside}' if inside else ''
    if best == f'/{relative}':
        namespace = ', or leave out --namespace'
    # Relative where it can be: a namespace holds one robot, and the YAML serves them all.
    ours = namespace_for(wanted, relative)
    named = best.removeprefix(f'/{ours}/') if ours else best
    others = f' (also of that type: {", ".join(found[1:])})' if found[1:] else ''
    return (
        f'{best} is {verb}, of that type: write `topic: {named}` in the robot YAML{namespace}'
        f'{others}'
    )


def similar_joint(joint: str, names: Sequence[str]) -> str:
    """Return the name that a joint most likely has instead; empty if none is like it."""
    inside = [name for name in names if joint in name or name in joint]
    return next(iter([*inside, *get_close_matches(joint, names, n=1)]), '')
