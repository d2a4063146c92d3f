"""The diagnostics as a program beside the control loop: it stands back, and may stand still."""

from __future__ import annotations

from collections.abc import Callable
import os
from pathlib import Path
import signal
import time
from typing import Any, NamedTuple

import pytest

pytest.importorskip('rclpy')
pytestmark = [pytest.mark.ros, pytest.mark.timed]

from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402
from mmvae_controller.nodes.diagnostics import NICENESS, stand_back  # noqa: E402
from std_msgs.msg import Float64MultiArray  # noqa: E402

CONTROLLER, DIAGNOSTICS = (f'mmvae_controller.nodes.{n}' for n in ('controller', 'diagnostics'))
NICENESS_FIELD = 16
WHILE_S = 6.0
# A machine that is busy misses some ticks all the time, and a few more at times.
TOLERATED = 0.05
LEAST_SHARE = 0.5


class Share(NamedTuple):
    """What the controller did, missed and sent, and what was heard of it."""

    ticks: int
    missed: int
    sent: int
    watchdog: int
    heard: int

    def done(self) -> float:
        """Return the share of the ticks that were due."""
        return self.ticks / (self.ticks + self.missed)


class Pair:
    """Controller and diagnostics as processes of their own, and what is heard of them."""

    def __init__(
        self, peer: Any, program: Callable[..., Any], robot_file: Path, model: Path
    ) -> None:
        self.peer = peer
        self.commands = peer.listen(Float64MultiArray, 'joint_command')
        self._statuses: dict[str, dict[str, str]] = {}
        self._heard: dict[str, int] = {}
        peer.node.create_subscription(DiagnosticArray, '/diagnostics', self._hear, 10)
        peer.feel()
        self.diagnostics = program(DIAGNOSTICS, '-p', f'model:={model}')
        self.controller = program(
            CONTROLLER, '-p', f'robot_file:={robot_file}', '-p', f'model:={model}'
        )
        peer.until(lambda: 'latent_kl nats' in self.values('diagnostics: model'), 'evaluations')

    def _hear(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self._statuses[status.name] = {v.key: v.value for v in status.values}
            self._heard[status.name] = self._heard.get(status.name, 0) + 1

    def values(self, name: str) -> dict[str, str]:
        return self._statuses.get(name, {})

    def heard(self, name: str) -> int:
        return self._heard.get(name, 0)

    def watch(self) -> Share:
        """Return what the controller did in a while."""
        before = self._counts()
        end_s = time.monotonic() + WHILE_S
        self.peer.until(lambda: time.monotonic() > end_s, 'time')
        return Share(*(b - a for a, b in zip(before, self._counts(), strict=True)))

    def _counts(self) -> tuple[int, ...]:
        # What one message tells was counted at one moment.
        news = self.heard('controller: gate')
        self.peer.until(lambda: self.heard('controller: gate') > news, 'news of the controller')
        loop, gate = self.values('controller: loop'), self.values('controller: gate')
        told = (loop['ticks'], loop['missed ticks'], gate['sent'], gate['count watchdog'])
        return (*map(int, told), len(self.commands))


@pytest.fixture
def pair(peer: Any, program: Callable[..., Any], robot_file: Path, model: Path) -> Pair:
    return Pair(peer, program, robot_file, model)


def nicenesses(process: int) -> set[int]:
    """Return the niceness of each thread of a process."""
    stats = [f.read_text() for f in Path(f'/proc/{process}/task').glob('*/stat')]
    assert len(stats) > 1
    return {int(s.rpartition(')')[2].split()[NICENESS_FIELD]) for s in stats}


def test_every_thread_of_the_diagnostics_stands_back_and_none_of_the_controller(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
):
    # With it numpy starts no threads of its own, which it does before any of our code runs.
    for name in ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS'):
        monkeypatch.delenv(name, raising=False)
    it = request.getfixturevalue('pair')
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    assert nicenesses(it.diagnostics.process.pid) == {max(NICENESS, ours)}
    assert nicenesses(it.controller.process.pid) == {ours}


def test_a_machine_that_refuses_the_niceness_is_told_of_and_borne(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    def refuse(*arguments: int) -> None:
        raise PermissionError('no')

    monkeypatch.setattr(os, 'setpriority', refuse)
    stand_back()
    assert (
        'niceness 10 is refused, it competes with the control loop: no' in capfd.readouterr().err
    )


@pytest.mark.slow
def test_diagnostics_that_stand_still_cost_the_controller_neither_a_tick_nor_a_hold(pair: Pair):
    usual = pair.watch()
    pair.diagnostics.signal(signal.SIGSTOP)
    told = pair.heard('diagnostics: model')
    alone = pair.watch()
    told = pair.heard('diagnostics: model') - told
    pair.diagnostics.signal(signal.SIGCONT)
    print('usual', usual, 'while the diagnostics stand still', alone)
    assert told <= 1
    assert alone.watchdog == 0
    assert usual.done() > LEAST_SHARE
    assert alone.done() >= usual.done() - TOLERATED
    assert alone.sent == alone.ticks
    assert alone.heard >= (1 - TOLERATED) * alone.sent
