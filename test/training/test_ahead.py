"""Reading ahead: the same things in the same order, and never longer than they are wanted."""

from contextlib import closing
import threading

from mmvae_controller.training.ahead import ahead
import pytest


def readers():
    return [t for t in threading.enumerate() if t.name.startswith('reader')]


def test_everything_comes_in_order_and_the_thread_ends():
    assert list(ahead(iter(range(20)))) == list(range(20))
    assert list(ahead(iter(()))) == []
    assert readers() == []


def test_the_next_one_is_made_while_one_is_used():
    made = threading.Event()

    def items():
        yield 'first'
        made.set()
        yield 'second'

    with closing(ahead(items())) as found:
        assert next(found) == 'first'
        assert made.wait(5)
        assert next(found) == 'second'


def test_an_error_comes_where_its_item_would_have():
    def items():
        yield 1
        raise OSError('the disk is gone')

    found = ahead(items())
    assert next(found) == 1
    with pytest.raises(OSError, match='the disk is gone'):
        next(found)
    assert readers() == []


def test_whoever_leaves_early_leaves_no_thread_and_lets_no_more_be_made():
    made = []

    def items():
        for number in range(100):
            made.append(number)
            yield number

    with closing(ahead(items())) as found:
        next(found)
    assert readers() == []
    assert len(made) == 2
