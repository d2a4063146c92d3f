"""A loop that a sense drives: each sample is answered at once, and silence does not stop it."""

from __future__ import annotations

import math
from pathlib import Path
import time
from typing import Any

import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros


@pytest.fixture
def driven(rig: Any, robot_file: Path) -> Any:
    """Return a controller whose loop of 50 Hz the joints drive."""
    text = robot_file.read_text(encoding='utf-8')
    robot_file.write_text(text + '  trigger: joints\n', encoding='utf-8')
    it = rig()
    it.peer.feel()
    it.node.start()
    it.until_moving()
    return it


def test_a_sample_is_answered_before_its_callback_is_over(driven: Any):
    session = driven.node._session
    asked = []
    tick = session._tick
    session._tick = lambda: (asked.append(session._driver._spoken_ns), tick())
    # On a busy machine a sample may be late, and the timer asks instead.
    driven.peer.until(lambda: len(asked) - asked.count(None) >= 10, 'ten ticks')
    # And the timer is set to ask later than the next sample comes.
    driven.peer.until(
        lambda: session._timer.timer_period_ns == session._driver.timer_ns > 20_000_000,
        'a timer that waits',
    )


def test_when_the_sense_falls_silent_the_timer_goes_on_and_the_arm_holds(driven: Any):
    session = driven.node._session
    driven.peer.silent = {'joint_states'}
    driven.until_status('controller: input joints', 'max_age_s 0.3: masked')
    driven.until_standing()
    assert session._timer.timer_period_ns == session._driver.timer_ns == 20_000_000
    driven.commands.clear()
    driven.peer.until(lambda: len(driven.commands) >= 5, 'five more holds')
    driven.peer.silent = set()
    driven.until_moving()
    driven.peer.until(lambda: session._driver._spoken_ns is not None, 'the sense drives again')


def test_pictures_and_reports_wait_for_a_spare_moment_and_a_stop_does_not(driven: Any):
    urgency = driven.node.urgency
    assert [service.srv_name for service in urgency.services] == ['~/stop']
    patient = [getattr(one, 'topic_name', 'timer') for one in urgency.patient]
    assert sorted(patient) == ['/camera/image_raw', 'timer']


def test_what_is_patient_is_forgotten_with_its_subscription(driven: Any):
    driven.node.trigger_deactivate()
    driven.node.trigger_cleanup()
    assert not any(hasattr(one, 'topic_name') for one in driven.node.urgency.patient)
    assert driven.node.urgency.spare_s() == math.inf


def test_a_tick_is_expected_a_period_after_the_last(driven: Any):
    session = driven.node._session
    session._fed_ns = time.monotonic_ns()
    assert 0 < driven.node.urgency.spare_s() <= 1 / session._robot.rate_hz
    session._fed_ns -= 1_000_000_000
    assert driven.node.urgency.spare_s() < 0


def test_under_simulated_time_the_timer_drives(rig: Any, robot_file: Path):
    text = robot_file.read_text(encoding='utf-8')
    robot_file.write_text(text + '  trigger: joints\n', encoding='utf-8')
    it = rig(use_sim_time=True)
    it.node.trigger_configure()
    it.node.trigger_activate()
    assert not it.node._session._driver.drives('joints')


def test_a_node_looks_at_a_picture_when_it_comes_and_not_in_the_tick(
    driven: Any, monkeypatch: pytest.MonkeyPatch
):
    seen = []
    network = driven.node._wiring.network
    monkeypatch.setattr(network, 'see', lambda name, value: seen.append((name, value.shape)))
    driven.peer.until(lambda: ('camera', (4, 6, 3)) in seen, 'a picture')
