"""The order of the rows in an epoch."""

from mmvae_controller.training.order import batches_of_places, BLOCK_ROWS, MIXED_BLOCKS, Order
import numpy as np
import pytest

MIXED_ROWS = BLOCK_ROWS * MIXED_BLOCKS


def places(order, count, passes=1, batch_size=64, seed=0):
    random = np.random.default_rng(seed)
    return list(batches_of_places(order, count, passes, batch_size, random))


@pytest.mark.parametrize('order', Order)
@pytest.mark.parametrize('count', [1, 63, 64, BLOCK_ROWS + 1, MIXED_ROWS + 5])
@pytest.mark.parametrize('passes', [1, 3])
def test_every_row_comes_once_in_each_pass_in_batches_of_the_same_size(order, count, passes):
    batches = places(order, count, passes)
    assert [len(b) for b in batches[:-1]] == [64] * (len(batches) - 1)
    assert len(batches) == -(-count * passes // 64)
    found, times = np.unique(np.concatenate(batches), return_counts=True)
    assert np.array_equal(found, np.arange(count))
    assert np.all(times == passes)


@pytest.mark.parametrize('order', Order)
def test_another_seed_is_another_order(order):
    one, again, other = (np.concatenate(places(order, 5000, seed=s)) for s in (0, 0, 1))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize('passes', [1, 2])
def test_rows_come_in_the_order_in_which_they_always_did(passes):
    """Models that were trained before can be trained again."""
    rows = np.arange(300) * 7
    wanted = np.random.default_rng(4).permutation(np.tile(rows, passes))
    found = np.concatenate(places(Order.ROWS, 300, passes, seed=4))
    assert np.array_equal(rows[found], wanted)


def test_blocks_are_mixed_with_those_read_at_the_same_time_and_no_others():
    order = np.concatenate(places(Order.BLOCKS, 4 * MIXED_ROWS))
    parts = order.reshape(4, MIXED_ROWS) // BLOCK_ROWS
    blocks = [np.unique(part) for part in parts]
    assert [len(b) for b in blocks] == [MIXED_BLOCKS] * 4
    assert sorted(np.concatenate(blocks)) == list(range(4 * MIXED_BLOCKS))
    # A batch has rows of most of them, and they are not neighbours on the disk.
    assert len(np.unique(order[:64] // BLOCK_ROWS)) > MIXED_BLOCKS / 2
    assert not np.array_equal(blocks[0], np.arange(blocks[0][0], blocks[0][0] + MIXED_BLOCKS))
