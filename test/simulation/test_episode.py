"""Episodes without ROS, through the same controller as on the robot."""

from dataclasses import replace

from mmvae_controller.control.controller import Controller
from mmvae_controller.control.window import NS
from mmvae_controller.modality.pictures import PictureFormat
from mmvae_controller.simulation.episode import blackout, ticks, wire
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.simulation.expert import Expert, NoisyExpert
from mmvae_controller.simulation.simulator import Simulator, simulator_of
from mmvae_controller.simulation.tasks.reach import JOINT_SPEED_RAD_S
from mmvae_controller.simulation.tasks.task import make_task
import numpy as np
import pytest


@pytest.fixture(scope='module')
def simulator(iiwa_arm):
    simulator = Simulator(make_task('touch_target'), iiwa_arm)
    yield simulator
    simulator.close()


@pytest.mark.parametrize('camera_size', [None, [144, 192], [480, 640]])
def test_the_camera_delivers_as_the_robots_and_the_model_sees_what_was_drawn(
    load, iiwa_data, camera_size
):
    camera = iiwa_data['modalities']['camera']
    camera['shape'] = [48, 64, 3]
    if camera_size:
        camera['camera_size'] = camera_size
    robot = load(iiwa_data)
    simulator = simulator_of(robot, 'touch_target')
    try:
        simulator.reset(3)
        readings, drawn = simulator.readings(), simulator.camera.picture()
        seen = wire(robot, simulator).values(readings)['camera']
    finally:
        simulator.close()
    assert readings.camera.shape == (*(camera_size or [48, 64]), 3)
    assert drawn.std() > 10
    assert np.array_equal(seen, drawn)


def test_a_robot_with_two_cameras_is_refused(load, iiwa_data):
    camera = iiwa_data['modalities']['camera']
    iiwa_data['modalities']['wrist'] = camera | {'shape': [32, 32, 3], 'camera_size': [64, 64]}
    with pytest.raises(SimulationError, match=r'camera and wrist are pictures.* has one camera'):
        simulator_of(load(iiwa_data), 'touch_target')


@pytest.fixture
def blind(iiwa, monkeypatch, simulator):
    """Return a robot content with black pictures, and draw nothing: that is most of the time."""
    picture = np.zeros((64, 64, 3), dtype=np.uint8)
    monkeypatch.setattr(simulator.camera, 'picture', lambda: picture)
    return iiwa.taking_every_picture()


def run(simulator, robot, seed, policy=None, **options):
    controller = Controller(robot, robot.modalities, robot.step_s, policy or Expert(simulator))
    return ticks(simulator, controller, wire(robot, simulator), seed, **options)


def test_the_expert_solves_the_task(simulator, blind):
    solved = []
    for seed in range(20):
        for _ in run(simulator, blind, seed):
            pass
        solved.append(simulator.outcome().success)
    assert sum(solved) >= 19, solved


def test_ticks_come_at_the_control_rate_and_command_what_was_decided(simulator, blind):
    seen = [t for t, _ in zip(run(simulator, blind, 3), range(10), strict=False)]
    gaps = np.diff([t.observation.stamp_ns for t in seen])
    np.testing.assert_allclose(gaps, NS / blind.rate_hz, atol=1)
    assert all(t.decision is not None and not t.missing for t in seen)


def test_an_episode_goes_on_for_a_while_after_the_success(simulator, blind):
    short = sum(1 for _ in run(simulator, blind, 3))
    ended_s = simulator.outcome().elapsed_s
    long = sum(1 for _ in run(simulator, blind, 3, linger_s=0.5))
    assert long - short == pytest.approx(0.5 * blind.rate_hz, abs=1)
    assert simulator.outcome().elapsed_s == pytest.approx(ended_s + 0.5, abs=0.01)


def test_what_is_lost_ends_the_episode_at_once(simulator, blind, monkeypatch):
    standing = simulator.task.standing
    monkeypatch.setattr(
        simulator.task, 'standing', lambda arm: replace(standing(arm), success=False, lost=True)
    )
    assert sum(1 for _ in run(simulator, blind, 3, linger_s=0.5)) == 1
    assert not simulator.outcome().success


def test_a_distortion_is_asked_whenever_readings_are_due_and_may_remember(simulator, blind):
    asked = []

    def distort(values, now_ns):
        asked.append((now_ns - begin_ns, set(values)))
        return {n: v * 0 + len(asked) if n == 'touch' else v for n, v in values.items()}

    begin_ns = simulator.time_ns + -simulator.time_ns % (NS // 20)
    episode = run(simulator, blind, 3, distort=distort)
    felt = [next(episode).observation.values['touch'][1][0] for _ in range(5)]
    times_ns = [t for t, _ in asked]
    np.testing.assert_allclose(times_ns, np.arange(len(asked)) * NS / 80, atol=1)
    assert asked[0][1] == {'camera', 'joints', 'touch'}
    assert asked[1][1] == {'joints', 'touch'}
    assert felt == [1, 3, 5, 7, 9]


def test_a_blackout_blackens_pictures_and_nothing_else(simulator, iiwa):
    dark = blackout(iiwa)
    values = {
        'camera': np.full((64, 64, 3), 7, dtype=np.uint8),
        'joints': np.ones(7),
        'touch': np.ones(3),
    }
    distorted = dark(values, 0)
    assert not distorted['camera'].any()
    assert distorted['camera'].shape == (64, 64, 3)
    assert values['camera'].any()
    assert np.array_equal(distorted['joints'], values['joints'])
    assert np.array_equal(distorted['touch'], values['touch'])
    first = next(run(simulator, iiwa.taking_every_picture(), 1, distort=dark)).observation
    assert first.known[0, 1]
    assert not first.values['camera'][1].any()


def test_a_black_picture_is_missing_for_a_robot_that_asks_for_contrast(simulator, iiwa):
    tick = next(run(simulator, iiwa, 1, distort=blackout(iiwa)))
    assert tick.missing == ('camera',)
    assert tick.decision.holding


def test_without_blackout_the_picture_shows_the_ball(simulator, iiwa):
    picture = next(run(simulator, iiwa, 1)).observation.values['camera'][1].astype(int)
    red = (picture[..., 0] > 120) & (picture[..., 1] < 60) & (picture[..., 2] < 60)
    assert 3 < red.sum() < 400


def test_the_expert_never_asks_for_more_than_its_speed(simulator, blind):
    for tick in run(simulator, blind, 5):
        assert np.abs(tick.estimate.mean).max() <= JOINT_SPEED_RAD_S + 1e-9


def test_the_noisy_expert_keeps_the_right_command_beside_the_disturbed_one(simulator, blind):
    noisy = NoisyExpert(Expert(simulator), 0.5, 5, np.random.default_rng(1))
    led_astray = 0
    for tick in run(simulator, blind, 5, policy=noisy):
        assert noisy.clean.shape == (7,)
        led_astray += not np.array_equal(tick.estimate.mean, noisy.clean)
    assert led_astray > 0


@pytest.mark.parametrize('rate_hz', [50, 480, 7.5])
def test_a_control_rate_that_the_physics_cannot_keep_is_refused(simulator, iiwa, rate_hz):
    robot = replace(iiwa, rate_hz=rate_hz)
    if 240 % rate_hz == 0:
        next(run(simulator, robot, 1))
        return
    with pytest.raises(SimulationError, match=f'rate_hz {rate_hz:g} .* does not divide'):
        next(run(simulator, robot, 1))


def change(robot, name, **fields):
    modalities = [replace(m, **fields) if m.name == name else m for m in robot.modalities]
    return replace(robot, modalities=tuple(modalities))


def test_a_robot_of_other_joints_is_refused(simulator, iiwa):
    output = replace(iiwa.output, joints=iiwa.output.joints[::-1])
    with pytest.raises(SimulationError, match=r'commands joints .* the simulation has'):
        wire(replace(iiwa, output=output), simulator)


def test_a_robot_that_reads_a_sensor_in_another_order_is_refused(simulator, iiwa):
    joints = iiwa.modalities[1].channels[::-1]
    with pytest.raises(SimulationError, match=r'joints of .* has joints'):
        wire(change(iiwa, 'joints', channels=joints), simulator)
    turned = ('force.z', 'force.y', 'force.x')
    with pytest.raises(SimulationError, match=r"touch of .* has channels \['force.z'"):
        wire(change(iiwa, 'touch', channels=turned), simulator)


def test_a_robot_that_expects_other_colours_is_refused(simulator, iiwa):
    camera = replace(iiwa.sources['camera'], picture=PictureFormat('bgr8'))
    with pytest.raises(SimulationError, match='has encoding bgr8, the simulation draws rgb8'):
        wire(replace(iiwa, sources=iiwa.sources | {'camera': camera}), simulator)


def test_a_robot_without_camera_has_none_wired(simulator, iiwa):
    sources = {n: s for n, s in iiwa.sources.items() if n != 'camera'}
    assert wire(replace(iiwa, sources=sources), simulator).camera is None
