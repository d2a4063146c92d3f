"""The tracker node: finds the hand's marker in the pictures of two cameras."""

from __future__ import annotations

from collections import deque
from functools import partial
import time
from typing import Any

from mmvae_controller.control.window import NS
from mmvae_controller.guidance.help import explained_by, Help
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.nodes.parameters import declare
from mmvae_controller.nodes.reporting.rates import rate_hz
from mmvae_controller.nodes.reporting.status import Level, LOG_THROTTLE_S, Status
from mmvae_controller.nodes.reporting.updater import Updater
from mmvae_controller.nodes.runtime import main as run_main
from mmvae_controller.nodes.wire.arrays import labelled_array
from mmvae_controller.nodes.wire.messages import stamp_of
from mmvae_controller.nodes.wire.qos import SENSOR
from mmvae_controller.senses.errors import MessageError
from mmvae_controller.senses.pictures import read_picture
from mmvae_controller.vision.blob import Colour, find_blob
from mmvae_controller.vision.errors import VisionError
from mmvae_controller.vision.hand import GREEN, HAND_CHANNELS, VIEWS
from mmvae_controller.vision.pairing import Pairing
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Float32MultiArray

NOTHING = 'no picture'
FOUND = 'found'
NOT_FOUND = 'not found'
RATE_SAMPLES = 50
# A status that was true so long ago is none.
STALE_S = 1.0


class TrackerNode(Node):
    """Publishes where the hand is while both cameras show it; else nothing, which masks it."""

    def __init__(self, **options: Any) -> None:
        """Listen to both cameras; `options` are those of `rclpy.node.Node`.

        Raises:
            ModalityError: A parameter makes no sense.

        """
        super().__init__('tracker', **options)
        first, last = GREEN.hue
        hue = (
            declare(self, 'hue_from', first, 'Of the marker, 0 to 179, half the angle'),
            declare(self, 'hue_to', last, 'The same; below hue_from it goes over 0, as red does'),
        )
        saturation = declare(self, 'min_saturation', GREEN.min_saturation, 'Of 255')
        value = declare(self, 'min_value', GREEN.min_value, 'Of 255')
        pixels = declare(self, 'min_pixels', GREEN.min_pixels, 'A smaller patch is no marker')
        right, down = GREEN.offset_px
        offset_px = (
            declare(self, 'offset_u_px', right, 'px right, from what is seen to what it marks'),
            declare(self, 'offset_v_px', down, 'The same, px down'),
        )
        skew_s = declare(
            self, 'max_skew_s', 0.02, 's between the stamps of two pictures of one moment'
        )
        if not skew_s >= 0:
            raise ModalityError(f'parameter max_skew_s is {skew_s}, expected 0 or more')
        try:
            self._colour = Colour(hue, saturation, value, pixels, offset_px=offset_px)
        except VisionError as error:
            raise ModalityError(str(error)) from error
        self._pairing = Pairing(round(skew_s * NS))
        self._seen = dict.fromkeys(VIEWS, (NOTHING, 0.0))
        self._published_s: deque[float] = deque(maxlen=RATE_SAMPLES)
        self._hand_out = self.create_publisher(Float32MultiArray, 'hand', SENSOR)
        for view in VIEWS:
            self.create_subscription(
                Image, f'camera_{view}/image_raw', partial(self._look, view), SENSOR
            )
        self._updater = Updater(self, self._statuses)
        self._updater.hardware_id = 'tracker'

    def start(self) -> None:
        """Nothing is left to do."""

    def close(self) -> None:
        """Tell the others."""
        self._updater.close()

    def callback_failed(self, error: Exception) -> None:
        """Nothing to save: without a message the hand is missing."""

    def _look(self, view: str, message: Image) -> None:
        place, word = None, NOT_FOUND
        try:
            place = find_blob(read_picture(message), self._colour)
        except MessageError as error:
            word = f'rejected: {error}'
            self.get_logger().warning(
                explained_by(Help.NO_GOAL, f'picture of {view} rejected: {error}'),
                throttle_duration_sec=LOG_THROTTLE_S,
            )
        self._seen[view] = (word if place is None else FOUND, time.monotonic())
        hand = self._pairing.see(view, stamp_of(message.header.stamp), place)
        if hand is not None:
            labels = [('px', HAND_CHANNELS)]
            self._hand_out.publish(labelled_array(Float32MultiArray, hand, labels))
            self._published_s.append(time.monotonic())

    def _statuses(self) -> list[Status]:
        now_s = time.monotonic()
        words = {
            view: word if now_s - seen_s <= STALE_S else NOTHING
            for view, (word, seen_s) in self._seen.items()
        }
        missed = [f'{view}: {word}' for view, word in words.items() if word != FOUND]
        found_hz = rate_hz(self._published_s, now_s)
        level, message = Level.OK, 'found in both pictures'
        if missed:
            level, message = Level.WARN, '; '.join(missed)
        elif found_hz == 0:
            level = Level.WARN
            message = 'the pictures are not of one moment: do their stamps differ by max_skew_s?'
        values = {**words, 'rate_hz': found_hz}
        return [Status('hand', level, message, values, Help.NO_GOAL)]


def main() -> None:
    """Run the node."""
    run_main(TrackerNode, 'tracker')


if __name__ == '__main__':
    main()
