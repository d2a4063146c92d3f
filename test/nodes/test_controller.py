"""The controller node, over real DDS, in this process."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytestmark = pytest.mark.ros

from builtin_interfaces.msg import Time  # noqa: E402
from mmvae_controller.nodes.wire.pointcloud import read_observation  # noqa: E402
from mmvae_controller.nodes.wire.qos import CLOCK  # noqa: E402
from rclpy.impl.rcutils_logger import RcutilsLogger  # noqa: E402
from rclpy.time import Time as Moment  # noqa: E402
from rosgraph_msgs.msg import Clock  # noqa: E402
from sensor_msgs.msg import PointCloud2  # noqa: E402

STEP_RAD = 0.2 / 50
URDF = """<robot name="small">
<joint name="left"><limit lower="-2" upper="2" velocity="1"/></joint>
<joint name="right"><limit lower="-2" upper="2" velocity="1"/></joint></robot>"""


def test_it_moves_in_small_steps_from_where_the_robot_is(rig: Any):
    it = rig()
    it.peer.feel()
    it.node.start()
    it.until_moving()
    path = np.array([c.data for c in it.commands])
    assert np.all(np.abs(path[0] - it.peer.joints_rad) < 0.5)
    assert np.all(np.diff(path, axis=0) >= 0)
    assert np.all(np.diff(path, axis=0) < 4 * STEP_RAD)


def test_while_the_loop_runs_the_watchdog_is_content(rig: Any):
    it = rig()
    it.peer.feel()
    it.node.start()
    it.peer.until(lambda: len(it.commands) > 30, 'more time than the watchdog gives')
    values = {v.key: v.value for v in it.until_status('controller: gate', 'pass').values}
    assert values['count watchdog'] == '0'


def test_a_callback_that_fails_makes_it_hold_once(rig: Any):
    it = rig()
    it.peer.feel()
    it.node.start()
    it.until_moving()
    before = list(it.commands[-1].data)
    it.commands.clear()
    it.node.callback_failed(RuntimeError())
    it.peer.until(lambda: it.commands, 'the hold')
    assert list(it.commands[0].data) == before
    it.until_moving()


def test_without_any_sense_it_commands_nothing_and_says_what_is_missing(rig: Any):
    it = rig()
    it.node.start()
    status = it.until_status('controller: gate', 'no set-point: joints is not known')
    assert status.level == b'\x01'
    assert it.commands == []


def test_without_a_camera_it_stays_where_the_robot_is_and_names_the_camera(rig: Any):
    it = rig()
    it.peer.silent = {'camera/image_raw'}
    it.peer.feel()
    it.node.start()
    it.until_status('controller: input camera', 'no message on topic /camera/image_raw yet')
    status = it.until_status('controller: gate', 'required senses missing: camera')
    assert status.level == b'\x01'
    assert it.until_standing() == pytest.approx(it.peer.joints_rad)


def test_a_topic_that_dies_is_masked_and_the_arm_holds_until_it_is_back(rig: Any):
    it = rig()
    it.peer.feel()
    it.node.start()
    it.until_moving()
    it.peer.silent = {'camera/image_raw'}
    it.until_status('controller: input camera', 'max_age_s 0.3: masked')
    it.until_standing()
    it.peer.silent = set()
    it.until_moving()
    it.until_status('controller: input camera', 'known')


def test_a_sense_that_is_not_required_may_die(rig: Any):
    it = rig()
    it.peer.silent = {'touch'}
    it.peer.feel()
    it.node.start()
    it.until_status('controller: input touch', 'no message on topic /touch yet')
    it.until_moving()


def test_a_picture_in_another_encoding_is_rejected_and_told(rig: Any):
    it = rig()
    it.peer.encoding = 'bgr8'
    it.peer.feel()
    it.node.start()
    it.until_status('controller: input camera', "rejected: encoding is 'bgr8', expected 'rgb8'")
    assert it.until_standing() == pytest.approx(it.peer.joints_rad)


def test_numbers_that_are_not_finite_are_masked_and_told(rig: Any):
    it = rig()
    it.peer.feel()
    it.node.start()
    it.until_moving()
    it.peer.joints_rad = [float('nan'), 0.0]
    it.until_status('controller: input joints', 'not finite')
    assert np.all(np.isfinite(it.until_standing()))


def test_stop_holds_and_resume_starts_from_where_the_robot_is_then(rig: Any):
    it = rig(following_rad=1.0)
    it.peer.feel()
    it.node.start()
    it.until_moving()
    assert it.peer.call('controller/stop').success
    it.until_standing()
    it.until_status('controller: gate', 'holding: stopped')
    it.peer.joints_rad = [-1.5, 1.5]
    it.until_status('controller: gate', 'let go until resumed')
    it.commands.clear()
    assert it.peer.call('controller/resume').success
    it.peer.until(
        lambda: it.commands and abs(it.commands[-1].data[0] + 1.5) < 0.5, 'the new place'
    )
    it.until_moving()


def test_an_arm_that_does_not_follow_is_let_go_until_resumed(
    rig: Any, monkeypatch: pytest.MonkeyPatch
):
    told: list[str] = []
    monkeypatch.setattr(RcutilsLogger, 'warning', lambda _, message, **more: told.append(message))
    it = rig(following_rad=0.2)
    it.peer.feel()
    it.node.start()
    it.until_status('controller: gate', 'from its set-point, max_following_error_rad 0.2')
    it.commands.clear()
    it.until_status('controller: gate', 'let go until resumed')
    assert it.commands == []
    (let_go,) = [message for message in told if 'let go until resumed' in message]
    assert let_go.endswith('mmvae explain let-go')
    assert it.peer.call('controller/resume').success
    it.until_moving()


def test_a_stop_while_inactive_is_kept_and_only_a_resume_that_is_granted_ends_it(rig: Any):
    it = rig(autostart=False)
    it.peer.feel()
    it.node.start()
    answer = it.peer.call('controller/resume')
    assert (answer.success, answer.message) == (False, 'not active')
    answer = it.peer.call('controller/stop')
    assert (answer.success, answer.message) == (True, 'not active; will hold when activated')
    answer = it.peer.call('controller/resume')
    assert (answer.success, answer.message) == (False, 'not active; still stopped')
    it.node.trigger_configure()
    it.node.trigger_activate()
    it.until_status('controller: gate', 'no set-point: stopped')
    assert it.commands == []
    assert it.peer.call('controller/resume').success
    it.until_moving()


def test_deactivation_ends_with_a_hold_and_a_stop_outlives_it(rig: Any):
    it = rig()
    it.peer.feel()
    it.node.start()
    it.until_moving()
    it.node.trigger_deactivate()
    it.until_status('controller: loop', 'inactive: nothing is commanded')
    assert list(it.commands[-1].data) == list(it.commands[-2].data)
    it.node.trigger_activate()
    it.until_moving()
    it.peer.call('controller/stop')
    it.until_standing()
    it.node.trigger_deactivate()
    it.node.trigger_activate()
    it.until_status('controller: gate', 'no set-point: stopped')
    it.commands.clear()
    it.diagnostics.clear()
    it.until_status('controller: gate', 'no set-point: stopped')
    assert it.commands == []


def test_what_the_loop_missed_while_it_was_inactive_is_no_complaint(rig: Any):
    it = rig()
    it.peer.feel()
    it.node.start()
    it.until_moving()
    it.node.trigger_deactivate()
    heard = it.node._wiring.inputs.health['joints']
    before = heard.status(0, None).values['received']
    it.peer.until(lambda: heard.status(0, None).values['received'] > before + 50, 'a second')
    it.node.trigger_activate()
    it.until_moving()
    it.diagnostics.clear()
    it.until_status('controller: loop', '')
    assert int(it.value('controller: loop', 'missed ticks')) < 40


def test_while_it_is_inactive_it_calls_no_sense_known_or_sound(rig: Any):
    it = rig(autostart=False)
    it.peer.feel()
    it.node.trigger_configure()
    it.until_status('controller: input camera', 'received, not judged')
    it.peer.until(
        lambda: it.status('controller: input camera').level == b'\x00', 'the level of it'
    )
    assert it.value('controller: input camera', 'known at t') == 'False'


def test_a_header_stamp_from_the_past_or_the_future_makes_nothing_old_or_new(rig: Any):
    it = rig()
    it.peer.feel()
    it.node.start()
    for stamp_s in (1, 2**31 - 1):
        it.peer.stamp_s = stamp_s
        it.until_moving()
        it.until_status('controller: gate', 'pass')
    it.peer.silent = {'camera/image_raw'}
    it.until_status('controller: input camera', 'max_age_s 0.3: masked')


def test_what_waited_for_a_busy_node_is_as_old_as_it_is(rig: Any):
    it = rig()
    senses = it.peer.feel()
    it.node.start()
    it.until_moving()
    senses.cancel()
    it.until_status('controller: input joints', 'max_age_s 0.3: masked')
    session, heard = it.node._session, it.node._wiring.inputs.health['joints']
    before = heard.status(0, None).values['received']
    it.peer.publish_senses()
    time.sleep(0.5)  # The fault itself: some callback keeps the node busy.
    while heard.status(0, None).values['received'] == before:
        it.peer.executor.spin_once(timeout_sec=0.05)
    it.commands.clear()
    it.peer.until(lambda: len(it.commands) >= 3, 'three more ticks')
    assert session.sensed('joints').known == (False, False)
    it.peer.publish_senses()
    it.peer.until(lambda: session.sensed('joints').known[1], 'a sample in time')


def test_without_simulated_time_a_wall_clock_that_was_set_back_stops_nothing(rig: Any):
    it = rig()
    it.peer.feel()
    it.node.start()
    it.until_moving()
    clock = it.node.get_clock()
    clock._set_ros_time_is_active(True)  # Stands for the system clock.
    clock.set_ros_time_override(Moment(seconds=1, clock_type=clock.clock_type))
    it.until_moving()
    it.until_status('controller: gate', 'pass')
    # A pause of a busy machine before may still show.
    assert it.status('controller: input joints').message.startswith('known')


def test_the_time_of_a_tick_is_that_of_everything_it_does(
    rig: Any, monkeypatch: pytest.MonkeyPatch
):
    import mmvae_controller.nodes.session as session

    def slow(*arguments: Any) -> PointCloud2:
        time.sleep(0.04)
        return PointCloud2()

    monkeypatch.setattr(session, 'observation_message', slow)
    it = rig(observation_hz=1000.0)
    it.peer.feel()
    it.peer.listen(PointCloud2, 'controller/observation')
    it.node.start()
    it.until_status('controller: loop', 'ticks take')
    # A busy machine makes it longer still.
    it.peer.until(
        lambda: float(it.value('controller: loop', 'tick p50 ms')) >= 40, 'ticks of 40 ms'
    )


def test_the_observation_is_published_at_most_as_often_as_asked(rig: Any):
    it = rig(observation_hz=2.0)
    it.peer.feel()
    heard = it.peer.listen(PointCloud2, 'controller/observation')
    it.node.start()
    it.peer.until(lambda: heard, 'the first observation')
    heard.clear()
    it.commands.clear()
    began_s = time.monotonic()
    it.peer.until(lambda: len(it.commands) >= 100, 'two seconds')
    # Of 50 Hz, two: on a machine that is slow for a while, of more seconds.
    assert 2 <= len(heard) <= 2.0 * (time.monotonic() - began_s) + 2


def test_an_observation_that_is_never_to_be_published_is_refused(rig: Any):
    it = rig(observation_hz=0.0, autostart=False)
    it.node.trigger_configure()
    it.until_status('controller: loop', 'unconfigured: nothing is commanded')


def test_an_exception_in_the_tick_holds_and_is_told(rig: Any, monkeypatch: pytest.MonkeyPatch):
    it = rig()
    it.peer.feel()
    it.node.start()
    it.until_moving()

    def fail(observation: Any) -> None:
        raise RuntimeError('broken on purpose')

    monkeypatch.setattr(it.node._wiring.policy, 'decide', fail)
    it.until_standing()
    status = it.until_status('controller: loop', 'RuntimeError: broken on purpose')
    assert status.level == b'\x02'
    it.until_status('controller: gate', 'holding: error')


def test_without_limits_it_does_not_activate(rig: Any):
    it = rig(without_limits=True, autostart=False)
    it.node.start()
    it.node.trigger_configure()
    it.node.trigger_activate()
    it.until_status('controller: loop', 'inactive: nothing is commanded')


def test_limits_may_come_from_the_robot_description(rig: Any):
    it = rig(without_limits=True, robot_description=URDF, acceleration_rad_s2=50.0)
    it.peer.feel()
    it.node.start()
    it.until_moving()


def test_the_observation_carries_what_is_known(rig: Any):
    it = rig()
    it.peer.feel()
    heard = it.peer.listen(PointCloud2, 'controller/observation')
    it.node.start()
    it.peer.until(lambda: heard and heard[-1].is_dense, 'an observation without gaps')
    observation = read_observation(heard[-1], it.peer.robot.modalities)
    assert observation.known.all()
    assert observation.values['joints'] == pytest.approx(np.array([it.peer.joints_rad] * 2))
    assert np.all(observation.values['camera'] == 7)


def test_when_the_clock_freezes_the_watchdog_holds(rig: Any):
    it = rig(use_sim_time=True)
    clock = it.peer.node.create_publisher(Clock, '/clock', CLOCK)
    now_ms = 0

    def advance() -> None:
        nonlocal now_ms
        now_ms += 10
        clock.publish(Clock(clock=Time(sec=now_ms // 1000, nanosec=now_ms % 1000 * 1_000_000)))

    timer = it.peer.node.create_timer(0.01, advance)
    it.peer.feel()
    it.node.start()
    it.until_moving()
    timer.cancel()
    status = it.until_status('controller: loop', 'watchdog holds')
    assert status.level == b'\x02'
    it.until_status('controller: gate', 'holding: watchdog')
    it.until_standing()
    timer.reset()
    it.until_moving()


def test_a_gate_that_moves_again_says_so_at_the_level_of_the_hold_and_stops_with_its_reason(
    rig: Any,
):
    it = rig(clear_after_s=60.0)
    it.peer.feel()
    it.node.start()
    it.until_moving()
    it.peer.call('controller/stop')
    it.until_status('controller: gate', 'holding: stopped')
    it.peer.call('controller/resume')
    status = it.until_status('controller: gate', '(WARN until 60 s without trouble)')
    assert status.level == b'\x01'
    assert 'stopped' not in status.message
    it.peer.call('controller/stop')
    assert it.until_status('controller: gate', 'holding: stopped').message == (
        'holding: stopped; mmvae explain arm-holds'
    )
