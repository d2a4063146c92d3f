"""The files of a bag, and its messages in the order they are stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
import re
import shutil
import sys
from typing import BinaryIO, cast

from mmvae_controller.recordings.copying import temporary
from mmvae_controller.recordings.errors import NoRoomError, RecordingError
from mmvae_controller.recordings.mcap import read_mcap
from mmvae_controller.recordings.metadata import counted, listed, METADATA
from mmvae_controller.recordings.sqlite import read_sqlite
from mmvae_controller.recordings.stored import Stored, Tell

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MCAP, SQLITE, ZSTD = '.mcap', '.db3', '.zstd'
SUFFIXES = (MCAP, SQLITE, f'{MCAP}{ZSTD}', f'{SQLITE}{ZSTD}')
# With this a compressed message begins, and no other: CDR begins with a zero.
ZSTD_MAGIC = b'\x28\xb5\x2f\xfd'


def files_of(bag: Path, tell: Tell) -> list[Path]:
    """Return the files of a bag, a folder or one file, in the order they were written.

    Raises:
        RecordingError: There is none.

    """
    if bag.is_file() and bag.name.endswith(SUFFIXES):
        return [bag]
    if not bag.is_dir():
        raise RecordingError(
            f'{bag}: is no bag: expected a folder, or a file that ends with {", ".join(SUFFIXES)}'
        )
    names = {p.name for p in bag.iterdir() if p.is_file() and p.name.endswith(SUFFIXES)}
    if not names:
        raise RecordingError(f'{bag}: holds no file that ends with {", ".join(SUFFIXES)}')
    for name in sorted(names):
        if f'{name}{ZSTD}' in names:
            # A recorder that is killed while it compresses leaves both.
            tell(f'{name}{ZSTD} is not read: {name} is there as well')
            names.remove(f'{name}{ZSTD}')
    return [bag / name for name in _in_order_written(names, listed(bag, tell), tell)]


def _in_order_written(names: set[str], told: list[str], tell: Tell) -> list[str]:
    """Return the files as the metadata lists them, or, where it does not name all, by number."""
    for name in told:
        if name not in names and name.removesuffix(ZSTD) not in names:
            tell(f'{METADATA} names {name}, which is not there')
    if names <= set(told):
        return [name for name in dict.fromkeys(told) if name in names]
    return sorted(names, key=_by_number)


def read_bag(bag: Path, tell: Tell) -> Iterator[Stored]:
    """Yield the messages of a bag as they are stored; `order.Order` puts them in that of receipt.

    Args:
        bag: A folder, with or without its metadata, or one file.
        tell: Is told what was lost.

    Raises:
        RecordingError: There is no such bag, or none of its files can be read.
        NoRoomError: One has to be copied, for which there is no room.

    """
    files = files_of(bag, tell)
    unread, count = [], 0
    for path in files:
        try:
            for message in _of_file(path, partial(_named, tell, path.name)):
                count += 1
                yield message
        except NoRoomError:
            raise
        except RecordingError as error:
            unread.append(f'{path.name} {error}')
            tell(unread[-1])
    if len(unread) == len(files):
        raise RecordingError(f'{bag}: cannot be read: {"; ".join(unread)}')
    expected = counted(bag) if bag.is_dir() else 0
    if count < expected:
        tell(f'{METADATA} counts {expected} messages, {count} of them are read')


def _of_file(path: Path, tell: Tell) -> Iterator[Stored]:
    try:
        if path.name.endswith(SQLITE):
            yield from _unpacked(read_sqlite(path, tell), tell)
        elif path.name.endswith(MCAP):
            with path.open('rb') as stream:
                yield from _unpacked(read_mcap(stream, tell), tell)
        elif path.name.endswith(f'{MCAP}{ZSTD}'):
            with zstd.open(path, 'rb') as packed:
                yield from _unpacked(read_mcap(cast(BinaryIO, packed), tell), tell)
        else:
            with temporary(path) as copy:
                _decompress(path, copy, tell)
                yield from _unpacked(read_sqlite(copy, tell), tell)
    except (OSError, EOFError, zstd.ZstdError) as error:
        tell(f'cannot be read any further: {error}')


def _decompress(path: Path, copy: Path, tell: Tell) -> None:
    """Write the content of a compressed file, as far as it goes."""
    with copy.open('wb') as target:
        try:
            with zstd.open(path, 'rb') as source:
                shutil.copyfileobj(source, target)
        except (EOFError, zstd.ZstdError) as error:
            tell(f'is compressed, and damaged: {error}')


def _unpacked(messages: Iterable[Stored], tell: Tell) -> Iterator[Stored]:
    """Decompress the messages that were compressed one by one."""
    lost = 0
    for message in messages:
        if message.data[: len(ZSTD_MAGIC)] != ZSTD_MAGIC:
            yield message
            continue
        try:
            yield replace(message, data=zstd.decompress(message.data))
        except zstd.ZstdError:
            lost += 1
    if lost:
        tell(f'has {lost} compressed messages that are damaged: left out')


def _named(tell: Tell, name: str, text: str) -> None:
    tell(f'{name} {text}')


def _by_number(name: str) -> list[tuple[int, str]]:
    """Return a key by which `bag_10` comes after `bag_9`."""
    return [(int(p), '') if p.isdigit() else (-1, p) for p in re.split(r'(\d+)', name)]
