"""A controller whose camera is compressed and whose touch is a switch, over DDS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.robot_file import load_robot
import numpy as np
import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from mmvae_controller.nodes.inputs import Inputs  # noqa: E402
from mmvae_controller.nodes.wire.clock import ControlClock  # noqa: E402
from sensor_msgs.msg import CompressedImage  # noqa: E402
from std_msgs.msg import Bool  # noqa: E402

COMPRESSED = 'camera/image_raw/compressed'


@pytest.fixture
def robot_file(robot_file: Path) -> Path:
    """Return the small robot with other messages; the model is made for it."""
    text = robot_file.read_text(encoding='utf-8')
    for usual, other in (
        ('topic: camera/image_raw', f'topic: {COMPRESSED}'),
        ('sensor_msgs/Image', 'sensor_msgs/CompressedImage'),
        ('topic: touch', 'topic: pressed'),
        ('geometry_msgs/WrenchStamped', 'std_msgs/Bool'),
        ('[force.x, torque.z]', '[pressed]'),
    ):
        assert usual in text
        text = text.replace(usual, other)
    robot_file.write_text(text, encoding='utf-8')
    return robot_file


def picture(height: int = 4) -> CompressedImage:
    done, data = cv2.imencode('.png', np.full((height, 6, 3), 7, dtype=np.uint8))
    assert done
    return CompressedImage(format='png', data=data.tobytes())


def test_it_moves_on_a_compressed_camera_and_a_switch_and_tells_what_it_refuses(
    peer: Any, rig: Any
):
    peer.others = {COMPRESSED: picture(), 'pressed': Bool(data=True)}
    peer.feel()
    it = rig()
    it.node.start()
    it.until_moving()
    for sense in ('camera', 'touch'):
        it.until_status(f'controller: input {sense}', 'known')
        assert it.value(f'controller: input {sense}', 'rejected') == '0'
    peer.others[COMPRESSED] = picture(height=5)
    it.until_status('controller: input camera', 'rejected: size is 6 x 5 pixels, expected 6 x 4')
    it.until_standing()


def test_a_sense_whose_message_is_not_installed_leaves_no_subscription_behind(
    peer: Any, robot_file: Path
):
    text = robot_file.read_text(encoding='utf-8').replace('[pressed]', '[touching]')
    text = text.replace('std_msgs/Bool', 'gazebo_msgs/ContactsState')
    robot_file.write_text(text, encoding='utf-8')
    robot = load_robot(robot_file)
    before = len(list(peer.node.subscriptions))
    with pytest.raises(ModalityError, match='gazebo_msgs/ContactsState cannot be imported'):
        Inputs(peer.node, robot, ControlClock(peer.node), lambda *_: '', set())
    assert len(list(peer.node.subscriptions)) == before
