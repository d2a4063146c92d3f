"""The updater: steady news, and a change of level at once or when it has lasted."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402
from mmvae_controller.control.window import NS  # noqa: E402
from mmvae_controller.modality.errors import ModalityError  # noqa: E402
from mmvae_controller.nodes.reporting.status import HELD, Level, NOW, Status  # noqa: E402
from mmvae_controller.nodes.reporting.updater import PUBLISH_PERIOD_NS, Updater  # noqa: E402
import rclpy  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402

BEAT_S = 0.02
SOON_S = 0.4


class Speaker:
    """A node whose one status says what it is told to, and what of it was heard."""

    def __init__(self, peer: Any, **parameters: float) -> None:
        self.peer = peer
        self.level, self.message = Level.OK, 'well'
        node = rclpy.create_node(
            'speaker',
            context=peer.context,
            parameter_overrides=[Parameter(n, value=v) for n, v in parameters.items()],
        )
        node.close = lambda: None
        self.heard: list[tuple[float, int, str, dict[str, str]]] = []
        self._beats_s: list[float] = []
        peer.node.create_timer(BEAT_S, lambda: self._beats_s.append(time.monotonic()))
        peer.node.create_subscription(DiagnosticArray, '/diagnostics', self._hear, 10)
        self.updater = Updater(peer.add(node), lambda: [Status('mood', self.level, self.message)])

    def _hear(self, message: DiagnosticArray) -> None:
        (status,) = (s for s in message.status if s.name == 'speaker: mood')
        stamp = message.header.stamp
        values = {v.key: v.value for v in status.values}
        self.heard.append(
            (stamp.sec + stamp.nanosec / NS, status.level[0], status.message, values)
        )

    def until(self, level: Level, text: str = '') -> float:
        """Return how long it took until a level and a text were heard, less what the machine lost.

        Node and listener share a thread. How late it was at its worst is told by its beat.
        """
        began_s = time.monotonic()
        self.heard.clear()
        self._beats_s.clear()

        def told() -> bool:
            return bool(self.heard) and self.heard[-1][1:3] == (level, text or self.message)

        self.peer.until(told, f'{level.name} {text}')
        ended_s = time.monotonic()
        beats_s = [began_s, *self._beats_s, ended_s]
        late_s = max(b - a for a, b in itertools.pairwise(beats_s)) - 2 * BEAT_S
        return ended_s - began_s - max(0.0, late_s)


def test_it_speaks_steadily_without_a_change(peer: Any):
    it = Speaker(peer)
    it.peer.until(lambda: len(it.heard) > 4, 'news')
    # By the stamps: news that had to wait may be heard all at once.
    gaps = [b[0] - a[0] for a, b in zip(it.heard, it.heard[1:], strict=False)]
    assert min(gaps) > 0.6 * PUBLISH_PERIOD_NS / NS


def test_a_worse_level_is_told_soon_and_a_better_one_when_it_has_lasted(peer: Any):
    it = Speaker(peer, clear_after_s=0.8)
    it.until(Level.OK)
    it.level, it.message = Level.WARN, 'ill'
    assert it.until(Level.WARN) < SOON_S
    it.level, it.message = Level.OK, 'well'
    assert it.until(Level.OK) >= 0.7
    # Until then the level was held up, and the reason beside it the present one.
    held = [told for told in it.heard if told[1] == Level.WARN][-1]
    assert held[2:] == ('well (WARN until 0.8 s without trouble)', {HELD: 'True', NOW: 'OK'})
    assert it.heard[-1][2:] == ('well', {})


def test_new_trouble_is_told_soon_while_the_level_is_held_up_by_the_last(peer: Any):
    it = Speaker(peer, clear_after_s=60.0)
    it.level, it.message = Level.WARN, 'ill'
    it.until(Level.WARN)
    it.level, it.message = Level.OK, 'well'
    it.until(Level.WARN, 'well (WARN until 60 s without trouble)')
    it.level, it.message = Level.WARN, 'ill again'
    assert it.until(Level.WARN) < SOON_S


def test_stale_is_told_soon_and_left_soon(peer: Any):
    it = Speaker(peer, clear_after_s=60.0, raise_after_s=60.0)
    it.until(Level.OK)
    for level in (Level.STALE, Level.OK):
        it.level = level
        assert it.until(level) < SOON_S


@pytest.mark.parametrize('name', ['raise_after_s', 'clear_after_s'])
def test_a_time_that_is_no_time_is_refused(peer: Any, name: str):
    with pytest.raises(ModalityError, match=f'parameter {name} is nan'):
        Speaker(peer, **{name: float('nan')})
