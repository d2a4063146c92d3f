"""The marker is found to a fraction of a pixel, or not at all; never a made-up place."""

from dataclasses import replace

import cv2
from mmvae_controller.vision.blob import Colour, find_blob
from mmvae_controller.vision.errors import VisionError
from mmvae_controller.vision.hand import find_hand
from mmvae_controller.vision.pairing import Pairing
import numpy as np
import pytest

LIME = (25, 230, 25)
PLAIN = Colour(hue=(45, 75), min_saturation=120, min_value=40, min_pixels=12)
RED = Colour(hue=(170, 10), min_saturation=120, min_value=40, min_pixels=12)


def picture(*spots, colour=LIME, noise=0.0):
    """Return a grey picture with discs (u, v, radius) on it."""
    rows, columns = np.mgrid[:90, :120]
    found = np.full((90, 120, 3), 128, dtype=np.float64)
    for u, v, radius in spots:
        found[(columns - u) ** 2 + (rows - v) ** 2 <= radius**2] = colour
    found += np.random.default_rng(1).normal(0, noise, found.shape)
    return np.clip(np.rint(found), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(('u', 'v'), [(40.0, 30.0), (51.3, 60.8), (80.5, 20.5)])
def test_the_centre_is_found_to_a_fraction_of_a_pixel(u, v):
    for noise in (0.0, 6.0):
        np.testing.assert_allclose(
            find_blob(picture((u, v, 5.0), noise=noise), PLAIN), [u, v], atol=0.25
        )


def test_what_is_always_hidden_of_the_marker_is_calibrated_away():
    found = find_blob(picture((40, 30, 5)), replace(PLAIN, offset_px=(0.5, -2.0)))
    np.testing.assert_allclose(found, [40.5, 28.0], atol=0.1)


def test_a_picture_without_marker_has_none():
    assert find_blob(picture(noise=6.0), PLAIN) is None
    assert find_blob(np.zeros((90, 120, 3), dtype=np.uint8), PLAIN) is None


def test_too_small_a_patch_is_no_marker():
    assert find_blob(picture((40, 30, 1.5)), PLAIN) is None


def test_another_colour_is_no_marker():
    assert find_blob(picture((40, 30, 5), colour=(25, 25, 230)), PLAIN) is None


def test_what_reaches_out_of_the_picture_is_not_found():
    for u, v in ((3, 30), (117, 30), (40, 2), (40, 88)):
        assert find_blob(picture((u, v, 5)), PLAIN) is None
    assert find_blob(picture((6, 30, 5)), PLAIN) is not None


def test_of_two_markers_alike_nobody_knows_which_it_is():
    assert find_blob(picture((40, 30, 5), (80, 60, 5)), PLAIN) is None
    np.testing.assert_allclose(
        find_blob(picture((40, 30, 5), (80, 60, 2.2)), PLAIN), [40, 30], atol=0.1
    )


def test_a_hue_that_goes_over_zero_finds_red():
    red = picture((40, 30, 5), colour=(230, 10, 25))
    np.testing.assert_allclose(find_blob(red, RED), [40, 30], atol=0.1)
    assert find_blob(red, PLAIN) is None


def test_it_is_rgb_that_is_looked_at():
    red = picture((40, 30, 5), colour=(230, 10, 25))
    assert find_blob(cv2.cvtColor(red, cv2.COLOR_RGB2BGR), RED) is None


@pytest.mark.parametrize(
    'change',
    [
        {'hue': (0, 180)},
        {'min_value': 0},
        {'min_pixels': 0},
        {'max_rival': 1.0},
        {'offset_px': (0.0, float('nan'))},
    ],
)
def test_settings_that_find_nothing_or_anything_are_refused(change):
    usual = {'hue': (45, 75), 'min_saturation': 120, 'min_value': 40, 'min_pixels': 12}
    with pytest.raises(VisionError, match='expected'):
        Colour(**{**usual, **change})


def test_the_hand_is_known_only_when_both_pictures_show_it():
    seen, empty = picture((40, 30, 5)), picture()
    hand = find_hand({'left': seen, 'right': picture((70, 50, 5))})
    np.testing.assert_allclose(hand, [40, 30, 70, 50], atol=0.2)
    assert find_hand({'left': seen, 'right': empty}) is None
    assert find_hand({'left': empty, 'right': seen}) is None
    assert find_hand({'left': seen}) is None


def test_places_of_one_moment_become_one_hand_and_are_used_once():
    pairing = Pairing(max_skew_ns=10)
    left, right = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    assert pairing.see('right', 100, right) is None
    assert pairing.see('left', 109, left).tolist() == [1, 2, 3, 4]
    assert pairing.see('left', 110, left) is None


def test_places_of_two_moments_are_no_hand():
    pairing = Pairing(max_skew_ns=10)
    left, right = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    assert pairing.see('left', 100, left) is None
    assert pairing.see('right', 111, right) is None
    assert pairing.see('left', 120, left) is not None


def test_a_place_that_is_lost_is_not_paired_any_more():
    pairing = Pairing(max_skew_ns=10)
    assert pairing.see('left', 100, np.array([1.0, 2.0])) is None
    assert pairing.see('left', 100, None) is None
    assert pairing.see('right', 100, np.array([3.0, 4.0])) is None
