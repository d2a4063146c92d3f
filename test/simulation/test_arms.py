"""Which arm is simulated is a matter of files: those that ship, and one of one's own."""

from dataclasses import replace
import xml.etree.ElementTree as ElementTree

from mmvae_controller.control.controller import Controller
from mmvae_controller.control.policy import Estimate
from mmvae_controller.datasets.store import Dataset
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.simulation import arm_urdf
from mmvae_controller.simulation.arm import Arm
from mmvae_controller.simulation.arm_file import arm_of, Drawn, load_arm
from mmvae_controller.simulation.arm_urdf import urdf_with_finger
from mmvae_controller.simulation.collect import collect, CollectSettings
from mmvae_controller.simulation.episode import ticks, wire
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.simulation.expert import Expert
from mmvae_controller.simulation.simulator import PHYSICS_HZ, Simulator
from mmvae_controller.simulation.tasks.postures import START_HEIGHT_M
from mmvae_controller.simulation.tasks.reach import approach, from_above, joint_velocity
from mmvae_controller.simulation.tasks.sector import Sector
from mmvae_controller.simulation.tasks.task import make_task, TASKS
import numpy as np
import pybullet
import pytest
import yaml

SEEDS = range(10)
STEP_RAD = 1e-3
# One that this package knows nothing of: six joints, no gripper.
OWN_ARM = {
    'urdf': 'xarm/xarm6_robot.urdf',
    'drawn': 'collision',
    'joints': [f'joint{i}' for i in range(1, 7)],
    'motor_force_nm': [50, 50, 32, 32, 32, 20],
    'finger': {'link': 'link6', 'from_m': 0.0, 'length_m': 0.12},
    'home_rad': [0, -0.1, -1.3, 0, 1.4, 0],
    'spread_rad': [1.2, 0.3, 0.4, 0.5, 0.3, 1.0],
    'reach_m': [0.42, 0.6],
}


@pytest.fixture(scope='module', params=['iiwa', 'panda'])
def named(request, arms):
    """Return the name of an arm that ships, and the arm."""
    return request.param, arms[request.param]


@pytest.fixture(scope='module')
def simulator(named):
    simulator = Simulator(make_task('touch_target'), named[1])
    yield simulator
    simulator.close()


@pytest.fixture
def robot(named, iiwa_file):
    return load_robot(iiwa_file.with_name(f'{named[0]}_sim.yaml'))


@pytest.fixture
def own(tmp_path, iiwa_data):
    """Return what writes the arm of one's own, with changes, and the robot beside it."""

    def write(**changes):
        (tmp_path / 'my_arm.yaml').write_text(yaml.safe_dump(OWN_ARM | changes))
        data = iiwa_data | {'robot': 'my_robot', 'simulation': {'arm': 'my_arm.yaml'}}
        for name in ('joints', 'motor'):
            data['modalities'][name]['joints'] = OWN_ARM['joints']
        limits = data['modalities']['motor']['output']['limits']
        limits |= {key: numbers[:6] for key, numbers in limits.items()}
        limits |= {'lower_rad': [-6, -2, -3.9, -6, -1.6, -6], 'upper_rad': [6, 2, 0.1, 6, 3, 6]}
        path = tmp_path / 'my_robot.yaml'
        path.write_text(yaml.safe_dump(data, sort_keys=False))
        return path

    return write


class MeanPlace:
    """Goes over the middle of where balls lie and comes down there, whatever the scene."""

    def __init__(self, simulator):
        self.arm = simulator.arm
        places = []
        for seed in range(50):
            simulator.reset(seed)
            places.append(simulator.task.place_m)
        self.place_m = np.mean(places, axis=0)

    def decide(self, observation):
        offset = self.place_m - self.arm.fingertip_position()
        velocity = joint_velocity(self.arm, approach(from_above(offset)))
        return Estimate(velocity, np.zeros_like(velocity))


def successes(simulator, robot, policy, seeds=SEEDS):
    """Return how many episodes a policy solves; nothing is drawn: that is most of the time."""
    blank = np.zeros((64, 64, 3), dtype=np.uint8)
    simulator.camera.picture = lambda: blank
    robot, found = robot.taking_every_picture(), 0
    for seed in seeds:
        controller = Controller(robot, robot.modalities, robot.step_s, policy)
        for _ in ticks(simulator, controller, wire(robot, simulator), seed):
            pass
        found += simulator.outcome().success
    del simulator.camera.picture
    return found


def test_the_expert_touches_every_ball(simulator, robot):
    assert successes(simulator, robot, Expert(simulator)) == len(SEEDS)


def test_who_goes_to_the_mean_place_touches_none(simulator, robot):
    assert successes(simulator, robot, MeanPlace(simulator)) == 0


@pytest.mark.parametrize('task', [name for name in TASKS if name != 'touch_target'])
def test_the_expert_does_every_other_task_as_well(named, robot, task):
    simulator = Simulator(make_task(task), named[1])
    simulator.views_watched = False
    try:
        assert successes(simulator, robot, Expert(simulator), range(2)) == 2
    finally:
        simulator.close()


def test_the_robot_that_ships_may_stand_wherever_an_episode_begins(simulator, robot):
    arm, limits = simulator.arm, robot.output.limits
    assert np.all(arm.home_rad - arm.spread_rad > limits.lower_rad)
    assert np.all(arm.home_rad + arm.spread_rad < limits.upper_rad)
    assert np.all(limits.lower_rad > arm.lower_rad)
    assert np.all(limits.upper_rad < arm.upper_rad)
    for seed in SEEDS:
        simulator.reset(seed)
        assert simulator.arm.fingertip_position()[2] > START_HEIGHT_M
        assert simulator.camera.read().std() > 0


def test_the_jacobian_is_how_the_fingertip_moves(simulator, random):
    arm = simulator.arm
    for _ in range(5):
        posture = arm.home_rad + random.uniform(-1, 1, len(arm.joints)) * arm.spread_rad
        arm.set_posture(posture)
        before, jacobian = arm.fingertip_position(), arm.fingertip_jacobian(posture)
        assert jacobian.shape == (6, len(arm.joints))
        for joint, column in enumerate(jacobian[:3].T):
            moved = posture.copy()
            moved[joint] += STEP_RAD
            arm.set_posture(moved)
            found = (arm.fingertip_position() - before) / STEP_RAD
            np.testing.assert_allclose(found, column, atol=2e-3)


def test_the_gripper_of_the_panda_is_held_while_it_moves_and_closes_when_it_was_opened(arms):
    simulator = Simulator(make_task('touch_target'), arms['panda'])
    try:
        simulator.reset(1)
        arm = simulator.arm
        assert arm.held_names == ('panda_finger_joint1', 'panda_finger_joint2')
        assert arm.joint_names == tuple(f'panda_joint{i}' for i in range(1, 8))
        for step in range(PHYSICS_HZ):
            simulator.command(arm.home_rad + 0.3 * np.sin(6 * step / PHYSICS_HZ))
            simulator.step()
            np.testing.assert_allclose(arm.held_state()[0], 0.012, atol=1e-3)
        pybullet.resetJointState(arm.body, arm.held[0], 0.02, physicsClientId=simulator.client)
        for _ in range(PHYSICS_HZ):
            simulator.step()
        np.testing.assert_allclose(arm.held_state()[0], 0.012, atol=1e-3)
        simulator.reset(2)
        assert arm.held_state() == ([0.012, 0.012], [0.0, 0.0])
    finally:
        simulator.close()


def test_an_arm_of_ones_own_needs_files_and_no_code(own, tmp_path):
    robot = load_robot(own())
    simulator = Simulator(make_task('touch_target'), arm_of(robot))
    try:
        assert successes(simulator, robot, Expert(simulator)) >= 9
        for seed in SEEDS:
            simulator.reset(seed)
            assert 0.42 <= np.hypot(*simulator.task.place_m[:2]) <= 0.6
    finally:
        simulator.close()
    settings = CollectSettings(str(robot.path), 'touch_target', episodes=1, seed=5)
    list(collect(settings, tmp_path / 'data', 1))
    assert Dataset(tmp_path / 'data').column('joints', np.arange(3)).shape == (3, 6)


@pytest.mark.parametrize(
    ('changes', 'told'),
    [
        ({'urdf': 'nowhere.urdf'}, r"urdf 'nowhere.urdf' is not there; looked at .*pybullet_data"),
        ({'drawn': 'both'}, "drawn is 'both', expected one of"),
        ({'joints': []}, 'joints is .*, expected different names'),
        ({'joints': ['joint1'] * 6}, 'joints is .*, expected different names'),
        ({'home_rad': [0] * 7}, 'home_rad has 7 numbers, expected one for each of the 6 joints'),
        ({'spread_rad': [-1] * 6}, 'spread_rad is .*, expected no negative number'),
        ({'motor_force_nm': [-1] * 6}, 'motor_force_nm is .*, expected no negative number'),
        ({'held': {'joint2': 0.0}}, 'held: joint2 is commanded as well'),
        ({'reach_m': [0.6, 0.4]}, 'reach_m is .*, expected two distances'),
        ({'finger': {'link': 'link6', 'from_m': 0}}, 'finger: length_m is missing'),
        ({'fingers': 2}, 'unknown key fingers'),
    ],
)
def test_a_file_that_says_too_little_or_nonsense_is_refused(own, changes, told):
    with pytest.raises(ModalityError, match=rf'my_arm\.yaml.*{told}'):
        arm_of(load_robot(own(**changes)))


@pytest.mark.parametrize(
    ('changes', 'told'),
    [
        ({'finger': OWN_ARM['finger'] | {'link': 'hand'}}, "link is 'hand', expected one of"),
        ({'joints': [*OWN_ARM['joints'][:5], 'wrist']}, 'wrist is no joint that moves'),
        ({'held': {'lid': 0.0}}, 'lid is no joint that moves'),
        ({'home_rad': [0, -2, -1.3, 0, 1.4, 0]}, 'joint2 begins between -2.3 and -1.7 rad'),
    ],
)
def test_a_file_that_does_not_fit_its_urdf_is_refused(own, changes, told):
    arm = load_arm(own(**changes).with_name('my_arm.yaml'))
    client = pybullet.connect(pybullet.DIRECT)
    try:
        with pytest.raises(SimulationError, match=rf'my_arm\.yaml: .*{told}'):
            Arm(client, arm)
    finally:
        pybullet.disconnect(client)


@pytest.mark.parametrize(
    ('name', 'changes', 'told'),
    [
        ('panda_finger_joint1', {'held': {}}, 'panda_finger_joint1, .* moves, expected it in'),
        ('panda_finger_joint1', {'joints': True}, 'panda_finger_joint1 does not turn'),
    ],
)
def test_who_moves_each_joint_has_to_be_said_and_set_points_are_angles(arms, name, changes, told):
    panda = arms['panda']
    if 'joints' in changes:
        held = {n: at for n, at in panda.held.items() if n != name}
        changes = {'joints': (*panda.joints, name), 'held': held}
    client = pybullet.connect(pybullet.DIRECT)
    try:
        with pytest.raises(SimulationError, match=told):
            Arm(client, replace(panda, **changes))
    finally:
        pybullet.disconnect(client)


def test_what_pybullet_or_xml_cannot_read_is_refused_by_name(own, tmp_path):
    urdf = tmp_path / 'broken.urdf'
    urdf.write_text('<robot')
    arm = arm_of(load_robot(own(urdf='broken.urdf')))
    assert arm.urdf == urdf
    with pytest.raises(SimulationError, match=r'broken\.urdf: cannot be read as a URDF'):
        urdf_with_finger(arm)
    urdf.write_text('<robot name="a"/>')
    with pytest.raises(SimulationError, match=r'expected one of .*: none; is it a xacro file\?'):
        urdf_with_finger(arm)


@pytest.mark.parametrize(
    'name',
    ['meshes/link.stl', 'package://arm_description/meshes/link.stl', 'package://meshes/link.stl'],
)
def test_meshes_are_found_beside_the_urdf_and_in_a_package_above_it(own, tmp_path, name):
    place = tmp_path / 'arm_description' / 'urdf' / 'arm.urdf'
    mesh = tmp_path / 'arm_description' / 'meshes' / 'link.stl'
    if not name.startswith('package'):
        mesh = place.parent / 'meshes' / 'link.stl'
    for path in (place, mesh):
        path.parent.mkdir(parents=True, exist_ok=True)
    mesh.touch()
    place.write_text(
        f'<robot name="a"><link name="link6"><visual><geometry><mesh filename="{name}"/>'
        '</geometry></visual></link></robot>'
    )
    arm = arm_of(load_robot(own(urdf=str(place))))
    (found,) = ElementTree.fromstring(urdf_with_finger(arm)).iter('mesh')
    assert found.get('filename') == str(mesh)
    mesh.unlink()
    if name.startswith('package'):
        with pytest.raises(SimulationError, match=f'mesh {name} is neither in a folder above'):
            urdf_with_finger(arm)


def test_meshes_are_found_by_absolute_path_and_in_an_installed_package(own, tmp_path, monkeypatch):
    meshes = tmp_path / 'share' / 'meshes'
    meshes.mkdir(parents=True)
    (meshes / 'link.stl').touch()
    urdf = tmp_path / 'urdf' / 'arm.urdf'
    urdf.parent.mkdir()
    arm = arm_of(load_robot(own()))
    monkeypatch.setattr(
        arm_urdf, 'share_of', lambda name: tmp_path / 'share' if name == 'arm_meshes' else None
    )
    for name in (f'file://{meshes}/link.stl', 'package://arm_meshes/meshes/link.stl'):
        urdf.write_text(
            f'<robot name="a"><link name="link6"><visual><geometry><mesh filename="{name}"/>'
            '</geometry></visual></link></robot>'
        )
        (found,) = ElementTree.fromstring(urdf_with_finger(replace(arm, urdf=urdf))).iter('mesh')
        assert found.get('filename') == str(meshes / 'link.stl')


def test_an_arm_can_be_drawn_as_what_it_collides_with_in_its_own_colours(arms):
    panda = arms['panda']
    assert panda.drawn is Drawn.COLLISION

    def meshes(drawn, kind):
        root = ElementTree.fromstring(urdf_with_finger(replace(panda, drawn=drawn)))
        return [m.get('filename') for k in root.iter(kind) for m in k.iter('mesh')]

    collisions = meshes(Drawn.VISUAL, 'collision')
    assert meshes(Drawn.COLLISION, 'visual') == meshes(Drawn.COLLISION, 'collision') == collisions
    assert meshes(Drawn.VISUAL, 'visual') != collisions
    root = ElementTree.fromstring(urdf_with_finger(panda))
    assert all(v.find('material') is not None for v in root.iter('visual'))


def test_a_robot_that_names_no_arm_or_one_of_other_joints_is_refused(iiwa, tmp_path):
    with pytest.raises(SimulationError, match=r'iiwa_sim\.yaml: names no arm to simulate'):
        arm_of(replace(iiwa, arm=''))
    with pytest.raises(SimulationError, match=r"commands joints \['lbr_.* has \['panda_joint1'"):
        arm_of(replace(iiwa, arm='panda'))
    with pytest.raises(ModalityError, match="no arm 'crane'; there are iiwa, panda; looked at"):
        arm_of(replace(iiwa, arm='crane'))
    settings = CollectSettings(
        str(iiwa.path.with_name('ur5e.yaml')), 'touch_target', episodes=1, seed=0
    )
    with pytest.raises(SimulationError, match=r'ur5e\.yaml: names no arm'):
        list(collect(settings, tmp_path / 'data', 1))
    assert not (tmp_path / 'data').exists()


def test_a_sector_is_cut_to_what_an_arm_reaches():
    sector = Sector(0.42, 0.78, 1.0)
    assert sector.within((0.42, 0.78)) == sector
    assert sector.within((0.5, 0.6)) == Sector(0.5, 0.6, 1.0)
    assert sector.within((0.1, 0.6)) == Sector(0.42, 0.6, 1.0)
    with pytest.raises(
        SimulationError, match=r'reaches the floor from 0.1 to 0.4 m .*0.42 to 0.78'
    ):
        sector.within((0.1, 0.4))


@pytest.mark.parametrize('task', ['touch_target', 'press', 'intercept'])
def test_the_things_of_a_task_lie_where_the_arm_reaches(arms, task):
    simulator = Simulator(make_task(task), replace(arms['iiwa'], reach_m=(0.5, 0.65)))
    try:
        for seed in range(20):
            simulator.reset(seed)
            assert 0.5 <= np.hypot(*simulator.task.place_m[:2]) <= 0.65
    finally:
        simulator.close()
