"""`mmvae check-robot` on a real graph: what it hears, and that it leaves no trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
import json
import time
from typing import Any

import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue  # noqa: E402
from geometry_msgs.msg import Wrench  # noqa: E402
from mmvae_controller.cli.check_judging import Given, judge  # noqa: E402
from mmvae_controller.cli.check_robot import run  # noqa: E402
from mmvae_controller.cli.findings import exit_code, Finding, Level  # noqa: E402
from mmvae_controller.control.window import NS  # noqa: E402
from mmvae_controller.nodes.check.facts import Facts  # noqa: E402
from mmvae_controller.nodes.check.gathering import Gatherer, KEPT, NAME  # noqa: E402
from mmvae_controller.nodes.check.hearing import DISCOVERY_S  # noqa: E402
from mmvae_controller.nodes.recorder import Recorder  # noqa: E402
from mmvae_controller.nodes.watch.listener import NamespaceError  # noqa: E402
from mmvae_controller.nodes.wire.messages import time_message  # noqa: E402
from mmvae_controller.nodes.wire.qos import CLOCK, COMMAND, SENSOR  # noqa: E402
from mmvae_controller.recordings.writer import BagWriter  # noqa: E402
from rclpy.qos import DurabilityPolicy, QoSProfile  # noqa: E402
from rosgraph_msgs.msg import Clock  # noqa: E402
from sensor_msgs.msg import Image, JointState  # noqa: E402
from std_msgs.msg import Float64MultiArray, String  # noqa: E402

ENOUGH = 10
SPUN_S = 0.02
# On a busy machine gaps are longer than the small robot allows.
PATIENCE_S = 20.0
Gather = Callable[..., Facts]


@pytest.fixture
def gather(peer: Any) -> Iterator[Gather]:
    """Return what listens to the peer until something is true of the facts."""
    gatherers: list[Gatherer] = []

    def listen(until: Callable[[Facts], Any], namespace: str = '') -> Facts:
        gatherer = Gatherer(peer.robot, namespace)
        gatherers.append(gatherer)

        def heard() -> Facts | None:
            gatherer.spin(SPUN_S)
            facts = gatherer.facts()
            return facts if until(facts) else None

        facts: Facts = peer.until(heard, 'facts')
        return facts

    yield listen
    for gatherer in gatherers:
        gatherer.close()


def obey(peer: Any, kind: type = Float64MultiArray, qos: QoSProfile = COMMAND) -> None:
    peer.listen(kind, 'joint_command', qos)


def all_heard(facts: Facts) -> bool:
    return bool(facts.command.listeners) and all(
        s.heard.received >= ENOUGH for s in facts.senses.values()
    )


def worst(peer: Any, facts: Facts, subject: str, what: str) -> Finding:
    findings = judge(peer.robot, facts, Given())
    own = [f for f in findings if (f.subject, f.what) == (subject, what)]
    return max(own, key=lambda f: list(Level).index(f.level))


def test_a_robot_that_has_all_is_ready(peer, gather):
    patient = tuple(replace(m, max_age_s=PATIENCE_S) for m in peer.robot.modalities)
    peer.robot = replace(peer.robot, modalities=patient)
    obey(peer)
    peer.feel()
    facts = gather(all_heard)
    findings = judge(peer.robot, facts, Given())
    assert [str(f) for f in findings if f.level is Level.MISSING] == []
    joints = facts.senses['joints']
    assert joints.topic == '/joint_states'
    assert [p.node for p in joints.publishers] == ['/peer']
    assert joints.heard.values == {'left': 0.1, 'right': -0.1}
    assert facts.senses['camera'].heard.picture == '6 x 4 rgb8'


def test_nothing_is_published_and_no_service_is_offered(peer, gather):
    obey(peer)
    peer.feel()
    gather(all_heard)
    node = peer.node
    topics = [t for t, _ in node.get_publisher_names_and_types_by_node(NAME, '/')]
    assert topics == ['/parameter_events']  # Every node of rclpy has it.
    assert node.count_publishers('/joint_command') == 0
    services = [s for s, _ in node.get_service_names_and_types_by_node(NAME, '/')]
    assert [s for s in services if 'type_description' not in s] == []


def test_a_camera_in_another_namespace_is_found(peer, gather):
    peer.silent.add('camera/image_raw')
    peer.node.create_publisher(Image, '/front/camera/image_raw', SENSOR)
    facts = gather(lambda facts: '/front/camera/image_raw' in facts.published)
    finding = worst(peer, facts, 'camera', 'topic')
    assert finding.level is Level.MISSING
    assert '--namespace front' in finding.todo


def test_misnamed_joints_are_told(peer, gather):
    peer.others['joint_states'] = JointState(name=['left_joint', 'right'], position=[0.0, 0.0])
    peer.feel()
    facts = gather(lambda facts: facts.senses['joints'].heard.received)
    finding = worst(peer, facts, 'joints', 'joints')
    assert finding.level is Level.MISSING
    assert 'left_joint for left' in finding.todo


def test_another_type_is_told(peer, gather):
    peer.others['touch'] = Wrench()
    peer.feel()
    facts = gather(lambda facts: facts.senses['touch'].publishers)
    finding = worst(peer, facts, 'touch', 'type')
    assert finding.level is Level.MISSING
    assert 'geometry_msgs/Wrench, expected geometry_msgs/WrenchStamped' in finding.message


def test_a_sense_that_is_too_slow_is_told_with_its_share(peer, gather):
    """Every 0.5 s, where 0.3 are allowed."""
    peer.feel(period_s=0.5)
    facts = gather(lambda facts: facts.senses['joints'].heard.received >= 3)
    finding = worst(peer, facts, 'joints', 'rate')
    assert finding.level is Level.MISSING
    assert 'of the time' in finding.message
    assert 0.2 < facts.senses['joints'].heard.masked_share < 1


def test_a_listener_that_wants_kept_commands_hears_none(peer, gather):
    obey(peer, qos=QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL))
    facts = gather(lambda facts: [e.node for e in facts.command.listeners] == ['/peer'])
    finding = worst(peer, facts, 'motor', 'QoS')
    assert finding.level is Level.MISSING
    assert '/peer does not hear' in finding.message


def test_what_only_records_the_command_is_not_taken_for_a_robot(peer, gather, tmp_path):
    writer = BagWriter(tmp_path / 'bag')
    recorder = Recorder(peer.robot, writer)
    try:
        facts = gather(lambda facts: [e.node for e in facts.command.listeners] == ['/recorder'])
        assert worst(peer, facts, 'motor', 'topic').message == 'nobody listens to /joint_command'
    finally:
        recorder.close()
        writer.close()


@pytest.mark.parametrize('key', ['peer', 'peer.state'])
def test_a_controller_of_ros2_control_that_is_not_active_is_told(peer, gather, key):
    """As the manager of ros2_control tells it; the peer listens as an inactive one does."""
    obey(peer)
    status = DiagnosticStatus(
        name='controller_manager: Controllers Activity',
        values=[KeyValue(key=key, value='inactive')],
    )
    manager = peer.node.create_publisher(DiagnosticArray, '/diagnostics', 1)
    peer.node.create_timer(SPUN_S, lambda: manager.publish(DiagnosticArray(status=[status])))
    facts = gather(
        lambda facts: facts.controllers and [e.node for e in facts.command.listeners] == ['/peer']
    )
    finding = worst(peer, facts, 'motor', 'controller')
    assert finding.level is Level.MISSING
    assert '--activate peer' in finding.todo


def test_a_driver_that_starts_late_is_not_taken_for_a_slow_one(peer):
    """What it says is judged from when it is known; until then nobody was silent."""
    gatherer = Gatherer(peer.robot, '')
    try:
        gatherer.spin(DISCOVERY_S + 1)
        peer.feel()
        peer.until(lambda: _spun(gatherer).senses['touch'].heard.received >= ENOUGH, 'touch')
        assert _spun(gatherer).senses['touch'].heard.late_s == 0
    finally:
        gatherer.close()


@pytest.mark.timed
def test_the_pace_of_simulated_time_is_heard(peer, gather):
    clock, began_s = peer.node.create_publisher(Clock, '/clock', CLOCK), time.monotonic()

    def tell() -> None:
        told_ns = round(0.25 * NS * (time.monotonic() - began_s))
        clock.publish(Clock(clock=time_message(told_ns)))

    peer.node.create_timer(SPUN_S, tell)
    facts = gather(lambda facts: facts.time_factor is not None and facts.seconds > 2)
    assert facts.simulated
    assert facts.time_factor == pytest.approx(0.25, rel=0.2)


def test_the_robot_description_is_heard(peer, gather):
    peer.node.create_publisher(String, 'robot_description', KEPT).publish(String(data='<robot/>'))
    assert gather(lambda facts: facts.description).description == '<robot/>'


def test_what_only_the_check_listens_to_is_not_taken_for_a_robot(peer, gather):
    peer.listen(JointState, 'arm/joint_states', SENSOR)
    facts = gather(lambda facts: '/arm/joint_states' in facts.heeded)
    assert '/joint_states' not in facts.heeded


def test_a_sample_counts_from_when_it_came_not_from_when_it_was_read(peer, gather):
    """All that waits in the middleware is read late: once, after a second."""
    peer.feel()
    gatherer = Gatherer(peer.robot, '')
    try:
        peer.until(lambda: _spun(gatherer).senses['joints'].heard.received, 'joints')
        peer.publish_senses()
        peer.silent |= {'camera/image_raw', 'joint_states', 'touch'}
        before = gatherer.facts().senses['joints'].heard.received
        end_s = time.monotonic() + 1
        peer.until(lambda: time.monotonic() > end_s, 'a second')
        heard = _spun(gatherer).senses['joints'].heard
        assert heard.received == before + 1
        assert before / heard.rate_hz < 0.8  # From the first to the last one.
    finally:
        gatherer.close()


def _spun(gatherer: Gatherer) -> Facts:
    gatherer.spin(SPUN_S)
    return gatherer.facts()


def test_a_namespace_that_cannot_be_one_is_refused(peer):
    with pytest.raises(NamespaceError, match="namespace '7 of 9' is not valid"):
        Gatherer(peer.robot, '7 of 9')


def test_the_command_prints_writes_and_exits_with_1_where_nothing_is(
    domain, robot_file, tmp_path, capsys
):
    path = tmp_path / 'out' / 'check.json'
    assert run(str(robot_file), None, 'arm', 0.5, None, 0.0, path) == 1
    printed = capsys.readouterr().out
    assert '/arm/camera/image_raw is not published' in printed
    assert 'small is not ready' in printed
    data = json.loads(path.read_text())
    assert (data['ready'], data['namespace']) == (False, '/arm')


def test_a_model_that_does_not_fit_is_told(peer, gather, lonely_model):
    from mmvae_controller.control.network import Network

    facts = gather(lambda facts: True)
    findings = judge(peer.robot, facts, Given(Network(lonely_model)))
    misfits = [f for f in findings if f.what == 'fit']
    assert any('camera: the robot has it' in f.message for f in misfits)
    assert exit_code(findings) == 1


def test_a_model_that_fits_is_told_to_be_calibrated(peer, gather, model):
    from mmvae_controller.control.network import Network

    facts = gather(lambda facts: True)
    findings = judge(peer.robot, facts, Given(Network(model)))
    levels = {f.what: f.level for f in findings if f.subject == 'model small'}
    assert levels == {'fit': Level.OK, 'calibration': Level.NOTE, 'step_s': Level.OK}
