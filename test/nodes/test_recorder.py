"""What a robot's topics carried is in the bag, and what its controller saw is found again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
import resource
import signal
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from geometry_msgs.msg import WrenchStamped  # noqa: E402
from mmvae_controller.cli import record  # noqa: E402
from mmvae_controller.datasets.store import Dataset  # noqa: E402
from mmvae_controller.guidance.exit_codes import ExitCode  # noqa: E402
from mmvae_controller.modality.errors import ModalityError  # noqa: E402
from mmvae_controller.modality.robot import Robot  # noqa: E402
from mmvae_controller.modality.robot_file import load_robot  # noqa: E402
from mmvae_controller.nodes.controller import ControllerNode  # noqa: E402
from mmvae_controller.nodes.recorder import definition, Recorder  # noqa: E402
from mmvae_controller.nodes.simulation import SimulationNode  # noqa: E402
from mmvae_controller.nodes.wire.messages import image_message, time_message  # noqa: E402
from mmvae_controller.nodes.wire.qos import (  # noqa: E402
    COMMAND,
    EPISODES,
    EVERY,
    EVERY_RELIABLE,
    hearing,
    SENSOR,
)
from mmvae_controller.recordings.bag import read_bag  # noqa: E402
from mmvae_controller.recordings.decoding import Decoder  # noqa: E402
from mmvae_controller.recordings.errors import RecordingError  # noqa: E402
from mmvae_controller.recordings.importing import import_bags, ImportSettings  # noqa: E402
from mmvae_controller.recordings.making import Maker  # noqa: E402
from mmvae_controller.recordings.stored import Channel  # noqa: E402
from mmvae_controller.recordings.writer import BagWriter  # noqa: E402
from rclpy.node import Node  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from rclpy.qos import DurabilityPolicy  # noqa: E402
from rclpy.serialization import deserialize_message  # noqa: E402
from rosgraph_msgs.msg import Clock  # noqa: E402
from sensor_msgs.msg import JointState  # noqa: E402
from std_msgs.msg import Bool, Float64MultiArray  # noqa: E402

DEADLINE_S = 20.0
FULL_BYTES = 100_000


def told(text: str) -> None:
    """Nothing is to be lost here."""
    pytest.fail(text)


@pytest.fixture
def recorder(domain: int, robot: Robot, tmp_path: Path) -> Iterator[Recorder]:
    writer = BagWriter(tmp_path / 'bag')
    recorder = Recorder(robot, writer, observation=True, also=('episode',))
    yield recorder
    recorder.close()
    writer.close()


def contents(bag: Path) -> list[tuple[str, str, bytes]]:
    return [(m.channel.topic, m.channel.kind, m.data) for m in read_bag(bag, lambda text: None)]


def test_messages_are_written_as_they_come_off_the_wire_and_when_they_came(
    peer: Any, recorder: Recorder, tmp_path: Path
):
    peer.feel()
    flags = peer.node.create_publisher(Bool, 'episode', SENSOR)
    peer.node.create_timer(0.02, lambda: flags.publish(Bool(data=True)))
    began_ns = time.time_ns()
    wanted = {f'/{topic}': m for topic, m in peer._senses().items()} | {
        '/episode': Bool(data=True)
    }
    end_s = time.monotonic() + DEADLINE_S
    assert recorder.waiting == ('/episode',)
    while any(recorder.heard[topic] < 3 for topic in wanted):
        assert time.monotonic() < end_s, recorder.heard
        peer.executor.spin_once(timeout_sec=0.001)
        recorder.spin(0.01)
    assert recorder.waiting == ()
    recorder._writer.close()
    found = contents(tmp_path / 'bag')
    for topic, message in wanted.items():
        # Not the bytes that were sent: those between two fields are whatever lay there.
        received = [deserialize_message(d, type(message)) for t, _, d in found if t == topic]
        assert len(received) >= 3
        assert all(r == message for r in received)
    stamps = [m.stamp_ns for m in read_bag(tmp_path / 'bag', told)]
    assert began_ns < stamps[0] <= stamps[-1] < time.time_ns()
    assert {kind for name, kind, _ in found if name == '/touch'} == {'geometry_msgs/WrenchStamped'}


def test_every_topic_of_a_robot_is_recorded_in_its_namespace(
    domain: int, robot: Robot, tmp_path: Path
):
    recorder = Recorder(
        robot,
        BagWriter(tmp_path / 'bag'),
        '/robot1',
        observation=True,
        remaps=('camera/image_raw:=front/image',),
    )
    assert set(recorder.heard) == {
        '/robot1/front/image',
        '/robot1/joint_states',
        '/robot1/touch',
        '/robot1/joint_command',
        '/robot1/controller/observation',
        '/robot1/clock',
        '/clock',
        '/diagnostics',
    }
    recorder.close()


def test_topics_that_are_exchanged_are_recorded_under_the_names_they_have(
    peer: Any, robot: Robot, tmp_path: Path
):
    remaps = ('touch:=grip', 'grip:=touch')
    recorder = Recorder(robot, BagWriter(tmp_path / 'bag'), remaps=remaps, also=('grip',))
    out = {
        topic: peer.node.create_publisher(WrenchStamped, topic, SENSOR)
        for topic in ('touch', 'grip')
    }
    forces = {'touch': 1.0, 'grip': 2.0}
    end_s = time.monotonic() + DEADLINE_S
    while not (recorder.heard['/touch'] and recorder.heard['/grip']):
        assert time.monotonic() < end_s, recorder.heard
        for topic, publisher in out.items():
            message = WrenchStamped()
            message.wrench.force.x = forces[topic]
            publisher.publish(message)
        recorder.spin(0.1)
    recorder.close()
    recorder._writer.close()
    assert recorder.senses['touch'] == '/grip'
    found = contents(tmp_path / 'bag')
    assert {(t, deserialize_message(d, WrenchStamped).wrench.force.x) for t, _, d in found} == {
        ('/touch', 1.0),
        ('/grip', 2.0),
    }


def test_a_mark_from_before_the_recording_is_heard_if_its_publisher_keeps_it(
    peer: Any, robot: Robot, tmp_path: Path
):
    marks = peer.node.create_publisher(Bool, 'episode', EPISODES)
    for value in (False, True):
        marks.publish(Bool(data=value))
    recorder = Recorder(robot, BagWriter(tmp_path / 'bag'), also=('episode',))
    end_s = time.monotonic() + DEADLINE_S
    while recorder.heard['/episode'] < 2:
        assert time.monotonic() < end_s, recorder.heard
        recorder.spin(0.1)
    recorder.close()


def test_another_topic_is_heard_as_well_as_its_publishers_allow():
    assert hearing([SENSOR, EPISODES]) == EVERY
    assert hearing([COMMAND, EPISODES]) == EVERY_RELIABLE
    assert hearing([EPISODES]).durability is DurabilityPolicy.TRANSIENT_LOCAL


@pytest.mark.parametrize('options', [{'namespace': 'no space'}, {'also': ('no space',)}])
def test_a_name_that_cannot_be_one_is_refused(
    domain: int, robot: Robot, tmp_path: Path, options: Any
):
    with pytest.raises(RecordingError):
        Recorder(robot, BagWriter(tmp_path / 'bag'), **options)


KINDS = {
    'absent': ('no_such_msgs/msg/Label', 'message no_such_msgs/Label cannot be imported'),
    'undefined': ('std_msgs/msg/Bool', 'nobody defines std_msgs/Bool'),
    'action': ('arm_msgs/action/Move_FeedbackMessage', 'is no message of its own'),
}


@pytest.fixture
def grip(peer: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Return what begins to publish on `grip` a type that cannot be recorded here."""

    def publish(what: str) -> Any:
        real = Node.get_publishers_info_by_topic

        def told_types(node: Any, topic: str) -> Any:
            return [
                SimpleNamespace(topic_type=KINDS[what][0], qos_profile=info.qos_profile)
                for info in real(node, topic)
            ]

        def undefined(writer: Any, topic: str, kind: str) -> None:
            if what == 'undefined' and topic == '/grip':
                raise RecordingError(f'nobody defines {kind}: is its package installed?')

        monkeypatch.setattr(Node, 'get_publishers_info_by_topic', told_types)
        monkeypatch.setattr(BagWriter, 'require', undefined)
        return peer.node.create_publisher(Bool, 'grip', SENSOR)

    return publish


@pytest.mark.parametrize('what', KINDS)
def test_another_topic_that_cannot_be_recorded_does_not_end_a_recording_that_runs(
    peer: Any, robot: Robot, tmp_path: Path, grip: Any, what: str
):
    peer.feel()
    recorder = Recorder(robot, BagWriter(tmp_path / 'bag'), also=('grip',))
    peer.until(lambda: recorder.spin(0.1) or recorder.heard['/touch'], 'a sense')
    publisher = grip(what)
    peer.until(lambda: recorder.spin(0.1) or recorder.unheard, 'what is not heard')
    assert list(recorder.unheard) == ['/grip']
    assert KINDS[what][1] in recorder.unheard['/grip']
    assert recorder.waiting == ()
    assert '/grip' not in recorder.heard
    count = recorder.heard['/touch']
    peer.until(lambda: recorder.spin(0.1) or recorder.heard['/touch'] > count, 'more')
    assert publisher.get_subscription_count() == 0
    recorder.close()
    recorder._writer.close()


def test_at_the_beginning_another_topic_that_cannot_be_recorded_is_refused(
    peer: Any, robot: Robot, tmp_path: Path, grip: Any, monkeypatch: pytest.MonkeyPatch
):
    grip('absent')
    offered = SimpleNamespace(topic_type=KINDS['absent'][0], qos_profile=SENSOR)
    # It is found at once, as where the recorder has been told of all publishers already.
    monkeypatch.setattr(Node, 'get_publishers_info_by_topic', lambda node, topic: [offered])
    with pytest.raises(ModalityError, match='no_such_msgs/Label cannot be imported'):
        Recorder(robot, BagWriter(tmp_path / 'bag'), also=('grip',))


def test_what_is_not_recorded_is_told_while_it_lasts_and_at_the_end(
    robot_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
):
    class Deaf:
        heard, lost, latest_s = Counter({'/touch': 1}), Counter(), 0.0
        senses, waiting, unheard = {'touch': '/touch'}, (), {}

        def __init__(self, *about: Any) -> None:
            """Hear a sense."""

        def spin(self, duration_s: float) -> None:
            self.unheard['/grip'] = 'nobody defines it'
            time.sleep(0.01)

        def close(self) -> None:
            """Nothing is open."""

    monkeypatch.setattr(record, 'Recorder', Deaf)
    options = record.Options(
        str(robot_file), tmp_path / 'bag', '', (), ('grip',), False, False, 0.1
    )
    assert record.run(options) == ExitCode.OK
    said = capsys.readouterr()
    assert (said.out + said.err).count('/grip is not recorded: nobody defines it') == 2


def test_types_of_installed_packages_are_defined():
    assert 'float64[] position' in definition('sensor_msgs/JointState')
    assert definition('sensor_msgs/Nothing') == ''
    assert definition('no_such_msgs/Nothing') == ''


@pytest.fixture
def recording(
    peer: Any, robot_file: Path, tmp_path: Path
) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Return what starts `mmvae record`, and waits until it has written for two seconds."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*words: str) -> subprocess.Popen[bytes]:
        peer.feel()
        command = [sys.executable, '-m', 'mmvae_controller.cli.main', 'record', *words]
        command += ['--robot', str(robot_file), '--out', str(tmp_path / 'bag')]
        with (tmp_path / 'log.txt').open('wb') as log:
            process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        started.append(process)
        file = tmp_path / 'bag' / 'bag.mcap'
        peer.until(lambda: file.exists() and file.stat().st_size > 20_000, 'a recording')
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def test_told_to_stop_it_completes_the_bag(recording: Any, tmp_path: Path, robot: Robot):
    process = recording('--zstd')
    process.send_signal(signal.SIGINT)
    assert process.wait(DEADLINE_S) == 0
    lost: list[str] = []
    count = len(list(read_bag(tmp_path / 'bag', lost.append)))
    assert lost == []
    log = (tmp_path / 'log.txt').read_text()
    assert f'bag: {count} messages' in log
    assert 'silent: /joint_command' in log


def test_in_a_namespace_without_a_robot_it_says_so_where_there_is_one_and_fails(
    peer: Any, robot_file: Path, tmp_path: Path
):
    peer.feel()
    command = [sys.executable, '-m', 'mmvae_controller.cli.main', 'record', '--duration', '9']
    command += ['--robot', str(robot_file), '--out', str(tmp_path / 'bag'), '--namespace', 'lost']
    with (tmp_path / 'log.txt').open('wb') as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    peer.until(lambda: process.poll() is not None, 'an end')
    assert process.returncode == ExitCode.FAILED
    said = (tmp_path / 'log.txt').read_text()
    advice = (
        'nothing is heard of a robot in namespace /lost; there is one in /: --namespace; mmvae '
        'explain no-message'
    )
    # While it lasts, and at the end.
    assert said.count(advice) == 2


def test_what_waits_on_several_topics_is_written_in_the_order_in_which_it_was_received(
    peer: Any, robot: Robot, tmp_path: Path
):
    recorder = Recorder(robot, BagWriter(tmp_path / 'bag'))
    out = [
        peer.node.create_publisher(kind, topic, SENSOR)
        for topic, kind in (('touch', WrenchStamped), ('joint_states', JointState))
    ]
    end_s = time.monotonic() + DEADLINE_S
    while not all(recorder.heard[f'/{p.topic_name.lstrip("/")}'] for p in out):
        assert time.monotonic() < end_s, recorder.heard
        for publisher in out:
            publisher.publish(publisher.msg_type())
        recorder.spin(0.1)
    wanted = sum(recorder.heard.values()) + 200
    for number in range(200):
        publisher = out[number // 20 % 2]
        publisher.publish(publisher.msg_type())
        time.sleep(0.001)
    while sum(recorder.heard.values()) < wanted:
        assert time.monotonic() < end_s, recorder.heard
        recorder.spin(0.1)
    recorder.close()
    recorder._writer.close()
    stamps = [m.stamp_ns for m in read_bag(tmp_path / 'bag', told)]
    assert stamps == sorted(stamps)
    assert recorder.latest_s > 0.1
    assert not recorder.lost


def test_on_a_full_disk_it_ends_says_so_and_leaves_what_was_written(
    peer: Any, robot_file: Path, tmp_path: Path
):
    peer.feel()
    command = [sys.executable, '-m', 'mmvae_controller.cli.main', 'record']
    command += ['--robot', str(robot_file), '--out', str(tmp_path / 'bag')]
    limit = (FULL_BYTES, FULL_BYTES)
    with (tmp_path / 'log.txt').open('wb') as log:
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
        )
    peer.until(lambda: process.poll() is not None, 'an end')
    assert process.returncode == ExitCode.REFUSED
    said = (tmp_path / 'log.txt').read_text()
    assert (
        'bag: cannot be written: File too large; what was written before can be imported' in said
    )
    assert len(list(read_bag(tmp_path / 'bag', lambda text: None))) > 50


def test_killed_it_leaves_what_was_flushed(recording: Any, tmp_path: Path, robot: Robot):
    process = recording()
    process.kill()
    process.wait()
    assert not (tmp_path / 'bag' / 'metadata.yaml').exists()
    lost: list[str] = []
    found = list(read_bag(tmp_path / 'bag', lost.append))
    assert {m.channel.topic for m in found} == {'/camera/image_raw', '/joint_states', '/touch'}
    assert len(found) > 100
    assert any('has no end' in line for line in lost)


def test_a_film_holds_what_the_nodes_send():
    maker, decoder, random = Maker(), Decoder(), np.random.default_rng(1)
    picture = random.integers(0, 256, (4, 6, 3)).astype(np.uint8)
    position, velocity, force = (random.normal(0, 1, n) for n in (2, 2, 3))
    stamp_ns, names = 1_234_567_890, ['left', 'right']
    joints = JointState(name=names, position=position.tolist(), velocity=velocity.tolist())
    joints.header.stamp = time_message(stamp_ns)
    joints.header.frame_id = 'world'
    touch = WrenchStamped(header=joints.header)
    touch.wrench.force.x, touch.wrench.force.y, touch.wrench.force.z = force.tolist()
    for (kind, data), message in (
        (maker.clock(stamp_ns), Clock(clock=time_message(stamp_ns))),
        (
            maker.image(picture, 'rgb8', stamp_ns, 'camera'),
            image_message(picture, 'rgb8', stamp_ns, 'camera'),
        ),
        (maker.joints(names, position, velocity, stamp_ns, 'world'), joints),
        (maker.force(force, stamp_ns, 'world'), touch),
        (maker.numbers(position), Float64MultiArray(data=position.tolist())),
        (maker.flag(True), Bool(data=True)),
    ):
        assert deserialize_message(bytes(data), type(message)) == message, kind
        assert decoder.read(Channel('/any', kind), bytes(data)) is not None


@pytest.mark.slow
def test_a_simulation_that_runs_is_recorded_and_imported(
    peer: Any, iiwa_file: Path, iiwa_model: Path, tmp_path: Path
):
    pytest.importorskip('pybullet')
    iiwa = load_robot(iiwa_file)
    parameters = {'robot_file': str(iiwa_file), 'model': str(iiwa_model), 'use_sim_time': True}
    controller = peer.add(
        ControllerNode(
            context=peer.context,
            parameter_overrides=[Parameter(name, value=v) for name, v in parameters.items()],
        )
    )
    controller.start()
    recorder = Recorder(iiwa, BagWriter(tmp_path / 'bag'))
    # Slowly: one thread serves everybody here.
    slow = [Parameter('real_time_factor', value=0.25)]
    peer.add(SimulationNode(context=peer.context, parameter_overrides=slow))
    end_s = time.monotonic() + DEADLINE_S
    while recorder.heard['/joint_command'] < 50:
        assert time.monotonic() < end_s, recorder.heard
        peer.executor.spin_once(timeout_sec=0.001)
        recorder.spin(0.001)
    recorder.close()
    recorder._writer.close()
    settings = ImportSettings((tmp_path / 'bag',))
    report = import_bags(settings, iiwa, tmp_path / 'data', lambda *about: None)
    assert report.bags[0].clock == 'sim'
    assert report.rows >= 20
    dataset = Dataset(tmp_path / 'data')
    rows = np.arange(len(dataset))
    known = dict(zip([m.name for m in dataset.modalities], dataset.known[rows].T, strict=True))
    assert all(known[name].mean() > 0.5 for name in ('joints', 'touch', 'motor'))
    # The model always wants the same of every joint, and the arm follows.
    label = dataset.column('label', rows)
    assert np.isclose(label, 0.2, atol=1e-6).mean() > 0.5
    moved = np.diff(dataset.column('joints', rows), axis=0) / dataset.description.period_s
    assert 0.1 < moved.mean() < 0.3
