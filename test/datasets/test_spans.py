"""Rows as runs: what an array of them would say."""

from hypothesis import given, strategies
from mmvae_controller.datasets.spans import Spans
import numpy as np
import pytest


@given(strategies.lists(strategies.integers(0, 40), max_size=30), strategies.data())
def test_they_are_indexed_like_the_rows_they_stand_for(rows, data):
    rows = np.array(rows, dtype=np.int64)
    spans = Spans.of(rows)
    assert len(spans) == len(rows)
    assert np.array_equal(spans[:], rows)
    assert np.array_equal(spans[1::3], rows[1::3])
    if len(rows):
        places = strategies.lists(strategies.integers(0, len(rows) - 1))
        chosen = np.array(data.draw(places), dtype=np.uint32)
        assert np.array_equal(spans[chosen], rows[chosen])


@pytest.mark.parametrize('kind', [np.int64, np.uint32])
def test_rows_are_64_bits_wide_whatever_the_places_are(kind):
    spans = Spans(np.array([2**33]), np.array([2**33 + 4]))
    found = spans[np.array([3, 0], dtype=kind)]
    assert found.dtype == np.int64
    assert found.tolist() == [2**33 + 3, 2**33]
