"""The normaliser can be inverted, whatever the data."""

from hypothesis import given
from hypothesis import strategies as st
from mmvae_controller.modality.errors import ModalityError
from mmvae_controller.modality.normaliser import fit_normaliser, Normaliser
from mmvae_controller.modality.spec import Encoder, Modality, Role
import numpy as np
import pytest

VECTOR = Modality('v', Role.SENSE, Encoder.VECTOR, (2,), 'rad', ('a', 'b'), 1.0)
IMAGE = Modality(
    'i', Role.SENSE, Encoder.IMAGE, (2, 2, 3), 'intensity', ('red', 'green', 'blue'), 1.0
)
numbers = st.floats(-1e6, 1e6, width=32)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=20))
def test_normalised_and_restored_a_value_is_itself(rows):
    values = np.array(rows)
    fitted = fit_normaliser(VECTOR, values)
    offset, scale = np.array(fitted.offset), np.array(fitted.scale)
    assert np.all(scale > 0)
    normalised = (values - offset) / scale
    assert np.all(np.isfinite(normalised))
    np.testing.assert_allclose(normalised * scale + offset, values, rtol=1e-9, atol=1e-6)


def test_training_values_become_mean_zero_and_spread_one(random):
    values = random.normal([3, -2], [0.5, 20], size=(1000, 2))
    fitted = fit_normaliser(VECTOR, values)
    normalised = (values - fitted.offset) / fitted.scale
    np.testing.assert_allclose(normalised.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(normalised.std(axis=0), 1, atol=1e-9)


def test_a_channel_that_never_moved_keeps_a_scale_of_its_own_size():
    fitted = fit_normaliser(VECTOR, np.tile([0.0, 50.0], (10, 1)))
    assert fitted.offset == (0.0, 50.0)
    assert fitted.scale == pytest.approx((1e-6, 0.05))


def test_rows_that_are_not_finite_are_left_out():
    values = np.array([[1.0, 2.0], [np.nan, 9.0], [3.0, np.inf], [3.0, 4.0]])
    assert fit_normaliser(VECTOR, values).offset == (2.0, 3.0)


def test_without_a_finite_row_there_is_no_normaliser():
    with pytest.raises(ModalityError, match='v: no finite value'):
        fit_normaliser(VECTOR, np.full((3, 2), np.nan))


def test_a_picture_is_normalised_colour_by_colour(random):
    pictures = random.integers([0, 50, 200], [10, 200, 255], size=(20, 2, 2, 3)).astype(np.uint8)
    fitted = fit_normaliser(IMAGE, pictures)
    normalised = (pictures - np.array(fitted.offset)) / fitted.scale
    np.testing.assert_allclose(normalised.mean(axis=(0, 1, 2)), 0, atol=1e-9)
    np.testing.assert_allclose(normalised.std(axis=(0, 1, 2)), 1, atol=1e-9)


@pytest.mark.parametrize(
    ('offset', 'scale'),
    [((0.0,), (0.0,)), ((0.0,), (-1.0,)), ((np.nan,), (1.0,)), ((0.0,), (np.inf,)), ((), ())],
)
def test_what_cannot_be_inverted_is_refused(offset, scale):
    with pytest.raises(ModalityError, match='not invertible'):
        Normaliser(offset, scale)


def test_an_offset_without_its_scale_is_refused():
    with pytest.raises(ModalityError, match='2 offsets but 1 scales'):
        Normaliser((0.0, 1.0), (1.0,))
