"""Taxels and single numbers."""

from __future__ import annotations

from typing import Any

from mmvae_controller.senses.errors import MessageError
import pytest

ARRAYS = ['std_msgs/Float32MultiArray', 'std_msgs/Float64MultiArray']


@pytest.mark.parametrize('kind', ARRAYS)
def test_an_array_gives_its_numbers_and_is_refused_with_another_count(
    sense: Any, messages: Any, kind: str
):
    read = sense(message=kind, shape=[2])
    assert read(messages(kind, data=[1.0, 2.5])).tolist() == [1.0, 2.5]
    with pytest.raises(MessageError, match='data has 3 numbers, expected 2'):
        read(messages(kind, data=[1.0, 2.0, 3.0]))
    with pytest.raises(MessageError, match='data has 0 numbers, expected 2'):
        read(messages(kind))


@pytest.mark.parametrize('kind', ARRAYS)
@pytest.mark.parametrize(('offset', 'says'), [(2, ''), (1, '3 numbers'), (2**32 - 1, '0 numbers')])
def test_an_array_begins_where_it_says(
    sense: Any, messages: Any, kind: str, offset: int, says: str
):
    read = sense(message=kind, shape=[2])
    layout = messages.make('std_msgs/MultiArrayLayout', data_offset=offset)
    message = messages(kind, data=[9.0, 9.0, 1.0, 2.0], layout=layout)
    if says:
        with pytest.raises(MessageError, match=f'data has {says}, expected 2'):
            read(message)
    else:
        assert read(message).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ('kind', 'value', 'expected'),
    [
        ('std_msgs/Bool', False, 0.0),
        ('std_msgs/Bool', True, 1.0),
        ('std_msgs/Float32', 0.5, 0.5),
        ('std_msgs/Float64', -1e300, -1e300),
    ],
)
def test_a_message_of_one_number_is_a_sense_of_one_channel(
    sense: Any, messages: Any, kind: str, value: Any, expected: float
):
    read = sense(message=kind, channels=['touched'])
    assert read(messages(kind, data=value)).tolist() == [expected]
