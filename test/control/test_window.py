"""The observation window: latest at t and t - dt, whatever arrives, or does not."""

import math

from hypothesis import given
from hypothesis import strategies as st
from mmvae_controller.control.errors import ControlError
from mmvae_controller.control.soundness import contrast, contrast_of_returns
from mmvae_controller.control.window import NS, ObservationWindow
from mmvae_controller.modality.observation import CURRENT, PREVIOUS
from mmvae_controller.modality.spec import Encoder, Modality, Role
import numpy as np
import pytest

MS = 1_000_000
SENSE = Modality('s', Role.SENSE, Encoder.VECTOR, (1,), 'm', ('x',), 0.1)
OTHER = Modality('o', Role.SENSE, Encoder.VECTOR, (2,), 'm', ('x', 'y'), 1.0)
PICTURE = Modality('p', Role.SENSE, Encoder.IMAGE, (2, 2, 1), 'intensity', ('grey',), 0.1)
STEP_S = 0.1


@pytest.fixture
def window():
    return ObservationWindow((SENSE, OTHER, PICTURE), STEP_S, {})


def one(value):
    return np.array([value])


def test_nothing_received_is_nothing_known(window):
    seen = window.read(5 * NS)
    assert not seen.known.any()
    assert np.isinf(seen.age_s).all()


@given(
    gaps_ms=st.lists(st.integers(1, 300), min_size=1, max_size=40),
    wait_ms=st.integers(0, 250),
)
def test_each_slot_holds_the_latest_sample_before_it_whatever_the_rate(gaps_ms, wait_ms):
    window = ObservationWindow((SENSE,), STEP_S, {})
    stamps = (np.cumsum(gaps_ms) * MS).tolist()
    for stamp in stamps:
        window.push('s', one(stamp / NS), stamp)
    now = stamps[-1] + wait_ms * MS
    seen = window.read(now)
    for slot, slot_ns in enumerate((now - 100 * MS, now)):
        earlier = [s for s in stamps if s <= slot_ns]
        if not earlier:
            assert not seen.known[0, slot]
            assert math.isinf(seen.age_s[0, slot])
            continue
        age_ns = slot_ns - earlier[-1]
        assert seen.age_s[0, slot] == pytest.approx(age_ns / NS)
        assert seen.known[0, slot] == (age_ns <= 100 * MS)
        if seen.known[0, slot]:
            assert seen.values['s'][slot, 0] == np.float32(earlier[-1] / NS)


def test_a_sample_is_known_until_its_maximal_age_and_not_a_nanosecond_longer(window):
    window.push('s', one(1.0), 0)
    assert window.read(100 * MS).known[0].tolist() == [True, True]
    assert window.read(100 * MS + 1).known[0].tolist() == [True, False]
    assert window.read(200 * MS + 1).known[0].tolist() == [False, False]


def test_each_modality_has_its_own_maximal_age(window):
    window.push('s', one(1.0), 0)
    window.push('o', np.ones(2), 0)
    assert window.read(500 * MS).known[:, 1].tolist() == [False, True, False]


@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf, 1e300])
def test_a_sample_that_is_not_finite_masks_its_own_slot_only(window, bad):
    window.push('s', one(1.0), 0)
    window.push('o', np.ones(2), 0)
    window.push('s', one(bad), 90 * MS)
    seen = window.read(100 * MS)
    assert seen.known.tolist() == [[True, False], [True, True], [False, False]]
    assert seen.age_s[0, 1] == pytest.approx(0.01)
    assert np.isfinite(seen.values['s']).all()


def test_a_topic_that_died_leaves_the_others(window):
    for ms in range(0, 2000, 20):
        window.push('o', np.ones(2), ms * MS)
        if ms < 1000:
            window.push('s', one(1.0), ms * MS)
    assert window.read(2000 * MS).known.tolist() == [[False, False], [True, True], [False, False]]


def test_a_clock_that_was_set_back_forgets_what_came_before(window):
    window.push('s', one(1.0), 10 * NS)
    window.push('s', one(2.0), 5 * NS)
    seen = window.read(5 * NS)
    assert seen.known[0].tolist() == [False, True]
    assert seen.values['s'][1, 0] == 2.0


def test_a_sample_from_before_the_clock_was_set_back_never_becomes_fresh_again(window):
    window.push('s', one(1.0), 10 * NS)
    assert not window.read(5 * NS).known.any()
    # A dead topic must not come alive when the clock gets to where it was.
    assert not window.read(10 * NS).known.any()


def test_a_clock_that_jumps_ahead_masks_what_is_now_old(window):
    window.push('s', one(1.0), 0)
    assert not window.read(3600 * NS).known.any()


def test_what_was_received_later_than_a_slot_is_not_in_it(window):
    window.push('s', one(1.0), 0)
    window.push('s', one(2.0), 1 * MS)
    seen = window.read(100 * MS)
    assert seen.values['s'][:, 0].tolist() == [1.0, 2.0]


def test_the_window_holds_a_copy(window):
    value = one(1.0)
    window.push('s', value, 0)
    value[0] = 9.0
    assert window.read(0).values['s'][1, 0] == 1.0


@pytest.mark.parametrize('clock_runs', [True, False])
def test_the_window_never_grows_without_end(window, clock_runs):
    for number in range(1000):
        window.push('s', one(float(number)), number * MS if clock_runs else 0)
    assert len(window._samples['s']) <= 102
    assert window.read(999 * MS if clock_runs else 0).values['s'][1, 0] == 999.0


@pytest.mark.parametrize('shape', [(), (2,), (1, 1)])
def test_another_shape_is_refused_with_both(window, shape):
    with pytest.raises(ControlError, match=r's: shape .*, expected \(1,\)'):
        window.push('s', np.zeros(shape), 0)


def test_a_picture_that_is_not_8_bit_is_refused_rather_than_wrapped_around(window):
    with pytest.raises(ControlError, match='p: float64 values, expected uint8'):
        window.push('p', np.full((2, 2, 1), 300.0), 0)
    window.push('p', np.full((2, 2, 1), 200, dtype=np.uint8), 0)
    assert window.read(0).values['p'][1].max() == 200


def test_an_unknown_modality_is_refused_by_name(window):
    with pytest.raises(ControlError, match="no modality 'x', there are"):
        window.push('x', one(1.0), 0)


def test_after_clear_nothing_is_known(window):
    window.push('s', one(1.0), 0)
    window.clear()
    assert not window.read(0).known.any()


def test_at_any_rate_the_slot_before_holds_the_sample_of_then(window):
    """Read after every push, so a sample that is still needed cannot have been dropped."""
    for number in range(40):
        now_ns = number * NS // 50
        window.push('s', one(float(number)), now_ns)
        seen = window.read(now_ns)
        assert seen.values['s'][CURRENT] == number
        if number >= 5:
            assert seen.known[0].tolist() == [True, True]
            assert seen.values['s'][PREVIOUS] == number - 5


def test_what_is_wrong_with_a_sample_is_told_to_who_pushes_it(window):
    assert window.push('s', one(1.0), 0) == ''
    assert window.push('s', one(np.nan), 1) == 'the last value is not finite'


def stripes(difference):
    picture = np.full((8, 8, 3), 100, dtype=np.uint8)
    picture[::2] += np.uint8(difference)
    return picture


@pytest.fixture
def watchful():
    """Return a window that asks of a picture that it shows something."""
    picture = Modality('p', Role.SENSE, Encoder.IMAGE, (8, 8, 3), 'intensity', tuple('rgb'), 1.0)
    return ObservationWindow((picture,), STEP_S, {'p': 5.0})


def test_a_picture_that_shows_nothing_masks_its_own_slot_only(watchful):
    assert watchful.push('p', stripes(12), 0) == ''
    told = watchful.push('p', stripes(8), 90 * MS)
    assert told == 'no contrast (4.0 grey levels, min_contrast 5)'
    assert watchful.read(100 * MS).known.tolist() == [[True, False]]
    watchful.push('p', stripes(16), 110 * MS)
    assert watchful.read(110 * MS).known[0, 1]


def test_after_a_blank_picture_one_counts_again_with_a_margin(watchful):
    watchful.push('p', stripes(8), 0)
    told = watchful.push('p', stripes(14), 1)
    assert told == 'no contrast (7.0 grey levels, min_contrast 5, 7.5 after a blank picture)'
    assert watchful.push('p', stripes(16), 2) == ''
    assert watchful.push('p', stripes(12), 3) == ''


def test_a_scene_at_the_bound_is_lost_once_and_does_not_come_and_go(watchful):
    told = [watchful.push('p', stripes((12, 8)[number % 2]), number) for number in range(200)]
    assert [not fault for fault in told] == [True] + [False] * 199


def test_one_blank_camera_asks_no_more_of_another():
    pictures = [
        Modality(n, Role.SENSE, Encoder.IMAGE, (8, 8, 3), 'intensity', tuple('rgb'), 1.0)
        for n in 'pq'
    ]
    window = ObservationWindow(pictures, STEP_S, {'p': 5.0, 'q': 5.0})
    window.push('p', stripes(0), 0)
    assert window.push('q', stripes(12), 0) == ''


def test_after_clear_a_picture_counts_without_a_margin(watchful):
    watchful.push('p', stripes(8), 0)
    watchful.clear()
    assert watchful.push('p', stripes(12), 1) == ''


def test_a_clock_that_was_set_back_does_not_forget_a_blank_picture(watchful):
    watchful.push('p', stripes(8), 10 * NS)
    assert not watchful.read(5 * NS).known.any()
    assert watchful.push('p', stripes(12), 5 * NS)


def test_without_a_bound_every_picture_counts(window):
    assert window.push('p', np.zeros((2, 2, 1), dtype=np.uint8), 0) == ''
    assert window.read(0).known[2, 1]


@pytest.mark.parametrize('level', [0, 7, 255])
def test_a_picture_of_one_level_or_one_colour_has_no_contrast(level):
    picture = np.zeros((40, 50, 3), dtype=np.uint8)
    picture[..., 0] = level
    assert contrast(picture) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(
    ('shape', 'block'),
    [
        ((64, 64, 3), (2, 2)),
        ((32, 48, 1), (1, 2)),
        ((1, 1, 3), (1, 1)),
        ((480, 640, 3), (15, 20)),
        ((65, 201, 1), (3, 7)),
        ((9000, 3, 1), (257, 1)),
    ],
)
def test_contrast_is_the_standard_deviation_of_the_grey_levels_of_whole_blocks(shape, block):
    picture = np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)
    (high, wide), (height, width, _) = block, shape
    rows, columns = height // high, width // wide
    grey = picture[: rows * high, : columns * wide].mean(axis=2)
    blocks = grey.reshape(rows, high, columns, wide).mean(axis=(1, 3))
    assert contrast(picture) == pytest.approx(blocks.std(), rel=1e-3, abs=1e-3)


@pytest.mark.parametrize(('shape', 'most'), [((64, 64, 1), 3.5), ((480, 640, 1), 0.5)])
def test_the_noise_of_pixels_counts_the_less_the_larger_the_picture(shape, most):
    noise = np.random.default_rng(3).normal(40, 6.5, shape)
    assert contrast(np.rint(noise).astype(np.uint8)) < most


@pytest.mark.parametrize('scale', [1, 2, 10])
def test_the_same_scene_has_the_same_contrast_at_any_size(scale):
    scene = np.random.default_rng(3).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    picture = scene.repeat(scale, axis=0).repeat(scale, axis=1)
    assert contrast(picture) == pytest.approx(scene.mean(axis=2).std(), rel=1e-4)


def test_white_saturates_no_sum():
    picture = np.full((34 * 257, 3, 1), 255, dtype=np.uint8)
    picture[: 17 * 257] = 0
    assert contrast(picture) == pytest.approx(127.5)


def test_half_black_and_half_white_is_the_most_there_is():
    picture = np.zeros((64, 64, 1), dtype=np.uint8)
    picture[:32] = 255
    assert contrast(picture) == pytest.approx(127.5)


@pytest.fixture(params=['depth', 'height'])
def ranging(request):
    """Return a window that asks of ranges that they show something."""
    shape = (64, 64, 1)
    sense = Modality('p', Role.SENSE, Encoder.IMAGE, shape, 'm', (request.param,), 1.0)
    return ObservationWindow((sense,), STEP_S, {'p': 6.0})


def scattered(share, levels, ground=0):
    """Return ranges of one level, and others in a share of the pixels."""
    random = np.random.default_rng(3)
    chosen = random.random((64, 64, 1)) < share
    return np.where(chosen, random.choice(levels, chosen.shape), ground).astype(np.uint8)


def test_the_false_returns_of_a_covered_range_camera_are_no_scene(ranging):
    told = ranging.push('p', scattered(0.01, np.arange(1, 256)), 0)
    assert told.startswith('hardly anything came back (1.')
    assert told.endswith('% of the pixels, expected at least 5.0%)')
    assert not ranging.read(1).known.any()
    nothing = ranging.push('p', np.zeros((64, 64, 1), np.uint8), 2)
    assert nothing == 'hardly anything came back (0.0% of the pixels, expected at least 7.5%)'


@pytest.mark.parametrize('holes', [0.01, 0.05, 0.5])
def test_a_flat_wall_with_holes_has_no_contrast(ranging, holes):
    wall = scattered(holes, [0], ground=200)
    assert contrast(wall) > 6
    assert ranging.push('p', wall, 0) == 'no contrast (0.0 grey levels, min_contrast 6)'


def test_something_before_a_wall_counts_with_holes_and_without(ranging):
    for now_ns, holes in enumerate((0, 0.05, 0.5)):
        scene = scattered(holes, [0], ground=200)
        scene[16:40, 20:50][scene[16:40, 20:50] > 0] = 120
        assert ranging.push('p', scene, now_ns) == ''
    assert ranging.read(3).known[0, 1]


def test_where_everything_came_back_the_contrast_is_that_of_any_picture():
    scene = np.random.default_rng(3).integers(1, 256, (70, 64, 1), dtype=np.uint8)
    assert contrast_of_returns(scene) == pytest.approx(contrast(scene), rel=1e-4)


def test_a_dark_picture_is_no_range_that_did_not_come_back(watchful):
    dark = np.zeros((8, 8, 3), dtype=np.uint8)
    dark[0, :2] = 255
    assert watchful.push('p', dark, 0) == ''
