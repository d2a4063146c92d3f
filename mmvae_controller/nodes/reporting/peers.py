"""Which of a robot's nodes speak on /diagnostics, and which fell silent without a word.

It only reports. A heartbeat that may stop the robot stops it whenever the machine is busy.
"""

from __future__ import annotations

from dataclasses import dataclass
import time

from diagnostic_msgs.msg import DiagnosticArray
from mmvae_controller.guidance.help import Help
from mmvae_controller.nodes.reporting.staleness import TOLD_PERIOD_S
from mmvae_controller.nodes.reporting.status import Level, Status
from mmvae_controller.nodes.wire.qos import REPORT
from rclpy.node import Node
from rclpy.serialization import deserialize_message

# So many of its words in a row must be missing: a node that is busy, or starved, is not dead.
MISSING_WORDS = 6
SILENT_AFTER_S = MISSING_WORDS * TOLD_PERIOD_S
# Who listens less often than this was asleep, and cannot say who spoke meanwhile.
ASLEEP_AFTER_S = 1.0
PEERS = 'peers'
LEAVING = 'leaving'
# A status of this name makes a node one of ours; a string on the wire ends with a zero.
MARK = f': {PEERS}\0'.encode()


@dataclass(slots=True)
class _Peer:
    heard_s: float
    left: bool


class PeerHealth:
    """The nodes that were heard, on a steady clock."""

    def __init__(self) -> None:
        """Start with nobody heard."""
        self._peers: dict[str, _Peer] = {}
        self._looked_s: float | None = None

    def hear(self, name: str, leaving: bool, now_s: float) -> None:
        """Note that a node spoke, and whether it was its last word."""
        self._peers[name] = _Peer(now_s, leaving)

    def status(self, now_s: float) -> Status:
        """Tell who is there; to be asked often: a pause is taken for one's own."""
        self._forgive_own_pause(now_s)
        values, there, silent = {}, [], []
        for name, peer in sorted(self._peers.items()):
            age_s = now_s - peer.heard_s
            values[name] = 'left' if peer.left else f'heard {age_s:.1f} s ago'
            if age_s > SILENT_AFTER_S and not peer.left:
                silent.append(f'{name} silent for {age_s:.1f} s')
            elif not peer.left:
                there.append(name)
        if silent:
            told = f'{", ".join(silent)}: killed or hanging?'
            return Status(PEERS, Level.WARN, told, values, Help.NODE_IS_SILENT)
        return Status(PEERS, Level.OK, f'hears {", ".join(there) or "no other node"}', values)

    def _forgive_own_pause(self, now_s: float) -> None:
        pause_s = 0.0 if self._looked_s is None else now_s - self._looked_s
        self._looked_s = now_s
        if pause_s > ASLEEP_AFTER_S:
            for peer in self._peers.values():
                peer.heard_s = min(now_s, peer.heard_s + pause_s)


class Peers:
    """Listens for the other nodes of a node's namespace."""

    def __init__(self, node: Node) -> None:
        """Start listening."""
        self._health = PeerHealth()
        self._name = node.get_fully_qualified_name().lstrip('/')
        # Raw: what other drivers say on /diagnostics is much, and must not cost the control loop.
        node.create_subscription(DiagnosticArray, '/diagnostics', self._hear, REPORT, raw=True)

    def status(self) -> Status:
        """Tell who is there."""
        return self._health.status(time.monotonic())

    def _hear(self, raw: bytes) -> None:
        if MARK not in raw:
            return
        for status in deserialize_message(raw, DiagnosticArray).status:
            name, _, part = status.name.rpartition(': ')
            if part == PEERS and name != self._name and _beside(name, self._name):
                leaving = any(v.key == LEAVING for v in status.values)
                self._health.hear(name, leaving, time.monotonic())


def last_word() -> Status:
    """Return what a node says of its peers when it leaves: from now on its silence is no news."""
    return Status(PEERS, Level.OK, LEAVING, {LEAVING: True})


def _beside(name: str, own: str) -> bool:
    return name.rpartition('/')[0] == own.rpartition('/')[0]
