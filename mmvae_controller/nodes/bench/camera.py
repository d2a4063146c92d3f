"""A camera that shows one scene, with noise: no picture is the same as another.

python -m mmvae_controller.nodes.bench.camera SCENE.npy RATE_HZ [--reliable]

Its pictures are made before: what a driver costs is not what is measured.
"""

from __future__ import annotations

import argparse
from contextlib import suppress

from mmvae_controller.control.looking import REMEMBERED
from mmvae_controller.nodes.bench import NAMESPACE
from mmvae_controller.nodes.wire.messages import image_message
from mmvae_controller.nodes.wire.qos import NEWEST, SENSOR
import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException
from sensor_msgs.msg import Image

# More than a network remembers: each is to be looked at when it comes round again.
PICTURES = 2 * REMEMBERED
NOISE_GREYS = 2
UINT8_MAX = 255


def main() -> None:
    """Publish until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('scene', help='(H, W, 3) uint8')
    parser.add_argument('rate_hz', type=float)
    parser.add_argument('--reliable', action='store_true', help='as some drivers publish')
    arguments = parser.parse_args()
    rclpy.init()
    node = rclpy.create_node('camera', namespace=NAMESPACE)
    random = np.random.default_rng(0)
    scene = np.load(arguments.scene, allow_pickle=False).astype(np.int16)
    messages = []
    for _ in range(PICTURES):
        noise = random.integers(-NOISE_GREYS, NOISE_GREYS + 1, scene.shape, np.int16)
        picture = np.clip(scene + noise, 0, UINT8_MAX).astype(np.uint8)
        messages.append(image_message(picture, 'rgb8', 0, 'camera'))
    qos = NEWEST if arguments.reliable else SENSOR
    publisher = node.create_publisher(Image, 'camera/image_raw', qos)
    number = 0

    def show() -> None:
        nonlocal number
        message = messages[number % PICTURES]
        message.header.stamp = node.get_clock().now().to_msg()
        publisher.publish(message)
        number += 1

    node.create_timer(1 / arguments.rate_hz, show)
    with suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(node)


if __name__ == '__main__':
    main()
