"""What `mmvae demo` hears of its own robot, and does not hear of others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmvae_controller.control.window import NS
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.nodes.watch.watched import is_of
import numpy as np
import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue  # noqa: E402
from mmvae_controller.modality.robot import Robot  # noqa: E402
from mmvae_controller.nodes.watch.monitor import Monitor  # noqa: E402
from mmvae_controller.nodes.wire.messages import image_message  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402

OTHERS = ('controller: gate', 'left/controller: gate', 'mmvae_demo2/controller: loop')


@pytest.fixture
def monitor(domain: int, robot: Robot) -> Iterator[Monitor]:
    it = Monitor(robot, 'mmvae_demo')
    yield it
    it.close()


def test_only_its_own_robot_is_in_its_table_and_its_report(peer: Any, monitor: Monitor):
    values = [KeyValue(key=f'tick {p} ms', value='9.9') for p in ('p50', 'p99')]
    statuses = [DiagnosticStatus(name=name, values=values) for name in OTHERS]
    statuses.append(DiagnosticStatus(name='mmvae_demo/controller: gate', message='commands pass'))
    out = peer.node.create_publisher(DiagnosticArray, '/diagnostics', 10)
    timer = peer.node.create_timer(0.05, lambda: out.publish(DiagnosticArray(status=statuses)))

    def heard() -> Any:
        monitor.spin(0.05)
        return monitor.status('controller: gate')

    assert peer.until(heard, 'the gate').message == 'commands pass'
    timer.cancel()
    assert set(monitor.record.statuses) == {'mmvae_demo/controller: gate'}
    assert monitor.record.ticks_ms == []


def test_what_is_imagined_is_of_the_models_size_and_what_is_seen_of_the_cameras(
    peer: Any, robot_file: Path
):
    text = robot_file.read_text(encoding='utf-8')
    text = text.replace('shape: [4, 6, 3]', 'shape: [4, 6, 3]\n    camera_size: [8, 12]')
    robot_file.write_text(text, encoding='utf-8')
    it = Monitor(load_robot(robot_file), '')
    outs = [
        (peer.node.create_publisher(Image, topic, 10), np.full((*size, 3), 9, dtype=np.uint8))
        for topic, size in (
            ('camera/image_raw', (8, 12)),
            ('diagnostics/prediction/camera', (4, 6)),
        )
    ]

    def heard() -> Any:
        for out, picture in outs:
            out.publish(image_message(picture, 'rgb8', NS, 'camera'))
        it.spin(0.05)
        return it.record.pictures and it.record.imagined

    peer.until(heard, 'both pictures')
    assert it.record.pictures[0][1].shape == it.record.imagined[0][1].shape == (4, 6, 3)
    it.close()


@pytest.mark.parametrize(
    ('name', 'prefix', 'its'),
    [
        ('controller: gate', '', True),
        ('left/controller: gate', '', False),
        ('left/controller: gate', 'left/', True),
        ('left/arm/controller: gate', 'left/', False),
        ('left/driver: /dev/ttyUSB0', 'left/', True),
        ('leftover/controller: gate', 'left/', False),
        ('controller: gate', 'left/', False),
    ],
)
def test_a_status_is_of_the_namespace_right_before_its_node(name: str, prefix: str, its: bool):
    assert is_of(name, prefix) is its
