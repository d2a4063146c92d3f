"""Rolling a model out: what the blind episodes judge."""

from pathlib import Path

from mmvae_controller.control.network import Network
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.modality.shared_files import find_model, find_robot
from mmvae_controller.simulation.rollout import rollout
import pytest

MODEL = Path(__file__).parents[2] / 'models' / 'touch_target'


@pytest.mark.slow
def test_blind_episodes_judge_the_model_and_not_a_robot_that_holds(iiwa_file):
    robot = load_robot(iiwa_file)
    assert robot.min_contrast
    report = rollout(
        Network(MODEL), robot, 'touch_target', 1, 500, True, lambda kind, result: None
    )
    assert report.blind[0].held_share < 0.5


@pytest.mark.slow
def test_a_panda_with_its_own_model_touches_what_it_sees_and_nothing_blind():
    network = Network(find_model('panda_touch_target'))
    robot = load_robot(find_robot('panda_sim'))
    report = rollout(network, robot, 'touch_target', 3, 20_000, True, lambda kind, result: None)
    assert [result.success for result in report.seeing] == [True] * 3
    assert [result.success for result in report.blind] == [False] * 3
