"""Rolling a model out: what the blind episodes judge."""

from pathlib import Path

from mmvae_controller.control.network import Network
from mmvae_controller.modality.robot_file import load_robot
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
