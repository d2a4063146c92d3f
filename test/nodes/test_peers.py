"""Who of the other nodes speaks: told by their words on /diagnostics, and only told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus  # noqa: E402
from mmvae_controller.nodes.reporting.peers import (  # noqa: E402
    ASLEEP_AFTER_S,
    PeerHealth,
    Peers,
    SILENT_AFTER_S,
)
from mmvae_controller.nodes.reporting.status import Level, Status  # noqa: E402
from mmvae_controller.nodes.reporting.updater import Updater  # noqa: E402
from mmvae_controller.nodes.wire.qos import REPORT  # noqa: E402
import rclpy  # noqa: E402
from rclpy.duration import Duration  # noqa: E402

LOOK_S = 0.05
LISTENER = """
import rclpy
from mmvae_controller.nodes.reporting.peers import Peers

rclpy.init()
node = rclpy.create_node('listener')
Peers(node)
rclpy.spin(node)
"""


def watch(health: PeerHealth, from_s: float, to_s: float) -> Status:
    """Look as often as a node does, and return the last that was told."""
    status = health.status(from_s)
    while from_s < to_s:
        from_s = min(from_s + LOOK_S, to_s)
        status = health.status(from_s)
    return status


@pytest.fixture
def health() -> PeerHealth:
    return PeerHealth()


def test_who_was_never_heard_is_not_missed(health: PeerHealth):
    status = watch(health, 0.0, 100.0)
    assert (status.level, status.message) == (Level.OK, 'hears no other node')


def test_who_speaks_is_named(health: PeerHealth):
    health.hear('simulation', False, 0.0)
    health.hear('controller', False, 0.0)
    status = watch(health, 0.0, 0.9 * SILENT_AFTER_S)
    assert (status.level, status.message) == (Level.OK, 'hears controller, simulation')
    assert status.values['controller'] == 'heard 2.7 s ago'


def test_who_falls_silent_is_told_and_for_how_long_until_it_speaks_again(health: PeerHealth):
    health.hear('controller', False, 0.0)
    status = watch(health, 0.0, SILENT_AFTER_S + 1)
    assert status.level is Level.WARN
    assert status.line() == (
        'controller silent for 4.0 s: killed or hanging?; mmvae explain node-is-silent'
    )
    health.hear('controller', False, 4.1)
    assert watch(health, 4.1, 4.2).level is Level.OK


def test_the_silence_of_who_left_is_no_news(health: PeerHealth):
    health.hear('controller', True, 0.0)
    status = watch(health, 0.0, 10 * SILENT_AFTER_S)
    assert (status.level, status.values) == (Level.OK, {'controller': 'left'})
    health.hear('controller', False, 30.0)
    assert watch(health, 30.0, 31 + SILENT_AFTER_S).level is Level.WARN


def test_who_was_asleep_accuses_nobody_of_silence(health: PeerHealth):
    health.hear('controller', False, 0.0)
    watch(health, 0.0, 1.0)
    woke_s = 1.1 + SILENT_AFTER_S + ASLEEP_AFTER_S
    assert health.status(woke_s).level is Level.OK
    # One that is really gone is told all the same, only later, and then a nap changes nothing.
    assert watch(health, woke_s, woke_s + SILENT_AFTER_S).level is Level.WARN
    assert health.status(woke_s + 100.0).level is Level.WARN


def node(peer: Any, name: str, namespace: str = '') -> Updater:
    it = rclpy.create_node(name, namespace=namespace, context=peer.context)
    it.close = lambda: None
    return Updater(peer.add(it), lambda: [])


@pytest.fixture
def told(peer: Any) -> Callable[[str], list[DiagnosticStatus]]:
    heard = peer.listen(DiagnosticArray, '/diagnostics')
    return lambda name: [s for m in heard for s in m.status if s.name == f'{name}: peers']


def test_nodes_of_one_namespace_hear_each_other_and_no_one_else(
    peer: Any, told: Callable[[str], list[DiagnosticStatus]]
):
    node(peer, 'one', 'left')
    node(peer, 'two', 'left')
    node(peer, 'three', 'right')
    driver = peer.node.create_publisher(DiagnosticArray, '/diagnostics', REPORT)
    driver.publish(DiagnosticArray(status=[DiagnosticStatus(name='left/driver: motor')]))
    for name, other in (('one', 'two'), ('two', 'one')):
        peer.until(lambda n=name: len(told(f'left/{n}')) > 2, 'its words')
        assert told(f'left/{name}')[-1].message == f'hears left/{other}'
    assert told('right/three')[-1].message == 'hears no other node'


@pytest.mark.parametrize('says_goodbye', [True, False])
def test_only_who_goes_without_a_word_is_an_alarm(
    peer: Any,
    told: Callable[[str], list[DiagnosticStatus]],
    monkeypatch: pytest.MonkeyPatch,
    says_goodbye: bool,
):
    node(peer, 'stays')
    updater = node(peer, 'goes')
    peer.until(lambda: told('stays') and told('stays')[-1].message == 'hears goes', 'goes')
    monkeypatch.setattr('mmvae_controller.nodes.reporting.peers.SILENT_AFTER_S', 0.8)
    if says_goodbye:
        updater.close()
    updater.timer.cancel()
    before = len(told('stays'))
    peer.until(lambda: len(told('stays')) > before + 3, 'more than the silence')
    assert told('stays')[-1].level == bytes([Level.OK if says_goodbye else Level.WARN])
    word = 'hears no other node' if says_goodbye else 'goes silent for'
    assert told('stays')[-1].message.startswith(word)


def test_a_node_that_goes_waits_until_its_last_word_has_arrived(
    peer: Any, program: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / 'listener.py').write_text(LISTENER, encoding='utf-8')
    monkeypatch.setenv('PYTHONPATH', str(tmp_path), prepend=':')
    updater = node(peer, 'goes')
    program('listener')
    # One is its own.
    peer.until(lambda: updater._publisher.get_subscription_count() > 1, 'somebody else')
    updater.close()
    # Else it may be lost with its writer: of 59 nodes on a busy machine, 6 words were.
    assert updater._publisher.wait_for_all_acked(Duration())


def test_what_others_say_costs_a_look_at_its_bytes_and_no_more(
    peer: Any, monkeypatch: pytest.MonkeyPatch
):
    read: list[bytes] = []
    monkeypatch.setattr(
        'mmvae_controller.nodes.reporting.peers.deserialize_message',
        lambda raw, kind: read.append(raw) or DiagnosticArray(),
    )
    Peers(peer.node)
    driver = peer.node.create_publisher(DiagnosticArray, '/diagnostics', REPORT)
    heard = peer.listen(DiagnosticArray, '/diagnostics')
    driver.publish(DiagnosticArray(status=[DiagnosticStatus(name='driver: peers of mine')]))
    driver.publish(DiagnosticArray(status=[DiagnosticStatus(name='other: peers')]))
    peer.until(lambda: len(heard) == 2 and read, 'both')
    assert len(read) == 1
