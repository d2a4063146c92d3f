"""What is stored in the files of a bag: raw messages, in the order they were written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

# Told once for everything that was lost, for people.
Tell = Callable[[str], None]
CDR = 'cdr'


class Language(StrEnum):
    """In which language a message type is defined, as bags call them."""

    MSG = 'ros2msg'
    IDL = 'ros2idl'
    NONE = ''


@dataclass(frozen=True, slots=True)
class Channel:
    """A topic, the type of its messages, and the definition of that type if the bag has one.

    `kind` is written as in a robot YAML: `sensor_msgs/Image`.
    """

    topic: str
    kind: str
    definition: str = ''
    language: Language = Language.NONE


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A raw message, and when the recorder received it, on its own clock."""

    channel: Channel
    stamp_ns: int
    data: bytes


def kind_of(name: str) -> str:
    """Return a type as a robot YAML writes it, from `sensor_msgs/msg/Image`."""
    return name.replace('/msg/', '/')


def language_of(name: str) -> Language:
    """Return the language of a definition; NONE for one that is not known."""
    return Language(name) if name in set(Language) else Language.NONE
