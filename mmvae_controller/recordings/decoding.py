"""Raw messages become objects with the fields of the ROS message, without a ROS installation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmvae_controller.recordings.stored import Channel, Language
from mmvae_controller.senses.errors import MessageError
from rosbags.typesys import (
    get_types_from_idl,
    get_types_from_msg,
    get_typestore,
    Stores,
    TypesysError,
)
from rosbags.typesys.store import Typestore

# Of the standard messages, whose definitions old bags do not hold.
USUAL = Stores.ROS2_JAZZY


def full_name(kind: str) -> str:
    """Return a type as ROS 2 writes it, from `sensor_msgs/Image`."""
    package, name = kind.split('/', 1)
    return f'{package}/msg/{name}'


@contextmanager
def usual_fields() -> Iterator[None]:
    """Read fields of a message: a bag may define a type of a known name with other ones.

    Raises:
        MessageError: It does.

    """
    try:
        yield
    except MessageError:
        raise
    except (AttributeError, TypeError, ValueError) as error:
        raise MessageError(f'its definition in the bag has other fields: {error}') from error


class Decoder:
    """Reads messages by the definition that lies in the bag, else by the usual one."""

    def __init__(self) -> None:
        """Know the usual definitions."""
        self._usual = get_typestore(USUAL)
        self._stores: dict[Channel, Typestore | None] = {}

    def read(self, channel: Channel, data: bytes) -> Any:
        """Return the message.

        Raises:
            MessageError: Nobody defines its type, or the bytes are none of it.

        """
        if channel not in self._stores:
            self._stores[channel] = self._store(channel)
        store = self._stores[channel]
        if store is None:
            raise MessageError(
                f'the definition of {channel.kind} is neither in the bag nor a standard one'
            )
        try:
            return store.deserialize_cdr(data, full_name(channel.kind))
        except Exception as error:
            # Bytes that are damaged can fail in any way.
            raise MessageError(
                f'{len(data)} bytes are no {channel.kind}: {type(error).__name__}: {error}'
            ) from error

    def _store(self, channel: Channel) -> Typestore | None:
        name = full_name(channel.kind)
        return _defined(channel, name) or (self._usual if name in self._usual.fielddefs else None)


def _defined(channel: Channel, name: str) -> Typestore | None:
    """Return what reads messages by the bag's own definition; None if that is not complete."""
    if channel.language is Language.NONE or not channel.definition:
        return None
    store = get_typestore(Stores.EMPTY)
    try:
        if channel.language is Language.MSG:
            store.register(get_types_from_msg(channel.definition, name))
        else:
            store.register(get_types_from_idl(channel.definition))
        store.get_msgdef(name)
    except (TypesysError, KeyError, ValueError):
        return None
    return store
