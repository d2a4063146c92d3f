"""A robot whose drivers speak through CycloneDDS: the wire is the same, whoever writes to it."""

# No deferred annotations: cyclonedds reads the types of the fields below when they are defined.
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('cyclonedds', reason='CycloneDDS has no wheel for this Python')
pytestmark = [
    pytest.mark.ros,
    pytest.mark.skipif(
        version('rclpy').partition('.')[0] != '7',
        reason='CycloneDDS does not match JointState with the Fast DDS 3 of Kilted',
    ),
]

from cyclonedds.core import Policy, Qos  # noqa: E402
from cyclonedds.domain import Domain, DomainParticipant  # noqa: E402
from cyclonedds.idl import IdlStruct  # noqa: E402
from cyclonedds.idl.annotations import final  # noqa: E402
from cyclonedds.idl.types import float64, int32, sequence, uint32  # noqa: E402
from cyclonedds.pub import DataWriter  # noqa: E402
from cyclonedds.sub import DataReader  # noqa: E402
from cyclonedds.topic import Topic  # noqa: E402

# Discovery as rmw_fastrtps does it with LOCALHOST: no multicast, whoever is on this machine.
CONFIGURATION = """
<CycloneDDS><Domain>
  <General>
    <AllowMulticast>false</AllowMulticast>
    <Interfaces><NetworkInterface address="127.0.0.1"/></Interfaces>
  </General>
  <Discovery>
    <ParticipantIndex>auto</ParticipantIndex>
    <MaxAutoParticipantIndex>32</MaxAutoParticipantIndex>
    <Peers><Peer address="127.0.0.1"/></Peers>
  </Discovery>
</Domain></CycloneDDS>
"""
# ROS 2 speaks the first version of CDR.
ON_THE_WIRE = Policy.DataRepresentation(use_cdrv0_representation=True)
BEST_EFFORT = Qos(Policy.Reliability.BestEffort, Policy.History.KeepLast(1), ON_THE_WIRE)
RELIABLE = Qos(Policy.Reliability.Reliable(0), Policy.History.KeepLast(100), ON_THE_WIRE)


@dataclass
@final
class Time(IdlStruct, typename='builtin_interfaces.msg.dds_.Time_'):
    sec: int32
    nanosec: uint32


@dataclass
@final
class Header(IdlStruct, typename='std_msgs.msg.dds_.Header_'):
    stamp: Time
    frame_id: str


@dataclass
@final
class JointState(IdlStruct, typename='sensor_msgs.msg.dds_.JointState_'):
    header: Header
    name: sequence[str]
    position: sequence[float64]
    velocity: sequence[float64]
    effort: sequence[float64]


@dataclass
@final
class Dimension(IdlStruct, typename='std_msgs.msg.dds_.MultiArrayDimension_'):
    label: str
    size: uint32
    stride: uint32


@dataclass
@final
class Layout(IdlStruct, typename='std_msgs.msg.dds_.MultiArrayLayout_'):
    dim: sequence[Dimension]
    data_offset: uint32


@dataclass
@final
class Float64MultiArray(IdlStruct, typename='std_msgs.msg.dds_.Float64MultiArray_'):
    layout: Layout
    data: sequence[float64]


class Driver:
    """An arm's driver on CycloneDDS: tells where the joints are, hears where they should be."""

    def __init__(self, domain_id: int) -> None:
        self._domain = Domain(domain_id, CONFIGURATION)
        participant = DomainParticipant(domain_id)
        states = Topic(participant, 'rt/joint_states', JointState)
        commands = Topic(participant, 'rt/joint_command', Float64MultiArray)
        self._writer = DataWriter(participant, states, qos=BEST_EFFORT)
        self._reader = DataReader(participant, commands, qos=RELIABLE)
        self.commands: list[list[float]] = []

    def work(self, left_rad: float, right_rad: float) -> None:
        """Publish the joints, and read what has come."""
        header = Header(Time(0, 0), 'world')
        self._writer.write(JointState(header, ['right', 'left'], [right_rad, left_rad], [], []))
        self.commands += [list(message.data) for message in self._reader.take(N=100)]


@pytest.fixture
def driver(domain: int) -> Driver:
    return Driver(domain)


def test_an_arm_on_cyclonedds_is_heard_and_obeys(rig: Any, peer: Any, driver: Driver):
    it = rig()
    it.node.start()
    # All other senses come through the middleware of the controller.
    peer.silent = {'joint_states'}
    peer.feel()
    peer.node.create_timer(0.02, lambda: driver.work(0.25, -0.5))
    moved = peer.until(
        lambda: len({tuple(c) for c in driver.commands}) >= 5 and driver.commands, 'commands'
    )
    # The first set-point is where the joints were told to be, in the order of the robot YAML.
    assert moved[0] == pytest.approx([0.25, -0.5], abs=0.1)
    assert all(later > first for first, later in zip(moved[0], moved[-1], strict=True))
    assert it.status('controller: input joints').message.startswith('known')
