"""In which order an epoch shows its rows: any, or one that reads near what was read before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
import math

import numpy as np
from numpy.typing import NDArray

# Rows that are read together, and how many such blocks are mixed. Less than 4096 numbers, as one
# column may be of, the system reads no sooner than all of them.
BLOCK_ROWS = 4096
MIXED_BLOCKS = 8
Places = NDArray[np.int64] | NDArray[np.uint32]


class Order(StrEnum):
    """ROWS: each row by chance. BLOCKS: blocks of rows by chance, and some at a time mixed.

    The first needs 4 bytes for each row and pass, and reads all over the disk. The second needs
    the same memory for any number of rows, and what is mixed at a time can stay in memory.
    """

    ROWS = 'rows'
    BLOCKS = 'blocks'


def batches_of_places(
    order: Order, count: int, passes: int, batch_size: int, random: np.random.Generator
) -> Iterator[Places]:
    """Yield the places 0 to count - 1, each so many times, batch by batch."""
    if order is Order.BLOCKS:
        yield from _cut(_mixed_blocks(count, passes, random), batch_size)
        return
    places: Places
    if count <= np.iinfo(np.uint32).max:
        places = np.tile(np.arange(count, dtype=np.uint32), passes)
    else:
        places = np.tile(np.arange(count, dtype=np.int64), passes)
    random.shuffle(places)
    for start in range(0, len(places), batch_size):
        yield places[start : start + batch_size]


def _mixed_blocks(count: int, passes: int, random: np.random.Generator) -> Iterator[Places]:
    for _ in range(passes):
        blocks = random.permutation(math.ceil(count / BLOCK_ROWS))
        for first in range(0, len(blocks), MIXED_BLOCKS):
            begins = BLOCK_ROWS * blocks[first : first + MIXED_BLOCKS, None]
            places = (begins + np.arange(BLOCK_ROWS)).ravel()
            places = places[places < count]
            random.shuffle(places)
            yield places


def _cut(parts: Iterable[Places], size: int) -> Iterator[Places]:
    """Yield batches of a size, and what is left at the end."""
    left: Places = np.empty(0, dtype=np.int64)
    for part in parts:
        left = np.concatenate([left, part])
        whole = len(left) // size * size
        for start in range(0, whole, size):
            yield left[start : start + size]
        left = left[whole:]
    if len(left):
        yield left
