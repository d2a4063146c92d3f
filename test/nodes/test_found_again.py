"""What a live controller observed is found again in its recording, number by number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, ExitStack
from pathlib import Path
import time
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from geometry_msgs.msg import WrenchStamped  # noqa: E402
from mmvae_controller.cli.main import app  # noqa: E402
from mmvae_controller.control.window import NS  # noqa: E402
from mmvae_controller.modality.observation import Observation  # noqa: E402
from mmvae_controller.modality.robot import Robot  # noqa: E402
from mmvae_controller.modality.robot_file import load_robot  # noqa: E402
from mmvae_controller.nodes import inputs  # noqa: E402
from mmvae_controller.nodes.recorder import OBSERVATION, Recorder  # noqa: E402
from mmvae_controller.nodes.session import Session  # noqa: E402
from mmvae_controller.nodes.wire.messages import image_message, time_message  # noqa: E402
from mmvae_controller.nodes.wire.pointcloud import read_observation  # noqa: E402
from mmvae_controller.nodes.wire.qos import (  # noqa: E402
    CLOCK,
    SENSOR,
)
from mmvae_controller.recordings.bag import read_bag  # noqa: E402
from mmvae_controller.recordings.decoding import Decoder  # noqa: E402
from mmvae_controller.recordings.observing import observations  # noqa: E402
from mmvae_controller.recordings.writer import BagWriter  # noqa: E402
from rclpy.serialization import deserialize_message  # noqa: E402
from rosgraph_msgs.msg import Clock  # noqa: E402
from sensor_msgs.msg import Image, JointState  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

MS = NS // 1000
STEP_MS, TOUCH_MS, CAMERA_MS = 10, 20, 50
# Longer than max_age_s, and shorter than whatever ends an episode.
CAMERA_MISSING_MS = range(600, 1300)
DEADLINE_S = 20.0
AGAIN_S = 0.5


def told(text: str) -> None:
    """Nothing is to be lost here."""
    pytest.fail(text)


class Film:
    """A simulation and a live controller, message by message: each is waited for.

    In the order of the simulation node: the clock says the step before, then come the senses of
    this one, then the clock says it, and the controller ticks. The touch is late: it comes then.
    """

    def __init__(self, rig: Any, recorder: Recorder) -> None:
        self.node, self.peer, self.recorder = rig.node, rig.peer, recorder
        self.random = np.random.default_rng(5)
        make = self.peer.node.create_publisher
        self.out = {
            '/clock': make(Clock, '/clock', CLOCK),
            '/camera/image_raw': make(Image, 'camera/image_raw', SENSOR),
            '/joint_states': make(JointState, 'joint_states', SENSOR),
            '/touch': make(WrenchStamped, 'touch', SENSOR),
        }
        self.node.start()
        self.session = self.node._session
        for publisher in self.out.values():
            self.settle(lambda p=publisher: p.get_subscription_count() == 2)
        seen = self.node._wiring.observation
        sent = self.node._wiring.command
        self.settle(lambda: seen.get_subscription_count() and sent.get_subscription_count() == 2)

    def settle(self, condition: Callable[[], Any], again: Callable[[], Any] | None = None) -> None:
        """Spin until something is true; what best effort lost is sent again."""
        began_s = told_s = time.monotonic()
        while not condition():
            now_s = time.monotonic()
            assert now_s < began_s + DEADLINE_S, 'waited in vain'
            if again is not None and now_s > told_s + AGAIN_S:
                told_s = now_s
                again()
            self.peer.executor.spin_once(timeout_sec=0.0005)
            self.recorder.spin(0.0005)

    def play(self, end_ms: int) -> None:
        for ms in range(STEP_MS, end_ms, STEP_MS):
            self.clock((ms - STEP_MS / 2) * MS)
            self.senses(ms)
            self.clock(ms * MS)
            self.late_sense(ms)

    def replay(self, bag: Path, camera_missing_ms: range) -> None:
        """Play what a simulation sent, but for its commands and some pictures."""
        senses = {'/camera/image_raw': 'camera', '/joint_states': 'joints', '/touch': 'touch'}
        began_ns = None
        for stored in read_bag(bag, told):
            topic = stored.channel.topic
            message_ns = stored.stamp_ns
            began_ns = message_ns if began_ns is None else began_ns
            if topic not in self.out:
                continue
            message = deserialize_message(bytes(stored.data), self.out[topic].msg_type)
            if topic == '/clock':
                self.clock(message.clock.sec * NS + message.clock.nanosec)
            elif topic != '/camera/image_raw' or (
                (message_ns - began_ns) // MS not in camera_missing_ms
            ):
                self.put(topic, message, senses[topic])

    def clock(self, now_ns: float) -> None:
        message = Clock(clock=time_message(round(now_ns)))
        self.put('/clock', message)
        self.settle(
            lambda: self.node.get_clock().now().nanoseconds == round(now_ns),
            lambda: self.out['/clock'].publish(message),
        )
        before, expected = self.session._last_tick, dict(self.recorder.heard)
        self.settle(lambda: not self.session._timer.is_ready())
        tick = self.session._last_tick
        if tick is before:
            return
        expected[f'/{OBSERVATION}'] += 1
        expected['/joint_command'] += tick.decision is not None
        self.settle(lambda: all(self.recorder.heard[t] >= n for t, n in expected.items()))

    def senses(self, ms: int) -> None:
        self.put('/joint_states', self.joints(), 'joints')
        if ms % CAMERA_MS == 0 and ms not in CAMERA_MISSING_MS:
            pixels = self.random.integers(0, 256, (4, 6, 3)).astype(np.uint8)
            self.put('/camera/image_raw', image_message(pixels, 'rgb8', ms * MS, ''), 'camera')

    def late_sense(self, ms: int) -> None:
        """Publish what comes at the moment of a tick, and after it."""
        if ms % TOUCH_MS == 0:
            touch = WrenchStamped()
            touch.wrench.force.x, touch.wrench.torque.z = self.random.normal(0, 1, 2).tolist()
            self.put('/touch', touch, 'touch')

    def joints(self) -> JointState:
        """Return where the arm is: where it was sent, not quite."""
        sent = self.session.control._point.sent
        position = (np.zeros(2) if sent is None else sent.position) + self.random.normal(
            0, 0.01, 2
        )
        return JointState(name=['right', 'left'], position=position[::-1].tolist())

    def put(self, topic: str, message: Any, sense: str = '') -> None:
        health = self.node._wiring.inputs.health
        heard = self.recorder.heard[topic]
        received = health[sense]._received if sense else 0

        def publish() -> None:
            self.out[topic].publish(message)

        publish()
        self.settle(lambda: self.recorder.heard[topic] > heard, publish)
        if sense:
            self.settle(lambda: health[sense]._received > received, publish)


def lived(bag: Path, robot: Robot) -> list[Observation]:
    """Return the observations that the controller published, in order."""
    decoder = Decoder()
    return [
        read_observation(decoder.read(m.channel, m.data), robot.modalities)
        for m in read_bag(bag, told)
        if m.channel.topic == f'/{OBSERVATION}'
    ]


@pytest.fixture
def require_found_again(
    require_same: Callable[..., None],
) -> Callable[[Path, Robot], list[Observation]]:
    """Return what compares all that a controller observed with what the importer does."""

    def require(bag: Path, robot: Robot) -> list[Observation]:
        live = lived(bag, robot)
        found = list(observations(bag, robot, [o.stamp_ns for o in live]))
        assert len(live) == len(found)
        for there, here in zip(live, found, strict=True):
            require_same(robot, there, here)
        return live

    return require


@pytest.fixture
def recording(
    domain: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Robot], Recorder]]:
    """Return what records a robot into `bag`.

    A busy machine must not decide: how long a message waited to be read makes it older on the
    robot, and a watchdog that expires holds at a moment which the recorder cannot know.
    """
    monkeypatch.setattr(inputs, 'waited_ns', lambda info, system_ns: 0)
    monkeypatch.setattr(Session, '_watch', lambda session: None)
    with ExitStack() as stack:

        def record(robot: Robot) -> Recorder:
            writer = stack.enter_context(BagWriter(tmp_path / 'bag'))
            return stack.enter_context(closing(Recorder(robot, writer, observation=True)))

        yield record


def test_each_observation_of_a_live_controller_is_found_again_in_the_recording(
    rig: Any,
    robot: Robot,
    recording: Callable[[Robot], Recorder],
    require_found_again: Any,
    tmp_path: Path,
):
    recorder = recording(robot)
    film = Film(rig(use_sim_time=True, observation_hz=1000.0), recorder)
    film.play(1900)
    recorder._writer.close()
    live = require_found_again(tmp_path / 'bag', robot)
    assert len(live) > 80
    # All that makes it hard is in there.
    known = np.stack([o.known for o in live])
    camera = [m.name for m in robot.modalities].index('camera')
    assert 10 < (~known[:, camera, 1]).sum() < 50
    assert known.any(axis=0).all()
    motor = np.stack([o.values['motor'] for o in live])
    assert (motor == np.float32(0.2)).any()
    assert (motor == 0).any()


def test_a_simulated_bag_is_observed_by_a_live_controller_as_by_the_importer(
    iiwa_rig: Any,
    iiwa_file: Path,
    recording: Callable[[Robot], Recorder],
    require_found_again: Any,
    tmp_path: Path,
):
    pytest.importorskip('pybullet')
    iiwa = load_robot(iiwa_file)
    demonstrated = tmp_path / 'demonstrated'
    words = ['collect', '--bag', '--out', str(demonstrated), '--episodes', '1']
    assert CliRunner().invoke(app, words).exit_code == 0
    recorder = recording(iiwa)
    film = Film(iiwa_rig(use_sim_time=True, observation_hz=1000.0), recorder)
    # As long as the camera is predicted, and longer.
    film.replay(demonstrated, range(600, 1100))
    recorder._writer.close()
    live = require_found_again(tmp_path / 'bag', iiwa)
    assert len(live) > 40
    known = np.stack([o.known for o in live])
    camera = [m.name for m in iiwa.modalities].index('camera')
    assert 5 < (~known[:, camera, 1]).sum() < len(live) - 10
    assert known.any(axis=0).all()
