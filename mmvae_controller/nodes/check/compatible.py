"""Whether a publisher and a listener exchange anything: the rules of DDS, in words.

Not `rclpy.qos.qos_check_compatible`: what the graph tells of a peer has an endless deadline where
a profile made here has none, and that function takes the one for a demand.
"""

from __future__ import annotations

from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, LivelinessPolicy, QoSProfile, ReliabilityPolicy

# No sensor has a deadline of days; middlewares write endless in several ways.
ENDLESS_NS = 10**9 * 86_400


def refusal(offered: QoSProfile, wanted: QoSProfile) -> str:
    """Return why nothing is exchanged; empty if something is, or if nobody can tell.

    Args:
        offered: By the publisher.
        wanted: By the listener.

    """
    reasons = []
    if (offered.reliability, wanted.reliability) == (
        ReliabilityPolicy.BEST_EFFORT,
        ReliabilityPolicy.RELIABLE,
    ):
        reasons.append('reliable is wanted, best effort is offered')
    if (offered.durability, wanted.durability) == (
        DurabilityPolicy.VOLATILE,
        DurabilityPolicy.TRANSIENT_LOCAL,
    ):
        reasons.append('transient local is wanted, volatile is offered')
    if _demands(offered.deadline, wanted.deadline):
        reasons.append('a deadline is wanted, none or a longer one is offered')
    if _demands(offered.liveliness_lease_duration, wanted.liveliness_lease_duration):
        reasons.append('a liveliness lease is wanted, none or a longer one is offered')
    if (offered.liveliness, wanted.liveliness) == (
        LivelinessPolicy.AUTOMATIC,
        LivelinessPolicy.MANUAL_BY_TOPIC,
    ):
        reasons.append('manual liveliness is wanted, automatic is offered')
    return '; '.join(reasons)


def _demands(offered: Duration, wanted: Duration) -> bool:
    offered_ns, wanted_ns = _or_endless(offered), _or_endless(wanted)
    return wanted_ns < min(offered_ns, ENDLESS_NS)


def _or_endless(duration: Duration) -> int:
    """Return nanoseconds; 0 is how a profile says that it has none."""
    return int(duration.nanoseconds) or ENDLESS_NS
