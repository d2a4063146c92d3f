"""The simulation node: its clock, its sensors, and how it hands episodes over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('pybullet')
pytestmark = pytest.mark.ros

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus  # noqa: E402
from geometry_msgs.msg import WrenchStamped  # noqa: E402
from mmvae_controller.control.window import NS  # noqa: E402
from mmvae_controller.modality.robot_file import load_robot  # noqa: E402
from mmvae_controller.nodes.simulation import (  # noqa: E402
    Phase,
    SimulationNode,
    WAITS_NS,
)
from mmvae_controller.nodes.watch.record import read_episode  # noqa: E402
from mmvae_controller.nodes.wire.messages import stamp_of  # noqa: E402
from mmvae_controller.nodes.wire.qos import COMMAND, EPISODES, SENSOR  # noqa: E402
from mmvae_controller.senses.reading import read_sense  # noqa: E402
from mmvae_controller.simulation.errors import SimulationError  # noqa: E402
from rcl_interfaces.srv import SetParameters  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from rclpy.qos import QoSProfile, ReliabilityPolicy  # noqa: E402
from rosgraph_msgs.msg import Clock  # noqa: E402
from sensor_msgs.msg import Image, JointState  # noqa: E402
from std_msgs.msg import Float64MultiArray  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

EPISODE_SERVICES = ('end_episode', 'begin_episode')


class World:
    """A simulation, and a controller that only counts how it is handed over to."""

    def __init__(self, peer: Any, **parameters: Any) -> None:
        self.peer = peer
        self.calls: list[str] = []
        self.willing = True
        self.unwilling: set[str] = set()
        self.episodes = peer.listen(DiagnosticStatus, 'simulation/episode', EPISODES)
        self.diagnostics = peer.listen(DiagnosticArray, '/diagnostics')
        self.joints = peer.listen(JointState, 'joint_states', SENSOR)
        self.out = peer.node.create_publisher(Float64MultiArray, 'joint_command', COMMAND)
        self.node = peer.add(
            SimulationNode(
                context=peer.context,
                parameter_overrides=[Parameter(n, value=v) for n, v in parameters.items()],
            )
        )

    def serve(self) -> None:
        """Offer the controller's services."""
        self.services = [
            self.peer.node.create_service(
                Trigger, f'controller/{name}', lambda _, answer, n=name: self._answer(n, answer)
            )
            for name in EPISODE_SERVICES
        ]

    def leave(self) -> None:
        """Be gone, like a controller that crashed."""
        for service in self.services:
            self.peer.node.destroy_service(service)

    def _answer(self, name: str, answer: Trigger.Response) -> Trigger.Response:
        self.calls.append(name)
        answer.success = self.willing and name not in self.unwilling
        answer.message = 'so it is'
        return answer

    def values(self) -> dict[str, str]:
        """Return the newest values of its status."""
        statuses = [
            s for m in self.diagnostics for s in m.status if s.name == 'simulation: episode'
        ]
        return {v.key: v.value for v in statuses[-1].values} if statuses else {}

    def until_phase(self, phase: str) -> None:
        self.peer.until(lambda: self.values().get('phase') == phase, phase)


@pytest.fixture
def world(peer: Any) -> Any:
    return lambda **parameters: World(peer, **parameters)


def test_every_sensor_speaks_at_its_due_time_and_fits_the_robot(world: Any, iiwa_file: Path):
    it = world()
    robot = load_robot(iiwa_file)
    modalities = {m.name: m for m in robot.modalities}
    every = QoSProfile(depth=100, reliability=ReliabilityPolicy.BEST_EFFORT)
    clock = it.peer.listen(Clock, '/clock', every)
    heard = {
        'camera': it.peer.listen(Image, 'camera/image_raw', SENSOR),
        'joints': it.joints,
        'touch': it.peer.listen(WrenchStamped, 'touch', SENSOR),
    }
    it.peer.until(lambda: len(heard['camera']) > 2 and len(clock) > 20, 'sensors')
    for name, messages in heard.items():
        for message in messages:
            assert read_sense(message, modalities[name], robot.sources[name]) is not None
            assert message.header.frame_id
    times = np.array([stamp_of(m.clock) for m in clock])
    assert np.all(np.diff(times) > 0)
    # Just before the readings of a moment go out the clock is one physics step short of it.
    assert np.diff(times).min() == pytest.approx(NS / 240, abs=1)
    stamps = np.array([stamp_of(m.header.stamp) for m in heard['camera']])
    assert set(np.diff(stamps) % (NS // 20)) == {0}


def test_it_waits_for_the_controller_and_says_so_and_simulated_time_goes_on(world: Any):
    it = world()
    it.peer.until(
        lambda: any(
            'controller/end_episode is not there' in s.message
            for m in it.diagnostics
            for s in m.status
        ),
        'complaint',
    )
    began = stamp_of(it.joints[-1].header.stamp)
    it.peer.until(lambda: stamp_of(it.joints[-1].header.stamp) - began > NS // 5, 'time')
    it.serve()
    it.until_phase('running')
    assert it.calls == [*EPISODE_SERVICES]


def test_a_controller_that_refuses_is_asked_again(world: Any):
    it = world()
    it.willing = False
    it.serve()
    it.peer.until(lambda: it.calls.count('end_episode') >= 2, 'another try')
    assert 'begin_episode' not in it.calls
    it.willing = True
    it.until_phase('running')


def test_a_controller_that_will_not_begin_is_asked_to_hold_anew_and_the_scene_is_reset_anew(
    world: Any,
):
    it = world()
    resets: list[int] = []
    it.node._simulator.reset = lambda seed, **_: resets.append(seed)
    it.unwilling = {'begin_episode'}
    it.serve()
    it.peer.until(lambda: it.calls.count('begin_episode') >= 2, 'another reset')
    assert len(resets) >= 2
    assert it.calls[:4] == [*EPISODE_SERVICES, *EPISODE_SERVICES]
    assert set(resets) == {0}
    it.unwilling = set()
    it.until_phase('running')


def test_how_long_it_waits_in_vain_is_in_the_log_once(world: Any):
    it = world()
    logged: list[str] = []
    it.node.get_logger().warning = lambda text, **_: logged.append(text)
    it.peer.until(lambda: it.node._trouble(), 'trouble')
    it.node._proceed()
    assert not logged
    it.node._entered_steady_ns -= WAITS_NS
    it.node._proceed()
    waits = 'waiting for the controller to hold: controller/end_episode is not there'
    assert logged[0] == f'{waits}; mmvae explain simulation-waits'


def test_a_controller_that_goes_away_and_comes_back_is_waited_for(world: Any):
    it = world(real_time_factor=4.0)
    it.serve()
    it.until_phase('running')
    it.leave()
    it.peer.until(lambda: 'is not there' in it.diagnostics[-1].status[0].message, 'the complaint')
    assert it.values()['episode'] == '1'
    it.serve()
    it.until_phase('running')
    assert it.calls == [*EPISODE_SERVICES, *EPISODE_SERVICES]


def test_it_obeys_only_while_an_episode_runs(world: Any):
    it = world()
    command = Float64MultiArray(data=[0.0] * 7)
    it.peer.until(lambda: it.joints, 'joint states')
    before = np.array(it.joints[-1].position)
    it.out.publish(command)
    count = len(it.joints)
    it.peer.until(lambda: len(it.joints) > count + 20, 'time')
    assert np.array(it.joints[-1].position) == pytest.approx(before, abs=0.01)
    it.serve()
    it.until_phase('running')
    timer = it.peer.node.create_timer(0.05, lambda: it.out.publish(command))
    it.peer.until(lambda: np.abs(it.joints[-1].position).max() < 0.1, 'obedience')
    timer.cancel()


def test_the_arm_of_the_robot_is_simulated_and_says_where_its_gripper_is_as_well(
    world: Any, iiwa_file: Path
):
    path = iiwa_file.with_name('panda_sim.yaml')
    robot = load_robot(path)
    it = world(robot_file='panda_sim', real_time_factor=2.0)
    it.peer.until(lambda: it.joints, 'joint states')
    assert it.joints[-1].name[7:] == ['panda_finger_joint1', 'panda_finger_joint2']
    assert list(it.joints[-1].position[7:]) == pytest.approx([0.012, 0.012], abs=1e-4)
    sense = next(m for m in robot.modalities if m.name == 'joints')
    read = read_sense(it.joints[-1], sense, robot.sources['joints'])
    assert read.tolist() == list(it.joints[-1].position[:7])
    it.serve()
    it.until_phase('running')
    wanted = [0.2, -0.1, 0.1, -1.7, 0.1, 1.6, 0.5]
    command = Float64MultiArray(data=wanted)
    timer = it.peer.node.create_timer(0.05, lambda: it.out.publish(command))
    it.peer.until(
        lambda: np.abs(np.array(it.joints[-1].position[:7]) - wanted).max() < 0.02, 'obedience'
    )
    timer.cancel()
    assert list(it.joints[-1].position[7:]) == pytest.approx([0.012, 0.012], abs=1e-3)


def test_it_speaks_and_listens_where_the_robot_does(world: Any, iiwa_file: Path, tmp_path: Path):
    text = iiwa_file.read_text(encoding='utf-8')
    for old, new in (
        (
            'topic: camera/image_raw',
            'camera_size: [72, 96]\n    topic: camera/camera/color/image_raw',
        ),
        ('topic: touch', 'topic: force_torque_sensor_broadcaster/wrench'),
        ('topic: joint_command', 'topic: forward_position_controller/commands'),
    ):
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / 'robot.yaml'
    path.write_text(text, encoding='utf-8')
    it = world(robot_file=str(path))
    pictures = it.peer.listen(Image, 'camera/camera/color/image_raw', SENSOR)
    forces = it.peer.listen(WrenchStamped, 'force_torque_sensor_broadcaster/wrench', SENSOR)
    topic = 'forward_position_controller/commands'
    out = it.peer.node.create_publisher(Float64MultiArray, topic, COMMAND)
    it.peer.until(lambda: pictures and forces and it.joints, 'the sensors')
    assert (pictures[0].height, pictures[0].width) == (72, 96)
    it.serve()
    it.until_phase('running')
    timer = it.peer.node.create_timer(0.05, lambda: out.publish(Float64MultiArray(data=[0.0] * 7)))
    it.peer.until(lambda: int(it.values()['commands']) > 0, 'obedience')
    timer.cancel()


def test_a_robot_that_is_commanded_otherwise_is_refused(
    world: Any, iiwa_file: Path, tmp_path: Path
):
    text = iiwa_file.read_text(encoding='utf-8')
    old = 'message: std_msgs/Float64MultiArray '
    assert old in text
    path = tmp_path / 'robot.yaml'
    path.write_text(text.replace(old, 'message: trajectory_msgs/JointTrajectory '))
    with pytest.raises(SimulationError, match='message is trajectory_msgs/JointTrajectory, the'):
        world(robot_file=str(path))


def test_a_robot_with_a_camera_that_would_stay_silent_is_refused(
    world: Any, iiwa_file: Path, tmp_path: Path
):
    text = iiwa_file.read_text(encoding='utf-8')
    path = tmp_path / 'robot.yaml'
    path.write_text(
        text.replace('message: sensor_msgs/Image ', 'message: sensor_msgs/CompressedImage ', 1)
    )
    with pytest.raises(SimulationError, match='camera comes as sensor_msgs/CompressedImage, the'):
        world(robot_file=str(path))


def test_a_command_for_the_gripper_as_well_is_refused(world: Any):
    it = world(robot_file='panda_sim')
    it.node._enter(Phase.RUNNING)
    it.node._simulator.step()
    it.node._on_command(Float64MultiArray(data=[0.0] * 9))
    assert (it.node._commands, it.node._refused) == (0, 1)


def test_a_robot_that_nothing_simulates_is_refused(world: Any):
    with pytest.raises(SimulationError, match=r'ur5e\.yaml: names no arm to simulate'):
        world(robot_file='ur5e')


def test_in_the_first_moment_of_an_episode_it_does_not_obey_yet(world: Any):
    it = world()
    it.node._enter(Phase.RUNNING)
    it.node._on_command(Float64MultiArray(data=[0.0] * 7))
    assert it.node._commands == 0
    it.node._simulator.step()
    it.node._on_command(Float64MultiArray(data=[0.0] * 7))
    assert it.node._commands == 1


@pytest.mark.parametrize('data', [[0.0] * 6, [0.0] * 6 + [float('nan')]])
def test_a_command_that_is_no_command_is_refused_and_counted(world: Any, data: list[float]):
    it = world()
    it.serve()
    it.until_phase('running')
    it.peer.until(it.out.get_subscription_count, 'the listener')
    it.out.publish(Float64MultiArray(data=data))
    it.peer.until(lambda: it.values()['commands refused'] == '1', 'the count')
    assert it.values()['commands'] == '0'


def test_finished_episodes_are_told_and_the_arm_holds_after_the_last(world: Any):
    it = world(episodes=2, seed=7, real_time_factor=4.0)
    it.serve()
    it.until_phase('finished')
    # After the last one the controller is told to hold: it would find that the arm obeys no more.
    assert it.calls[:5] == [*EPISODE_SERVICES, *EPISODE_SERVICES, 'end_episode']
    assert set(it.calls[5:]) <= {'end_episode'}
    told = [{v.key: v.value for v in e.values} for e in it.episodes]
    assert [t['seed'] for t in told] == ['7', '8']
    assert [t['success'] for t in told] == ['False', 'False']
    assert [t['elapsed_s'] for t in told] == ['5', '5']
    count = len(it.joints)
    it.peer.until(lambda: len(it.joints) > count + 5, 'it goes on publishing')


def test_a_controller_that_starts_after_the_last_episode_is_told_to_hold_as_well(world: Any):
    it = world(episodes=1, seed=7, real_time_factor=4.0)
    it.serve()
    it.until_phase('finished')
    it.leave()
    it.calls.clear()
    it.serve()
    it.peer.until(lambda: it.calls, 'the word to hold')
    assert set(it.calls) == {'end_episode'}
    assert it.values()['phase'] == 'finished'


def test_what_moves_by_itself_waits_for_the_controller(world: Any):
    it = world(task='intercept', seed=3)
    it.serve()
    it.until_phase('running')
    task, outcome = it.node._simulator.task, it.node._simulator.outcome()
    now = task.place_m
    it.node._simulator.reset(3)
    way = np.linalg.norm(now - task.place_m)
    assert way == pytest.approx(np.linalg.norm(task.velocity_m_s) * outcome.elapsed_s)


def test_an_episode_that_is_lost_ends_before_its_time_and_says_so(world: Any):
    it = world(task='intercept', episodes=1, seed=5, real_time_factor=4.0)
    it.node._simulator.task.stays_s = 0.5
    it.serve()
    it.until_phase('finished')
    assert it.episodes[0].message == 'lost'
    told = {v.key: v.value for v in it.episodes[0].values}
    assert told['success'] == 'False'
    assert float(told['elapsed_s']) < it.node._simulator.task.time_limit_s


@pytest.mark.timed
def test_simulated_time_keeps_up_with_the_factor(world: Any):
    it = world(real_time_factor=2.0)
    it.peer.until(lambda: len(it.joints) > 200, 'time')
    assert it.node._pace.achieved() == pytest.approx(2.0, rel=0.2)


def set_camera(it: World, state: str) -> Any:
    parameter = Parameter('camera', value=state).to_parameter_msg()
    request = SetParameters.Request(parameters=[parameter])
    return it.peer.call('simulation/set_parameters', SetParameters, request).results[0]


def test_the_camera_can_be_covered_silenced_and_restored_while_it_runs(world: Any):
    it = world()
    pictures = it.peer.listen(Image, 'camera/image_raw', SENSOR)
    it.peer.until(lambda: pictures, 'a picture')
    assert max(pictures[-1].data) > 100
    assert set_camera(it, 'covered').successful
    it.peer.until(lambda: max(pictures[-1].data) < 20, 'darkness')
    # Like a real sensor it is not exactly black, and no picture is like the last one.
    it.peer.until(lambda: bytes(pictures[-1].data) != bytes(pictures[-2].data), 'noise')
    assert len(set(pictures[-1].data)) > 3
    it.peer.until(lambda: it.values().get('camera') == 'covered', 'the status')
    assert set_camera(it, 'silent').successful
    count = len(it.joints)
    it.peer.until(lambda: len(it.joints) > count + 10, 'what was under way')
    heard = len(pictures)
    count = len(it.joints)
    it.peer.until(lambda: len(it.joints) > count + 40, 'half a second')
    assert len(pictures) == heard
    assert set_camera(it, 'works').successful
    it.peer.until(lambda: max(pictures[-1].data) > 100, 'light')


def test_another_state_of_the_camera_is_refused_and_changes_nothing(world: Any):
    it = world(camera='covered')
    answer = set_camera(it, 'broken')
    assert not answer.successful
    assert answer.reason == (
        "parameter camera is 'broken', expected one of works, covered, silent"
    )
    assert it.node._simulator.camera.state == 'covered'


def test_a_camera_that_cannot_begin_so_is_refused(world: Any):
    with pytest.raises(SimulationError, match="parameter camera is 'off', expected one of works"):
        world(camera='off')


def test_in_the_last_episodes_the_camera_is_covered_midway_and_the_episode_says_so(world: Any):
    it = world(task='intercept', episodes=2, seed=3, real_time_factor=4.0, cover_last=1)
    pictures = it.peer.listen(Image, 'camera/image_raw', SENSOR)
    it.serve()
    it.until_phase('finished')
    first, last = [
        read_episode(e.message, {v.key: v.value for v in e.values}) for e in it.episodes
    ]
    assert first.camera_told() == 'works'
    assert last.camera_told() == 'covered after 0.4 s'
    dark_s = [stamp_of(p.header.stamp) / NS for p in pictures if max(p.data) < 20]
    assert min(dark_s) > last.began_s + 0.4
    assert min(dark_s) < last.began_s + 0.6
    assert max(dark_s) <= last.ended_s
    it.peer.until(lambda: max(pictures[-1].data) > 100, 'light after the last episode')


def test_who_uncovers_a_camera_in_the_middle_of_an_episode_has_his_way(world: Any):
    it = world(episodes=1, cover_last=1)
    failure, camera = it.node._camera_failure, it.node._simulator.camera
    failure.watch(0.39)
    assert camera.state == 'works'
    failure.watch(0.41)
    assert camera.state == 'covered'
    assert set_camera(it, 'works').successful
    failure.watch(0.5)
    assert camera.state == 'works'
    assert failure.end() == {'camera': 'covered', 'camera_failed_after_s': 0.41}


def test_a_camera_that_is_set_to_fail_stays_so_and_every_episode_says_so(world: Any):
    it = world(camera='silent', episodes=2, cover_last=1)
    failure, camera = it.node._camera_failure, it.node._simulator.camera
    for episode in range(2):
        failure.begin(episode)
        failure.watch(1.0)
        assert camera.state == 'silent'
        assert failure.end() == {'camera': 'silent', 'camera_failed_after_s': 0.0}
        assert camera.state == 'silent'


@pytest.mark.parametrize(
    ('parameters', 'told'),
    [
        ({'cover_last': 1}, 'cover_last is 1, expected 0 to 0'),
        ({'episodes': 2, 'cover_last': 3}, 'cover_last is 3, expected 0 to 2'),
        ({'episodes': 2, 'cover_last': -1}, 'cover_last is -1'),
        ({'cover_after_s': -0.1}, 'cover_after_s is -0.1'),
        ({'cover_after_s': float('nan')}, 'cover_after_s is nan'),
    ],
)
def test_a_covering_that_cannot_be_is_refused(world: Any, parameters: dict[str, Any], told: str):
    with pytest.raises(SimulationError, match=told):
        world(**parameters)
