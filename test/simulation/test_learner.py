"""A model drives without its senses, and the expert says what is right."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
import shutil

from mmvae_controller.control.network import Network
from mmvae_controller.control.window import NS
from mmvae_controller.datasets.errors import DatasetError
from mmvae_controller.datasets.store import Dataset
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.observation import CURRENT
from mmvae_controller.simulation import collect as collecting
from mmvae_controller.simulation.collect import collect, CollectSettings
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.simulation.expert import Expert
from mmvae_controller.simulation.learner import draw_losses, learner_drives, Witness
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
MODEL = ROOT / 'models' / 'touch_target'
INTERCEPT = ROOT / 'models' / 'intercept'
LOST_S = 0.3
CAMERA, TOUCH = 0, 2
SETTINGS = CollectSettings(
    str(ROOT / 'config' / 'robots' / 'iiwa_sim.yaml'),
    'touch_target',
    episodes=2,
    seed=11,
    learner=str(MODEL),
    learner_share=0.5,
)


@pytest.fixture(scope='module')
def collected(tmp_path_factory):
    """Collect the same two episodes with a learner that loses camera and touch, and without.

    Return the folders by name; what the learner was told, freshness of the camera and of the
    touch at t; and whatever the expert answered.
    """
    folders = {name: tmp_path_factory.mktemp(name) for name in ('with', 'without')}
    told, right = [], []
    decode, velocity = Network.decode_one, Expert.velocity

    def spied(network, observation, known, names):
        told.append([float(known[row, CURRENT]) for row in (CAMERA, TOUCH)])
        return decode(network, observation, known, names)

    def overheard(expert):
        right.append(velocity(expert))
        return right[-1]

    def losses(robot, time_limit_s, random):
        assert time_limit_s == 5.0
        return {'camera': LOST_S, 'touch': 0.0}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collecting, 'draw_losses', losses)
        patch.setattr(Network, 'decode_one', spied)
        list(collect(replace(SETTINGS, learner=''), folders['without'], 1))
        patch.setattr(Expert, 'velocity', overheard)
        list(collect(SETTINGS, folders['with'], 1))
    return folders, np.array(told), np.array(right, dtype=np.float32)


def rows_of(folder, episode):
    data = Dataset(folder)
    rows = np.flatnonzero(data.episode == episode)
    return {name: data.column(name, rows) for name in ('camera', 'joints', 'motor', 'label')}


def test_what_the_learner_has_lost_is_recorded_all_the_same(collected):
    folders, told, _ = collected
    camera, touch = told.T
    # The camera grows old, half a second and more; the touch was never there.
    assert camera[camera > 0].min() < 1 / 1.5
    assert camera.max() > 0.9
    assert not touch.any()
    data = Dataset(folders['with'])
    assert data.known[np.arange(len(data))].all()
    # The arm moves in the pictures to the end, long after the model has seen the last of them.
    late = rows_of(folders['with'], 1)['camera'][round(LOST_S / data.description.period_s) + 4 :]
    assert len(late) > 10
    assert all((a != b).any() for a, b in pairwise(late[:9]))


def test_the_learner_moves_the_arm_and_the_expert_says_what_is_right(collected):
    folders, _, right = collected
    led = rows_of(folders['with'], 1)
    moved = np.diff(led['joints'], axis=0) * SETTINGS.record_hz
    assert np.corrcoef(moved.ravel(), led['motor'][:-1].ravel())[0, 1] > 0.9
    assert np.abs(led['motor'] - led['label']).max() > 0.1
    # In their order, and to the last bit, among all that the expert ever said.
    answers = iter(right)
    assert all(any(np.array_equal(label, answer) for answer in answers) for label in led['label'])


def test_the_experts_episodes_are_what_they_would_be_without_a_learner(collected):
    def alike(episode):
        ours, theirs = (rows_of(folder, episode) for folder in collected[0].values())
        return all(np.array_equal(ours[name], theirs[name]) for name in ours)

    assert alike(0)
    assert not alike(1)


def test_a_learner_that_does_not_fit_spoils_no_folder(tmp_path):
    robot = tmp_path / 'robot.yaml'
    text = Path(SETTINGS.robot_file).read_text(encoding='utf-8')
    robot.write_text(text.replace('shape: [64, 64, 3]', 'shape: [32, 32, 3]'), encoding='utf-8')
    with pytest.raises(ModalityError, match='does not fit robot'):
        list(collect(replace(SETTINGS, robot_file=str(robot)), tmp_path / 'data', 1))
    assert not (tmp_path / 'data').exists()


def test_a_robot_that_is_led_by_goals_has_no_learner(tmp_path):
    robot = ROOT / 'config' / 'robots' / 'iiwa_imitate.yaml'
    wanted = replace(
        SETTINGS, robot_file=str(robot), task='imitate', learner=str(ROOT / 'models' / 'imitate')
    )
    with pytest.raises(SimulationError, match='led by goals'):
        list(collect(wanted, tmp_path / 'data', 1))


def test_while_the_arm_is_held_the_expert_says_what_would_be_right_then(tmp_path, monkeypatch):
    text = (ROOT / 'config' / 'robots' / 'iiwa_intercept.yaml').read_text(encoding='utf-8')
    robot = tmp_path / 'robot.yaml'
    robot.write_text(
        text.replace('max_prediction_s: 3.0', 'max_prediction_s: off'), encoding='utf-8'
    )
    monkeypatch.setattr(collecting, 'draw_losses', lambda *_: {'camera': LOST_S})
    wanted = replace(
        SETTINGS, robot_file=str(robot), task='intercept', learner=str(INTERCEPT), episodes=1
    )
    list(collect(replace(wanted, learner_share=1.0), tmp_path / 'data', 1))
    led = rows_of(tmp_path / 'data', 0)
    still = np.flatnonzero(np.abs(np.diff(led['joints'], axis=0)).max(axis=1) < 1e-4)
    assert len(still) > 10
    # The arm stands, the ball rolls: what is right is another thing each time.
    assert len(np.unique(led['label'][still], axis=0)) == len(still)


def test_with_the_losses_that_are_drawn_a_run_can_be_repeated(tmp_path):
    folders = [tmp_path / name for name in ('one', 'other')]
    for folder in folders:
        list(collect(replace(SETTINGS, learner_share=1.0), folder, 1))
    ones, others = ([rows_of(folder, episode) for episode in (0, 1)] for folder in folders)
    for one, other in zip(ones, others, strict=True):
        assert all(np.array_equal(one[name], other[name]) for name in one)


def test_the_learner_is_told_by_its_network_and_not_by_where_it_lies(tmp_path):
    moved = tmp_path / 'moved'
    shutil.copytree(MODEL, moved)
    data, settings = tmp_path / 'data', replace(SETTINGS, episodes=1)
    list(collect(settings, data, 1))
    sha256 = Network(MODEL).contract.checksums['network.onnx']
    told = Dataset(data).description.provenance
    assert (told['learner'], told['learner_sha256']) == ('touch_target', sha256)
    assert list(collect(replace(settings, learner=str(moved)), data, 1)) == []
    shutil.rmtree(moved)
    shutil.copytree(ROOT / 'models' / 'press', moved)
    with pytest.raises(DatasetError, match='was begun with learner_sha256'):
        list(collect(replace(settings, learner=str(moved)), data, 1))


def test_a_learner_that_is_exchanged_on_the_way_is_not_mixed_in(tmp_path, monkeypatch):
    learner = tmp_path / 'learner'
    shutil.copytree(MODEL, learner)

    def exchange(*_):
        shutil.rmtree(learner)
        shutil.copytree(ROOT / 'models' / 'press', learner)

    monkeypatch.setattr(collecting, 'check_learner', exchange)
    with pytest.raises(SimulationError, match='became another model'):
        list(collect(replace(SETTINGS, learner=str(learner)), tmp_path / 'data', 1))
    assert not list((tmp_path / 'data').glob('shard-*'))


def test_a_share_that_is_none_is_refused():
    with pytest.raises(SimulationError, match=r'learner_share is 1\.5'):
        replace(SETTINGS, learner_share=1.5)


@pytest.mark.parametrize('share', [0.0, 0.25, 0.4, 1.0])
def test_so_many_episodes_are_led(share):
    led = [learner_drives(episode, share) for episode in range(100)]
    assert sum(led) == round(100 * share)
    assert sum(led[:20]) == round(20 * share)


def test_what_says_where_the_arm_stands_is_never_lost_and_what_is_required_only_later(iiwa):
    random = np.random.default_rng(0)
    drawn = [draw_losses(iiwa, 5.0, random) for _ in range(300)]
    assert not any(iiwa.anchor in lost_s for lost_s in drawn)
    camera = [lost_s['camera'] for lost_s in drawn if 'camera' in lost_s]
    touch = [lost_s['touch'] for lost_s in drawn if 'touch' in lost_s]
    assert min(camera) >= iiwa.step_s
    assert max(camera) <= 2.0
    assert 0.3 < np.mean([lost_s == 0 for lost_s in touch]) < 0.7
    assert 0.6 < len(camera) / 300 < 0.8


def test_a_witness_sees_what_it_keeps_from_others(iiwa):
    witness = Witness(iiwa, {'touch': 0.0, 'joints': LOST_S})
    told = []
    for step in range(5):
        now_ns = round(step * 0.1 * NS)
        values = {'touch': np.full(3, step), 'joints': np.full(7, 0.1 * step)}
        told.append(set(witness(values, now_ns)))
    assert told == [{'joints'}, {'joints'}, {'joints'}, set(), set()]
    there = witness.window.read(round(0.4 * NS))
    names = [m.name for m in iiwa.modalities]
    assert there.known[[names.index('touch'), names.index('joints')], CURRENT].all()
    assert there.values['touch'][CURRENT, 0] == 4
