"""A camera is covered while the arm moves: what /diagnostics and the curves say, and how soon."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import time
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('pybullet')
pytestmark = [pytest.mark.ros, pytest.mark.slow]

from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402
from mmvae_controller.nodes.qos import COMMAND, REPORT  # noqa: E402
from rcl_interfaces.srv import SetParameters  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from std_msgs.msg import Float64, Float64MultiArray  # noqa: E402

ROOT = Path(__file__).parents[2]
MODEL = ROOT / 'models' / 'touch_target'
# Between the answer that the camera is covered and the news that it is not known.
SOON_S = 0.5
# A picture that does not come is missed only once the last one is too old: max_age_s later.
LOST_AFTER_S = {'covered': 0.0, 'silent': 0.2}
HELD_S = 1.0
# Of the loss before, what the camera is worth again when it is back.
BACK_SHARE = 0.01
LOSS = 'importance_raw/precision_loss_command/camera'
ERROR_ALONE = 'importance_raw/single_error_own/camera'
SENSE, INPUT, GATE = 'diagnostics: sense camera', 'controller: input camera', 'controller: gate'
OK, WARN = 0, 1


class Heard:
    """Everything of a topic, with the steady time at which it came."""

    def __init__(self, peer: Any, kind: type, topic: str, qos: Any = REPORT) -> None:
        self.all: list[tuple[float, Any]] = []
        peer.node.create_subscription(
            kind, topic, lambda m: self.all.append((time.monotonic(), m)), qos
        )

    def since(self, moment_s: float) -> list[tuple[float, Any]]:
        return [(s, m) for s, m in self.all if s >= moment_s]


class Live:
    """Simulation, controller and diagnostics as processes, with the model that ships."""

    def __init__(self, peer: Any, program: Callable[..., Any], iiwa_file: Path) -> None:
        self.peer = peer
        self.losses = Heard(peer, Float64, LOSS)
        self.errors_alone = Heard(peer, Float64, ERROR_ALONE)
        self.commands = Heard(peer, Float64MultiArray, 'joint_command', COMMAND)
        self.diagnostics = Heard(peer, DiagnosticArray, '/diagnostics')
        nodes = 'mmvae_controller.nodes'
        clock = ('-p', 'use_sim_time:=true')
        program(f'{nodes}.simulation')
        program(f'{nodes}.diagnostics', '-p', f'model:={MODEL}', *clock)
        program(
            f'{nodes}.controller',
            '-p',
            f'robot_file:={iiwa_file}',
            '-p',
            f'model:={MODEL}',
            *clock,
        )

    def set_camera(self, state: str) -> float:
        """Return when the simulation had answered."""
        parameter = Parameter('camera', value=state).to_parameter_msg()
        answer = self.peer.call(
            'simulation/set_parameters',
            SetParameters,
            SetParameters.Request(parameters=[parameter]),
        )
        assert answer.results[0].successful
        return time.monotonic()

    def statuses(self, name: str, since_s: float = 0.0) -> list[tuple[float, Any]]:
        return [
            (s, t) for s, m in self.diagnostics.since(since_s) for t in m.status if t.name == name
        ]

    def until_level(self, name: str, level: int, since_s: float, text: str = '') -> float:
        """Return when a status first had a level and a text after a moment."""

        def found() -> float | None:
            return next(
                (
                    s
                    for s, t in self.statuses(name, since_s)
                    if t.level[0] == level and text in t.message
                ),
                None,
            )

        return self.peer.until(found, f'{name} at {level}, last {self.statuses(name)[-1:]}')

    def spin(self, duration_s: float) -> None:
        end_s = time.monotonic() + duration_s
        self.peer.until(lambda: time.monotonic() > end_s, 'time')


@pytest.fixture
def live(peer: Any, program: Callable[..., Any], iiwa_file: Path) -> Live:
    return Live(peer, program, iiwa_file)


@pytest.mark.parametrize(
    ('state', 'reason'), [('covered', 'no contrast'), ('silent', 'last message on')]
)
def test_a_lost_camera_is_told_at_once_and_so_is_its_return(live: Live, state: str, reason: str):
    live.peer.until(lambda: len(live.losses.all) > 30, 'curves', deadline_s=60.0)
    live.until_level(SENSE, OK, time.monotonic())
    live.until_level(INPUT, OK, time.monotonic())
    before = float(np.median([m.data for _, m in live.losses.all[-30:]]))
    assert before > 0

    lost_s = live.set_camera(state)
    told_s = {
        INPUT: live.until_level(INPUT, WARN, lost_s, reason) - lost_s,
        SENSE: live.until_level(SENSE, WARN, lost_s, 'missing at t') - lost_s,
        LOSS: live.peer.until(
            lambda: next((s for s, m in live.losses.since(lost_s) if m.data == 0), None), 'no loss'
        )
        - lost_s,
    }
    print(state, {name: round(s, 3) for name, s in told_s.items()})
    # Nothing old goes on as if it were live: no loss, nothing measured alone, and the arm holds.
    quiet_s = time.monotonic() + SOON_S
    live.spin(SOON_S + HELD_S)
    assert {m.data for _, m in live.losses.since(lost_s + told_s[LOSS])} == {0}
    assert len(live.losses.since(quiet_s)) > 3
    assert live.errors_alone.since(quiet_s) == []
    last = {v.key: v.value for v in live.statuses(SENSE)[-1][1].values}
    assert last['state'] == 'predicted'
    assert 'single_error_own nats' not in last
    assert len({tuple(m.data) for _, m in live.commands.since(quiet_s)}) == 1
    assert 'required senses missing: camera' in live.statuses(GATE)[-1][1].message

    back_s = live.set_camera('works')
    live.until_level(INPUT, OK, back_s)
    live.until_level(SENSE, OK, back_s)
    returned_s = live.peer.until(
        lambda: next(
            (s for s, m in live.losses.since(back_s) if m.data > BACK_SHARE * before), None
        ),
        'a loss again',
    )
    print(state, 'back after', round(returned_s - back_s, 3), 'before', round(before, 1))
    assert max(told_s.values()) < SOON_S + LOST_AFTER_S[state], told_s
