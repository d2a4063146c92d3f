"""The tracker node: the hand's place, or nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402
from mmvae_controller.control.window import NS  # noqa: E402
from mmvae_controller.modality.errors import ModalityError  # noqa: E402
from mmvae_controller.nodes.tracker import TrackerNode  # noqa: E402
from mmvae_controller.nodes.wire.messages import image_message  # noqa: E402
from mmvae_controller.nodes.wire.qos import SENSOR  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402
from std_msgs.msg import Float32MultiArray  # noqa: E402

LIME = (25, 230, 25)
PERIOD_S = 0.03


def picture(place: tuple[float, float] | None) -> Any:
    """Return a grey picture with a green disc on it."""
    rows, columns = np.mgrid[:60, :80]
    found = np.full((60, 80, 3), 128, dtype=np.uint8)
    if place is not None:
        found[(columns - place[0]) ** 2 + (rows - place[1]) ** 2 <= 25] = LIME
    return found


class Cameras:
    """Two cameras that a tracker looks through."""

    def __init__(self, peer: Any, **parameters: Any) -> None:
        self.peer = peer
        self.places: dict[str, Any] = {'left': (30, 20), 'right': (50, 40)}
        self.lag_ns = {'left': 0, 'right': 0}
        self.encoding = 'rgb8'
        self.hands = peer.listen(Float32MultiArray, 'hand', SENSOR)
        self.diagnostics = peer.listen(DiagnosticArray, '/diagnostics')
        overrides = [Parameter(n, value=v) for n, v in parameters.items()]
        peer.add(TrackerNode(context=peer.context, parameter_overrides=overrides))
        self._out = {
            v: peer.node.create_publisher(Image, f'camera_{v}/image_raw', SENSOR)
            for v in self.places
        }
        self._frame = 0
        peer.node.create_timer(PERIOD_S, self._publish)

    def until_status(self, text: str) -> Any:
        """Spin until the tracker says so."""
        return self.peer.until(lambda: text in self._message(), text)

    def _message(self) -> str:
        found = [s for m in self.diagnostics for s in m.status if s.name == 'tracker: hand']
        return found[-1].message if found else ''

    def _publish(self) -> None:
        self._frame += 1
        for view, place in self.places.items():
            stamp_ns = self._frame * NS + self.lag_ns[view]
            message = image_message(picture(place), self.encoding, stamp_ns, view)
            self._out[view].publish(message)


def test_it_says_where_the_hand_is_in_both_pictures(peer: Any):
    cameras = Cameras(peer, offset_u_px=0.0, offset_v_px=0.5)
    peer.until(lambda: len(cameras.hands) > 3, 'hands')
    assert list(cameras.hands[-1].data) == pytest.approx([30, 20.5, 50, 40.5], abs=0.01)
    assert cameras.hands[-1].layout.dim[0].label == 'px: left.u, left.v, right.u, right.v'
    cameras.until_status('found in both pictures')


def test_a_hand_that_one_camera_does_not_see_is_not_told(peer: Any):
    cameras = Cameras(peer)
    peer.until(lambda: cameras.hands, 'a hand')
    cameras.places['right'] = None
    cameras.until_status('right: not found')
    cameras.hands.clear()
    frame = cameras._frame
    peer.until(lambda: cameras._frame > frame + 10, 'more pictures')
    assert cameras.hands == []
    cameras.places['right'] = (50, 40)
    peer.until(lambda: cameras.hands, 'the hand again')


def test_pictures_of_two_moments_are_no_hand(peer: Any):
    cameras = Cameras(peer)
    peer.until(lambda: cameras.hands, 'a hand')
    cameras.lag_ns['right'] = NS // 10
    cameras.until_status('not of one moment')


def test_another_colour_is_found_when_it_is_asked_for(peer: Any):
    cameras = Cameras(peer, hue_from=110, hue_to=130)
    cameras.until_status('not found')
    cameras.places = {'left': (30, 20), 'right': (50, 40)}
    assert cameras.hands == []


def test_blue_green_red_is_read_as_it_is(peer: Any):
    cameras = Cameras(peer)
    cameras.encoding = 'bgr8'
    peer.until(lambda: cameras.hands, 'a hand')
    cameras.encoding = 'mono8'
    cameras.until_status("rejected: encoding is 'mono8'")


@pytest.mark.parametrize('bad', [{'hue_from': 200}, {'min_pixels': 0}, {'max_skew_s': -1.0}])
def test_parameters_that_make_no_sense_are_refused(peer: Any, bad: Any):
    with pytest.raises(ModalityError, match='expected'):
        Cameras(peer, **bad)
