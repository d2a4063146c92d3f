"""Muting: each family masks what it says, as often as its share."""

from mmvae_controller.modality.observation import everything_known, policy_query
from mmvae_controller.training.errors import TrainingError
from mmvae_controller.training.muting import Muting, Pattern
import numpy as np
import pytest

COUNT = 4000
NAMED = {'first': np.eye(4, 2, dtype=bool), 'second': np.eye(4, 2, k=1, dtype=bool)}


@pytest.fixture
def draw(robot, random):
    """Return what draws many masks of one family."""
    return lambda family: Muting({family: 1.0}).draw(robot.modalities, COUNT, random, NAMED)


def kinds(masks):
    return {m.tobytes() for m in masks}


def test_complete_masks_nothing(draw, robot):
    assert kinds(draw(Pattern.COMPLETE)) == {everything_known(robot.modalities).tobytes()}


def test_policy_masks_the_command_at_t_alone(draw, robot):
    assert kinds(draw(Pattern.POLICY)) == {policy_query(robot.modalities).tobytes()}


def test_start_is_the_policy_with_nothing_before(draw, robot):
    expected = policy_query(robot.modalities)
    expected[:, 0] = False
    assert kinds(draw(Pattern.START)) == {expected.tobytes()}


def test_previous_masks_everything_at_t(draw, robot):
    expected = everything_known(robot.modalities)
    expected[:, 1] = False
    assert kinds(draw(Pattern.PREVIOUS)) == {expected.tobytes()}


def test_alone_leaves_each_modality_equally_often_and_asks_as_the_policy(draw):
    masks = draw(Pattern.ALONE)
    assert np.all(masks.any(axis=2).sum(axis=1) == 1)
    assert np.all(masks[:, :3, 0] == masks[:, :3, 1])
    assert not masks[:, 3, 1].any()
    shares = masks[..., 0].mean(axis=0)
    np.testing.assert_allclose(shares, 0.25, atol=0.03)


def test_without_masks_each_modality_equally_often_and_asks_as_the_policy(draw):
    masks = draw(Pattern.WITHOUT)
    assert not masks[:, 3, 1].any()
    assert np.all((~masks[..., 0]).sum(axis=1) == 1)
    np.testing.assert_allclose((~masks[..., 0]).mean(axis=0), 0.25, atol=0.03)
    assert np.all(masks[:, :3, 0] == masks[:, :3, 1])


def test_random_masks_each_slot_by_its_own_coin(draw):
    masks = draw(Pattern.RANDOM).reshape(COUNT, -1)
    np.testing.assert_allclose(masks.mean(axis=0), 0.5, atol=0.04)
    correlation = np.corrcoef(masks.T.astype(float)) - np.eye(8)
    assert np.abs(correlation).max() < 0.08


def test_mixed_masks_have_every_share_of_known_slots_as_often(draw):
    masks = draw(Pattern.MIXED).reshape(COUNT, -1)
    np.testing.assert_allclose(masks.mean(axis=0), 0.5, atol=0.04)
    # Of coins that are uniform themselves, any number of the 8 slots is known as often.
    counted = np.bincount(masks.sum(axis=1), minlength=9) / COUNT
    np.testing.assert_allclose(counted, 1 / 9, atol=0.02)


def test_named_masks_are_those_of_the_data_each_as_often(draw):
    masks = draw(Pattern.NAMED)
    assert kinds(masks) == {m.tobytes() for m in NAMED.values()}
    assert np.all(masks == NAMED['first'], axis=(1, 2)).mean() == pytest.approx(0.5, abs=0.03)


def test_named_masks_that_the_data_lacks_are_refused_unless_their_share_is_0(robot, random):
    muting = Muting({Pattern.POLICY: 1, Pattern.NAMED: 0.5})
    with pytest.raises(TrainingError, match=r"'named' a share .* this data set has no"):
        muting.draw(robot.modalities, 3, random, {})
    masks = Muting({Pattern.POLICY: 1, Pattern.NAMED: 0}).draw(robot.modalities, 3, random, {})
    assert kinds(masks) == {policy_query(robot.modalities).tobytes()}


def test_what_has_no_share_changes_no_draw(robot):
    """So a training of an earlier release draws the same masks in this one."""
    shares = {p: 1.0 for p in Pattern if p not in (Pattern.MIXED, Pattern.NAMED)}
    more = shares | {Pattern.MIXED: 0.0, Pattern.NAMED: 0.0}
    first, again = (
        Muting(s).draw(robot.modalities, 300, np.random.default_rng(3), patterns)
        for s, patterns in ((shares, {}), (more, NAMED))
    )
    assert np.array_equal(first, again)


def test_shares_are_respected_and_need_not_add_up_to_one(robot, random):
    muting = Muting({Pattern.COMPLETE: 6.0, Pattern.PREVIOUS: 2.0, Pattern.POLICY: 0.0})
    masks = muting.draw(robot.modalities, COUNT, random, {})
    assert kinds(masks) == kinds(
        Muting({Pattern.COMPLETE: 1, Pattern.PREVIOUS: 1}).draw(robot.modalities, 100, random, {})
    )
    assert masks.all(axis=(1, 2)).mean() == pytest.approx(0.75, abs=0.03)


def test_families_are_mixed_within_a_batch(robot, random):
    masks = Muting(dict.fromkeys(Pattern, 1.0)).draw(robot.modalities, 200, random, NAMED)
    assert len(kinds(masks[:100])) > 10


def test_the_same_seed_draws_the_same_masks(robot):
    muting = Muting(dict.fromkeys(Pattern, 1.0))
    first, again, other = (
        muting.draw(robot.modalities, 50, np.random.default_rng(seed), NAMED) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize('shares', [{}, {Pattern.POLICY: 0.0}, {Pattern.POLICY: -1.0}])
def test_shares_from_which_nothing_can_be_drawn_are_refused(shares):
    with pytest.raises(TrainingError, match='expected some above 0'):
        Muting(shares)
