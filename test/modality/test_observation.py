"""Masks of the two-step observation."""

from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.observation import (
    empty_values,
    everything_known,
    nothing_known,
    pattern_mask,
    policy_query,
)
import numpy as np
import pytest


def test_a_pattern_masks_whatever_it_does_not_name(robot):
    mask = pattern_mask(robot.modalities, {'joints': [True, False], 'motor': [False, True]})
    assert mask.tolist() == [[False, False], [True, False], [False, False], [False, True]]


@pytest.mark.parametrize('row', [[True], [True, True, True], [1, 0], ['yes', 'no'], []])
def test_a_pattern_row_is_two_booleans_and_nothing_else(robot, row):
    with pytest.raises(ModalityError, match=r'mask of camera: .*, expected \[known at t-1'):
        pattern_mask(robot.modalities, {'camera': row})


def test_a_pattern_of_an_unknown_modality_is_refused_with_the_known_ones(robot):
    with pytest.raises(ModalityError, match=r"names 'ears', expected one of .*'camera'"):
        pattern_mask(robot.modalities, {'ears': [True, True]})


def test_a_policy_may_read_all_but_the_command_that_it_is_asked_for(robot):
    query = policy_query(robot.modalities)
    assert query.sum() == query.size - 1
    assert not query[3, 1]


def test_nothing_and_everything_known_are_that(robot):
    assert not nothing_known(robot.modalities).any()
    assert everything_known(robot.modalities).all()


def test_empty_values_have_the_shape_and_type_of_each_modality(robot):
    values = empty_values(robot.modalities)
    assert {n: (v.shape, v.dtype) for n, v in values.items()} == {
        'camera': ((2, 8, 8, 3), np.uint8),
        'joints': ((2, 3), np.float32),
        'touch': ((2, 2), np.float32),
        'motor': ((2, 2), np.float32),
    }
