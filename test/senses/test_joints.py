"""Joint states: any order, more joints than asked for, and what is no state of these joints."""

from __future__ import annotations

from typing import Any

from mmvae_controller.senses.errors import MessageError
import numpy as np
import pytest

JOINTS = {'message': 'sensor_msgs/JointState', 'joints': ['left', 'right']}
KIND = JOINTS['message']


@pytest.mark.parametrize('part', ['position', 'velocity', 'effort'])
def test_joints_are_found_by_name_in_any_order_among_others(sense: Any, messages: Any, part: str):
    message = messages(KIND, name=['gripper', 'right', 'left'], **{part: [9.0, 2.0, 1.0]})
    assert sense(part=part, **JOINTS)(message).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ('fields', 'part', 'says'),
    [
        ({'name': ['left'], 'position': [1]}, 'position', "name is ['left'], expected also"),
        ({'name': ['left', 'right'], 'position': [1]}, 'position', 'position has 1 numbers'),
        ({'name': ['left', 'right']}, 'position', 'position is empty'),
        ({'name': ['left', 'left'], 'position': [1, 2]}, 'position', 'name has a joint twice'),
        ({'name': ['left', 'right']}, 'effort', 'the driver publishes no effort'),
        (
            {'position': [1, 2]},
            'position',
            'position has 2 numbers, expected one for each of the 0',
        ),
        ({}, 'position', "name is [], expected also ['left', 'right']"),
        (
            {'name': ['left', 'right'], 'position': [1, 2]},
            'velocity',
            'velocity is empty: the driver publishes no velocity',
        ),
    ],
)
def test_joint_states_that_do_not_fit_are_refused(
    sense: Any, messages: Any, fields: dict[str, Any], part: str, says: str
):
    with pytest.raises(MessageError) as error:
        sense(part=part, **JOINTS)(messages(KIND, **fields))
    assert says in str(error.value)


def test_numbers_that_are_not_finite_are_handed_on_for_the_window_to_mask(
    sense: Any, messages: Any
):
    message = messages(KIND, name=['left', 'right'], position=[np.nan, 2.0])
    assert np.array_equal(sense(**JOINTS)(message), [np.nan, 2.0], equal_nan=True)
