"""A camera is covered while the arm moves: what /diagnostics and the curves say, and how soon."""

from __future__ import annotations

from collections.abc import Callable
import itertools
from pathlib import Path
import statistics
import time
from typing import Any

import pytest
import yaml

pytest.importorskip('rclpy')
pytest.importorskip('pybullet')
pytestmark = [pytest.mark.ros, pytest.mark.slow, pytest.mark.timed]

from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402
from mmvae_controller.control.window import NS  # noqa: E402
from mmvae_controller.nodes.wire.messages import stamp_of  # noqa: E402
from mmvae_controller.nodes.wire.qos import COMMAND, REPORT, SENSOR  # noqa: E402
from rcl_interfaces.srv import SetParameters  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from sensor_msgs.msg import JointState  # noqa: E402
from std_msgs.msg import Float64, Float64MultiArray  # noqa: E402

# Between the answer that the camera is covered and the news that it is not known.
SOON_S = 0.5
# A picture that does not come is missed only once the last one is too old: max_age_s later.
LOST_AFTER_S = {'covered': 0.0, 'silent': 0.2}
HELD_S = 1.0
WATCHED_S = 2.0
BACK_S = 1.0
# What these send comes so often on a machine that has the time: half a period late is in time.
PERIODS_S = {'joints': 0.0125, 'commands': 0.025, 'losses': 0.1}
IN_TIME = 1.5
LOSS = 'precision_loss_command/camera'
ERROR_ALONE = 'single_error_own/camera'
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

    def values(self, moment_s: float) -> list[float]:
        """Return what is above 0 since a moment."""
        return [m.data for _, m in self.since(moment_s) if m.data > 0]

    def late_s(self, began_s: float, ended_s: float, period_s: float) -> float:
        """Return how much longer than a period nothing came, at its worst."""
        times_s = [s for s, _ in self.all if began_s <= s <= ended_s]
        gaps_s = (b - a for a, b in itertools.pairwise([began_s, *times_s, ended_s]))
        return max(0.0, max(gaps_s) - IN_TIME * period_s)


class Live:
    """Simulation, controller and diagnostics as processes, with the model that ships."""

    def __init__(self, peer: Any, program: Callable[..., Any], robot_file: Path) -> None:
        self.peer = peer
        self.losses = Heard(peer, Float64, f'importance_raw/{LOSS}')
        self.smooth_losses = Heard(peer, Float64, f'importance/{LOSS}')
        self.errors_alone = Heard(peer, Float64, f'importance_raw/{ERROR_ALONE}')
        self.smooth_errors_alone = Heard(peer, Float64, f'importance/{ERROR_ALONE}')
        self.joints = Heard(peer, JointState, 'joint_states', SENSOR)
        self.commands = Heard(peer, Float64MultiArray, 'joint_command', COMMAND)
        self.diagnostics = Heard(peer, DiagnosticArray, '/diagnostics')
        nodes = 'mmvae_controller.nodes'
        clock = ('-p', 'use_sim_time:=true')
        program(f'{nodes}.simulation')
        program(f'{nodes}.diagnostics', '-p', 'model:=touch_target', *clock)
        program(
            f'{nodes}.controller',
            '-p',
            f'robot_file:={robot_file}',
            '-p',
            'model:=touch_target',
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

    def allowed_s(self, claimed_s: float, from_s: float, event_s: float, to_s: float) -> float:
        """Return how long something may take that takes so long on a machine that is idle.

        What the machine itself loses comes on top: simulated time that is slower than real, and
        each node's longest pause. Of the curves only before the event: they are what is judged.
        """
        joints = [(s, stamp_of(m.header.stamp)) for s, m in self.joints.since(from_s) if s <= to_s]
        (began_s, began_ns), (ended_s, ended_ns) = joints[0], joints[-1]
        slowness = max(1.0, (ended_s - began_s) * NS / (ended_ns - began_ns))
        late_s = (
            self.joints.late_s(from_s, to_s, PERIODS_S['joints'])
            + self.commands.late_s(from_s, to_s, PERIODS_S['commands'])
            + self.losses.late_s(from_s, event_s, PERIODS_S['losses'])
        )
        return claimed_s * (slowness if slowness > IN_TIME else 1.0) + late_s

    def until_known(self, since_s: float) -> float:
        """Return when the input was first told as known after a moment, its level held or not."""

        def found() -> float | None:
            told = self.statuses(INPUT, since_s)
            return next((s for s, t in told if t.message.startswith('known')), None)

        return self.peer.until(found, 'the camera')

    def until_loss(self, is_there: bool, since_s: float) -> float:
        """Return when the loss was first there, or not there, after a moment."""

        def found() -> float | None:
            there = ((s, m.data > 0) for s, m in self.losses.since(since_s))
            return next((s for s, yes in there if yes is is_there), None)

        return self.peer.until(found, f'a loss that is there: {is_there}')

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
def live(
    peer: Any, program: Callable[..., Any], iiwa_data: dict[str, Any], tmp_path: Path
) -> Live:
    """Return a robot that predicts nothing: what is missing is masked at once."""
    for modality in iiwa_data['modalities'].values():
        modality.pop('max_prediction_s', None)
    path = tmp_path / 'iiwa.yaml'
    path.write_text(yaml.safe_dump(iiwa_data), encoding='utf-8')
    return Live(peer, program, path)


@pytest.mark.parametrize(
    ('state', 'reason'), [('covered', 'no contrast'), ('silent', 'last message on')]
)
def test_a_lost_camera_is_told_at_once_and_so_is_its_return(live: Live, state: str, reason: str):
    live.peer.until(lambda: len(live.losses.all) > 30, 'curves', deadline_s=60.0)
    live.until_level(SENSE, OK, time.monotonic())
    live.until_level(INPUT, OK, time.monotonic())
    before_s = time.monotonic()
    live.spin(WATCHED_S)
    # With each episode the controller begins anew, for a moment without a picture.
    assert statistics.median(m.data for _, m in live.losses.since(before_s)) > 0

    lost_s = live.set_camera(state)
    told_s = {
        INPUT: live.until_level(INPUT, WARN, lost_s, reason),
        SENSE: live.until_level(SENSE, WARN, lost_s, 'missing at t'),
        LOSS: live.until_loss(False, lost_s),
    }
    last_s = max(told_s.values())
    allowed_s = live.allowed_s(SOON_S + LOST_AFTER_S[state], before_s, lost_s, last_s)
    print(state, {n: round(s - lost_s, 3) for n, s in told_s.items()}, 'of', round(allowed_s, 3))
    # Nothing old goes on as if it were live: no loss, nothing measured alone, and the arm holds.
    live.spin(HELD_S)
    # The smoothed curve goes out after the raw one.
    zeros = [{m.data for _, m in c.since(told_s[LOSS])} for c in (live.losses, live.smooth_losses)]
    assert zeros == [{0}, {0}]
    assert len(live.losses.since(last_s)) > 3
    assert live.errors_alone.since(told_s[LOSS]) == []
    assert live.smooth_errors_alone.since(told_s[LOSS]) == []
    last = {v.key: v.value for v in live.statuses(SENSE)[-1][1].values}
    assert last['state'] == 'masked'
    assert last['precision_loss_command nats'] == '0'
    assert 'single_error_own nats' not in last
    # It holds; or, where an episode began meanwhile, it is told nothing without the camera.
    assert len({tuple(m.data) for _, m in live.commands.since(last_s)}) <= 1
    said = live.statuses(GATE)[-1][1].message
    assert 'missing: camera' in said or 'without camera' in said
    assert last_s - lost_s < allowed_s

    back_s = live.set_camera('works')
    known_s = live.until_known(back_s)
    there_s = live.until_loss(True, back_s)
    allowed_s = live.allowed_s(BACK_S, last_s, back_s, max(known_s, there_s))
    print(state, 'back', round(known_s - back_s, 3), round(there_s - back_s, 3), 'of', allowed_s)
    assert max(known_s, there_s) - back_s < allowed_s
    for raw, smooth in (
        (live.losses, live.smooth_losses),
        (live.errors_alone, live.smooth_errors_alone),
    ):
        live.peer.until(lambda c=smooth: c.values(back_s), 'a smoothed curve')
        assert raw.values(back_s)[0] == smooth.values(back_s)[0]
    live.until_level(INPUT, OK, back_s)
    live.until_level(SENSE, OK, back_s)
