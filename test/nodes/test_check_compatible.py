"""Who exchanges messages with whom."""

import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from mmvae_controller.nodes.check.compatible import refusal  # noqa: E402
from mmvae_controller.nodes.wire.qos import COMMAND, SENSOR  # noqa: E402
from rclpy.duration import Duration  # noqa: E402
from rclpy.qos import DurabilityPolicy, LivelinessPolicy, QoSProfile, ReliabilityPolicy  # noqa: E402

BEST_EFFORT = ReliabilityPolicy.BEST_EFFORT
KEPT = DurabilityPolicy.TRANSIENT_LOCAL
SECOND, ENDLESS = Duration(seconds=1), Duration(nanoseconds=2**63 - 1)


@pytest.mark.parametrize(
    ('offered', 'wanted', 'reason'),
    [
        ({'reliability': BEST_EFFORT}, {}, 'reliable is wanted'),
        ({}, {'durability': KEPT}, 'transient local is wanted'),
        ({}, {'deadline': SECOND}, 'a deadline is wanted'),
        ({'deadline': Duration(seconds=2)}, {'deadline': SECOND}, 'a deadline is wanted'),
        ({}, {'liveliness_lease_duration': SECOND}, 'a liveliness lease'),
        ({}, {'liveliness': LivelinessPolicy.MANUAL_BY_TOPIC}, 'manual liveliness'),
    ],
)
def test_a_listener_that_wants_more_than_is_offered_hears_nothing(offered, wanted, reason):
    given = {'depth': 1, 'liveliness': LivelinessPolicy.AUTOMATIC}
    told = refusal(QoSProfile(**{**given, **offered}), QoSProfile(**{**given, **wanted}))
    assert told.startswith(reason)


@pytest.mark.parametrize(
    ('offered', 'wanted'),
    [
        ({}, {'reliability': BEST_EFFORT}),
        ({'durability': KEPT}, {}),
        ({'deadline': SECOND}, {}),
        ({'deadline': SECOND}, {'deadline': SECOND}),
        ({}, {'deadline': ENDLESS, 'liveliness_lease_duration': ENDLESS}),
        ({'deadline': ENDLESS}, {'deadline': ENDLESS}),
    ],
)
def test_a_listener_that_wants_no_more_hears(offered, wanted):
    assert refusal(QoSProfile(depth=1, **offered), QoSProfile(depth=1, **wanted)) == ''


def test_every_publisher_of_a_sense_is_heard_and_no_kept_command_is_promised():
    assert refusal(COMMAND, SENSOR) == refusal(SENSOR, SENSOR) == ''
    assert refusal(COMMAND, COMMAND) == ''
