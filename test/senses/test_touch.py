"""Wrenches, and contacts of both simulators, as rosbags reads them and as stand-ins."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

GAZEBO, GZ = 'gazebo_msgs/ContactsState', 'ros_gz_interfaces/Contacts'
CONTACTS = [GAZEBO, GZ]
FORCE, TOUCHING = ['force.x', 'torque.z'], ['touching']


class StandIns:
    """Messages of packages that are on no index: whatever has their fields."""

    def make(self, kind: str, **fields: Any) -> Any:
        usual: dict[str, Any] = {
            'geometry_msgs/Vector3': {'x': 0.0, 'y': 0.0, 'z': 0.0},
            'gazebo_msgs/ContactState': {'wrenches': []},
            'ros_gz_interfaces/Contact': {'wrenches': []},
            GAZEBO: {'states': []},
            GZ: {'contacts': []},
        }
        found = SimpleNamespace(**{**usual.get(kind, {}), **fields})
        if kind == 'geometry_msgs/Wrench':
            for part in ('force', 'torque'):
                if not hasattr(found, part):
                    setattr(found, part, self.make('geometry_msgs/Vector3'))
        if kind == 'gazebo_msgs/ContactState' and not hasattr(found, 'total_wrench'):
            found.total_wrench = self.make('geometry_msgs/Wrench')
        return found

    __call__ = make


@pytest.fixture(params=['stand-ins', 'rosbags'])
def contacts(request: pytest.FixtureRequest) -> Any:
    """Return what makes messages with contacts."""
    return StandIns() if request.param == 'stand-ins' else request.getfixturevalue('rosbags')


def wrench(messages: Any, x: float, z: float) -> Any:
    return messages.make(
        'geometry_msgs/Wrench',
        force=messages.make('geometry_msgs/Vector3', x=x),
        torque=messages.make('geometry_msgs/Vector3', z=z),
    )


def touch(messages: Any, kind: str, wrenches: list[Any]) -> Any:
    """Return a message with a contact for each wrench; None is a contact that tells no force."""
    if kind == GAZEBO:
        name = 'gazebo_msgs/ContactState'
        # A wrench for each point of contact, of which the sum is what counts.
        parts = [
            {'wrenches': [w, w], 'total_wrench': w} if w is not None else {} for w in wrenches
        ]
        return messages(kind, states=[messages.make(name, **part) for part in parts])
    both = [
        [messages.make('ros_gz_interfaces/JointWrench', body_1_wrench=w)] if w is not None else []
        for w in wrenches
    ]
    found = [messages.make('ros_gz_interfaces/Contact', wrenches=w) for w in both]
    return messages(kind, contacts=found)


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


@pytest.mark.parametrize('kind', CONTACTS)
def test_whether_anything_is_touched_needs_no_force(sense: Any, contacts: Any, kind: str):
    read = sense(message=kind, channels=TOUCHING)
    assert read(touch(contacts, kind, [wrench(contacts, 3.0, 4.0)])).tolist() == [1.0]
    assert read(touch(contacts, kind, [None])).tolist() == [1.0]
    assert read(touch(contacts, kind, [None] * 3)).tolist() == [1.0]
    assert read(touch(contacts, kind, [])).tolist() == [0.0]
