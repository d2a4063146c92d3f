"""The window of a controller that runs, and that of its recording, hold the same numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmvae_controller.control.controller import Controller
from mmvae_controller.control.policy import Estimate
from mmvae_controller.modality.observation import Observation
from mmvae_controller.modality.robot import Robot
from mmvae_controller.recordings.observing import observations
from mmvae_controller.recordings.receipt import ClockChoice
import numpy as np
import pytest

MS = 1_000_000
CAMERA_MISSING_MS = range(1500, 2300)


class Wanderer:
    """Wants something else at every tick."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(3)

    def decide(self, observation: Observation) -> Estimate:
        return Estimate(self.random.normal(0, 1, 2), np.zeros(2))


def kept(seen: Observation) -> Observation:
    values = {name: value.copy() for name, value in seen.values.items()}
    return Observation(seen.stamp_ns, values, seen.known.copy(), seen.age_s.copy())


@pytest.mark.parametrize('jitter_ms', [0, 9])
def test_on_the_recorders_clock_every_observation_is_found_again(
    tape: Any, robot: Robot, jitter_ms: int, require_same: Any
):
    controller = Controller(robot, robot.modalities, robot.step_s, Wanderer())
    random = np.random.default_rng(jitter_ms)
    lived, events = [], []
    for ms in range(0, 4000, 10):
        events.append((ms + random.uniform(0, 0.9), 'joints'))
        if ms % 50 == 0 and ms not in CAMERA_MISSING_MS:
            events.append((ms + random.uniform(1, 1.9), 'camera'))
        if ms % 20 == 0:
            events.append((ms + random.uniform(2, 2.9), 'touch'))
            events.append((ms + random.uniform(3, 3.9 + jitter_ms), 'tick'))
    left = 0.1
    for at_ms, what in sorted(events):
        now_ns = tape.epoch_ns + round(at_ms * MS)
        number = np.float32(random.normal(0, 1))
        if what == 'joints':
            # In float32 here as well, as it is in the window.
            controller.push('joints', np.array([-left, 9.0, left]), now_ns)
            tape.joints(left, at_ms)
        elif what == 'camera':
            grey = int(random.integers(0, 256))
            controller.push('camera', np.full((8, 8, 3), grey, dtype=np.uint8), now_ns)
            tape.camera(grey, at_ms)
        elif what == 'touch':
            controller.push('touch', np.array([number, 0.0]), now_ns)
            tape.touch(float(number), at_ms)
        else:
            tick = controller.tick(now_ns)
            lived.append(kept(tick.observation))
            if tick.decision is not None:
                position = tick.decision.sent.position
                tape.put('joint_command', tape.maker.numbers(position), at_ms)
                left = float(position[0])
    stamps = [seen.stamp_ns for seen in lived]
    found = list(observations(tape.close(), robot, stamps))
    assert len(found) == len(lived) == 200
    for live, recorded in zip(lived, found, strict=True):
        require_same(robot, live, recorded)
    _covers(robot, lived)


def _covers(robot: Robot, lived: Sequence[Observation]) -> None:
    """Assert that what makes it hard is in there: lost pictures, commands, both time steps."""
    known = np.stack([seen.known for seen in lived])
    camera = [m.name for m in robot.modalities].index('camera')
    assert not known[:, camera].all()
    assert known[:, camera].any(axis=0).all()
    motor = np.stack([seen.values['motor'] for seen in lived])
    assert len(np.unique(motor[:, 0, 0])) > 100
    assert known[50:, :, :].any(axis=0).all()


def test_the_clock_is_that_of_the_observations(tape: Any, robot: Robot):
    tape.run(0, 500)
    stamps = [tape.epoch_ns + 200 * MS]
    path = tape.close()
    assert [o.known.any() for o in observations(path, robot, stamps)] == [True]
    assert [o.stamp_ns for o in observations(path, robot, stamps, clock=ClockChoice.BAG)] == stamps


def test_a_sample_of_the_very_moment_is_seen(tape: Any, robot: Robot):
    for number in range(4):
        tape.joints(0.1 * number, 10 * number)
    (seen,) = observations(tape.close(), robot, [tape.epoch_ns + 20 * MS])
    assert seen.values['joints'][1, 2] == np.float32(0.2)
    assert seen.age_s[1, 1] == 0


def test_on_simulated_time_a_tick_sees_what_came_before_the_clock_told_its_moment(
    tape: Any, robot: Robot
):
    tape.clock(10, 0)
    tape.joints(0.1, 1)
    tape.clock(20, 2)
    tape.joints(0.2, 3)
    tape.clock(30, 4)
    seen = list(observations(tape.close(), robot, [20 * MS, 30 * MS]))
    assert [round(float(o.values['joints'][1, 2]), 6) for o in seen] == [0.1, 0.2]
    assert np.allclose([o.age_s[1, 1] for o in seen], 0.01)
