"""A model drives without its senses, and the expert says what is right."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from mmvae_controller.control.network import Network
from mmvae_controller.control.window import NS
from mmvae_controller.datasets.store import Dataset
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.observation import CURRENT
from mmvae_controller.simulation import collect as collecting
from mmvae_controller.simulation import learner as learning
from mmvae_controller.simulation.collect import collect, CollectSettings
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.simulation.learner import draw_losses, learner_drives, Witness
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
MODEL = ROOT / 'models' / 'touch_target'
LOST_S = 0.3
SETTINGS = CollectSettings(
    str(ROOT / 'config' / 'robots' / 'iiwa_sim.yaml'),
    'touch_target',
    episodes=2,
    seed=11,
    learner=str(MODEL),
    learner_share=0.5,
)


@pytest.fixture(scope='module')
def collected(tmp_path_factory, in_this_process):
    """Collect the same two episodes with a learner that loses the camera, and without.

    Return the folders by name, and how old the camera was whenever the learner was asked.
    """
    folders = {name: tmp_path_factory.mktemp(name) for name in ('with', 'without')}
    ages_s = []
    decode = Network.decode_one

    def spied(network, observation, known, names):
        ages_s.append(float(observation.age_s[0, CURRENT]))
        return decode(network, observation, known, names)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collecting, 'ProcessPoolExecutor', in_this_process)
        patch.setattr(collecting, 'draw_losses', lambda *_: {'camera': LOST_S})
        patch.setattr(Network, 'decode_one', spied)
        list(collect(SETTINGS, folders['with'], 1))
        list(collect(replace(SETTINGS, learner=''), folders['without'], 1))
    return folders, ages_s


def rows_of(folder, episode):
    data = Dataset(folder)
    rows = np.flatnonzero(data.episode == episode)
    return {name: data.column(name, rows) for name in ('camera', 'joints', 'motor', 'label')}


def test_what_the_learner_has_lost_is_recorded_all_the_same(collected):
    folders, ages_s = collected
    assert max(ages_s) > 0.5
    data = Dataset(folders['with'])
    assert data.known.all()
    # The arm moves in the pictures to the end, long after the model has seen the last of them.
    late = rows_of(folders['with'], 1)['camera'][round(LOST_S / data.description.period_s) + 4 :]
    assert len(late) > 10
    assert all((a != b).any() for a, b in pairwise(late[:9]))


def test_the_learner_moves_the_arm_and_the_expert_labels(collected):
    led = rows_of(collected[0]['with'], 1)
    moved = np.diff(led['joints'], axis=0) * SETTINGS.record_hz

    def likeness(commands):
        return np.corrcoef(moved.ravel(), commands[:-1].ravel())[0, 1]

    assert likeness(led['motor']) > likeness(led['label'])
    assert np.abs(led['motor'] - led['label']).max() > 0.1


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
    assert max(camera) <= learning.LATEST_SHARE * 5.0
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
