"""Reads the next batch while the last one is learnt from."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar('T')


def ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """Yield what an iterator does, of which a thread makes one while the one before is used.

    An error of the iterator comes where its item would have come. Whoever leaves early waits for
    the item under way, and no more are made.
    """
    with ThreadPoolExecutor(1, 'reader') as reader:
        coming = reader.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = reader.submit(next, items, None)
            yield item
