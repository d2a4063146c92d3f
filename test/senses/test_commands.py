"""Set-points as a demonstrator sends them, in the order of the robot's joints."""

from __future__ import annotations

from typing import Any

from mmvae_controller.modality.robot import OutputMessage
from mmvae_controller.modality.spec import Quantity
from mmvae_controller.senses.commands import read_command
from mmvae_controller.senses.errors import MessageError
import pytest

JOINTS = ('left', 'right')
POSITION, VELOCITY = Quantity.POSITION, Quantity.VELOCITY
ARRAY, STATE = OutputMessage.FLOAT64_ARRAY, OutputMessage.JOINT_STATE
TRAJECTORY, POINT = OutputMessage.JOINT_TRAJECTORY, OutputMessage.JOINT_TRAJECTORY_POINT
NAMES = ['gripper', 'right', 'left']


def command(messages: Any, kind: OutputMessage, field: str, **fields: Any) -> Any:
    """Return a message; what is not `joint_names` goes into the first of two points."""
    if kind is not TRAJECTORY:
        return messages(kind.value, **{k: v for k, v in fields.items() if k != 'joint_names'})
    names = {k: fields.pop(k) for k in list(fields) if k == 'joint_names'}
    later = {field: [8.0] * len(fields.get(field, []))}
    points = [messages.make(POINT.value, **part) for part in (fields, later)]
    return messages(kind.value, points=points, **names)


@pytest.mark.parametrize(
    ('kind', 'quantity', 'fields'),
    [
        (ARRAY, POSITION, {'data': [1.0, 2.0]}),
        (ARRAY, VELOCITY, {'data': [1.0, 2.0]}),
        (STATE, POSITION, {'name': NAMES, 'position': [9.0, 2.0, 1.0]}),
        (STATE, VELOCITY, {'name': NAMES, 'velocity': [9.0, 2.0, 1.0]}),
        (TRAJECTORY, POSITION, {'joint_names': NAMES, 'positions': [9.0, 2.0, 1.0]}),
        (TRAJECTORY, VELOCITY, {'joint_names': NAMES, 'velocities': [9.0, 2.0, 1.0]}),
        (POINT, POSITION, {'positions': [1.0, 2.0], 'velocities': [5.0, 5.0]}),
        (POINT, VELOCITY, {'positions': [5.0, 5.0], 'velocities': [1.0, 2.0]}),
    ],
)
def test_a_set_point_is_read_in_the_order_of_the_joints(
    messages: Any, kind: OutputMessage, quantity: Quantity, fields: dict[str, Any]
):
    field = 'positions' if quantity is POSITION else 'velocities'
    message = command(messages, kind, field, **fields)
    assert read_command(message, kind, JOINTS, quantity).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ('kind', 'fields', 'says'),
    [
        (ARRAY, {'data': [1.0]}, 'data has 1 numbers, expected 2'),
        (ARRAY, {}, 'data has 0 numbers, expected 2'),
        (ARRAY, {'data': [float('nan'), 1.0]}, r'data is not finite: \[nan, 1\.0\]'),
        (ARRAY, {'data': [float('inf'), 1.0]}, 'data is not finite'),
        (STATE, {'name': ['left'], 'position': [1.0]}, r"name is \['left'\], expected also"),
        (STATE, {'name': NAMES, 'position': [1.0]}, 'position has 1 numbers, expected one for'),
        (STATE, {'name': NAMES, 'velocity': [1.0] * 3}, 'position has 0 numbers, expected one'),
        (STATE, {'name': ['left', 'left'], 'position': [1.0, 1.0]}, 'name has a joint twice'),
        (
            STATE,
            {'name': ['left', 'right'], 'position': [1.0, float('inf')]},
            'position is not finite',
        ),
        (TRAJECTORY, {'joint_names': ['left']}, 'positions has 0 numbers, expected one for'),
        (
            TRAJECTORY,
            {'joint_names': ['left', 'up'], 'positions': [1.0, 2.0]},
            r"joint_names is \['left', 'up'\], expected also \['right'\]",
        ),
        (
            TRAJECTORY,
            {'joint_names': ['left', 'left'], 'positions': [1.0, 2.0]},
            'joint_names has a joint twice',
        ),
        (POINT, {'positions': [1.0]}, 'positions has 1 numbers, expected 2'),
        (POINT, {'velocities': [1.0, 2.0]}, 'positions has 0 numbers, expected 2'),
        (POINT, {'positions': [1.0, float('nan')]}, 'positions is not finite'),
    ],
)
def test_what_is_no_command_is_refused(
    messages: Any, kind: OutputMessage, fields: dict[str, Any], says: str
):
    message = command(messages, kind, 'positions', **fields)
    with pytest.raises(MessageError, match=says):
        read_command(message, kind, JOINTS, POSITION)


def test_a_trajectory_without_a_point_is_refused(messages: Any):
    message = messages(TRAJECTORY.value, joint_names=list(JOINTS))
    with pytest.raises(MessageError, match='points is empty, expected at least one'):
        read_command(message, TRAJECTORY, JOINTS, POSITION)
