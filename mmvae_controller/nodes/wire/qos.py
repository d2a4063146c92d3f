"""The QoS profiles of the topic contract."""

from collections.abc import Sequence

from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy


def _profile(
    depth: int,
    reliability: ReliabilityPolicy,
    durability: DurabilityPolicy = DurabilityPolicy.VOLATILE,
) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=reliability,
        durability=durability,
    )


# Depth 1: a queue would hand over old samples first, each taken for new when it is received.
SENSOR = _profile(1, ReliabilityPolicy.BEST_EFFORT)
COMMAND = _profile(1, ReliabilityPolicy.RELIABLE)
NEWEST = _profile(1, ReliabilityPolicy.RELIABLE)
# What a node says again and again of itself: the newest counts. Readers take `REPORT`.
STATE = _profile(1, ReliabilityPolicy.RELIABLE)
# rqt_plot and PlotJuggler cannot show best-effort topics in common versions.
REPORT = _profile(10, ReliabilityPolicy.RELIABLE)
EPISODES = _profile(100, ReliabilityPolicy.RELIABLE, DurabilityPolicy.TRANSIENT_LOCAL)
# What is recorded waits here while the disk is slow, and what comes after that is lost.
EVERY = _profile(30, ReliabilityPolicy.BEST_EFFORT)
EVERY_RELIABLE = _profile(30, ReliabilityPolicy.RELIABLE)
# As many as a publisher keeps for those who come late.
EVERY_KEPT = _profile(100, ReliabilityPolicy.RELIABLE, DurabilityPolicy.TRANSIENT_LOCAL)
CLOCK = _profile(1, ReliabilityPolicy.BEST_EFFORT)
# A writer that goes away takes with it what its readers have not got yet: so long the last message
# of a node is waited for. A reader that was killed is waited for in vain. At depth 1 Fast DDS asks
# with each message whether it came; at depth 10 every 3 s, and the wait is as long.
LAST_WORDS = Duration(seconds=0.5)


def hearing(offered: Sequence[QoSProfile]) -> QoSProfile:
    """Return how to listen to some publishers: as well as all of them allow."""
    if any(p.reliability is ReliabilityPolicy.BEST_EFFORT for p in offered):
        return EVERY
    kept = all(p.durability is DurabilityPolicy.TRANSIENT_LOCAL for p in offered)
    return EVERY_KEPT if kept else EVERY_RELIABLE
