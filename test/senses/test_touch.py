"""Wrenches."""

from __future__ import annotations

from typing import Any

FORCE = ['force.x', 'torque.z']


def wrench(messages: Any, x: float, z: float) -> Any:
    return messages.make(
        'geometry_msgs/Wrench',
        force=messages.make('geometry_msgs/Vector3', x=x),
        torque=messages.make('geometry_msgs/Vector3', z=z),
    )


def test_a_wrench_gives_the_channels_that_are_asked_for_with_a_stamp_or_without(
    sense: Any, messages: Any
):
    force = wrench(messages, 3.0, 4.0)
    for kind, fields in (
        ('geometry_msgs/WrenchStamped', {'wrench': force}),
        ('geometry_msgs/Wrench', {'force': force.force, 'torque': force.torque}),
    ):
        message = messages(kind, **fields)
        assert sense(message=kind, channels=FORCE)(message).tolist() == [3.0, 4.0]
        assert sense(message=kind, channels=['force.x'])(message).tolist() == [3.0]
