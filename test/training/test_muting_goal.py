"""The goal family: here at t-1, one sense of there at t, and what leads there is asked for."""

from mmvae_controller.modality.goal import goal_query
from mmvae_controller.modality.observation import CURRENT, PREVIOUS
from mmvae_controller.training.muting import Muting, Pattern
import numpy as np

COUNT = 4000
MOTOR = 3


def test_a_goal_query_knows_every_sense_before_and_the_goal_at_t(robot):
    query = goal_query(robot.modalities, 'touch')
    assert [m.name for m in robot.modalities] == ['camera', 'joints', 'touch', 'motor']
    assert query[:, PREVIOUS].tolist() == [True, True, True, False]
    assert query[:, CURRENT].tolist() == [False, False, True, False]


def test_each_sense_is_the_goal_equally_often_and_the_command_is_never_known(robot, random):
    masks = Muting({Pattern.GOAL: 1.0}).draw(robot.modalities, COUNT, random, {})
    assert not masks[:, MOTOR].any()
    assert masks[:, :MOTOR, PREVIOUS].all()
    assert np.all(masks[:, :, CURRENT].sum(axis=1) == 1)
    np.testing.assert_allclose(masks[:, :MOTOR, CURRENT].mean(axis=0), 1 / MOTOR, atol=0.03)
