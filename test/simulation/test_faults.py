"""Faults of the senses: what arrives, when, and that it is the same for the same seed."""

from dataclasses import replace

from mmvae_controller.control.window import NS
from mmvae_controller.simulation.arm import TOUCH_RANGE_N
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.simulation.faults.effects import DELAY_S, JOINT_BIAS_RAD
from mmvae_controller.simulation.faults.kinds import (
    distortion,
    FAULTS,
    faults_for,
    make_fault,
    Sense,
)
from mmvae_controller.simulation.faults.schedule import Schedule, Start
import numpy as np
import pytest

PERIOD_S = 0.05
# A clock that did not begin at 0, as after other episodes.
BEGAN_NS = 7 * NS
DRAWN = {'camera_black', 'camera_noise', 'camera_occluded', 'joints_noise', 'joints_bias'}


@pytest.fixture
def readings(random):
    """Return 20 readings of every sense, no two alike."""
    return [
        {
            'camera': random.integers(0, 256, (64, 64, 3), dtype=np.uint8),
            'joints': random.uniform(-1, 1, 7),
            'touch': random.uniform(-5, 5, 3),
        }
        for _ in range(20)
    ]


def arriving(robot, readings, name, start=Start.BEGINNING, seed=3):
    """Return what becomes of the readings, one each 50 ms."""
    distort = distortion(make_fault(name), robot, Schedule(start), seed)
    period_ns = round(PERIOD_S * NS)
    return [distort(dict(r), BEGAN_NS + i * period_ns) for i, r in enumerate(readings)]


@pytest.mark.parametrize('name', FAULTS)
def test_only_the_senses_at_fault_change_and_only_once_it_has_begun(iiwa, readings, name):
    fault = make_fault(name)
    kept = [{k: v.copy() for k, v in r.items()} for r in readings]
    found = arriving(iiwa, readings, name, Start.MIDWAY)
    for index, (before, after) in enumerate(zip(readings, found, strict=True)):
        for sense, value in before.items():
            if sense in fault.modalities(iiwa) and index * PERIOD_S >= 0.3:
                assert sense not in after or not np.array_equal(after[sense], value)
            else:
                assert np.array_equal(after[sense], value)
    for before, now in zip(kept, readings, strict=True):
        assert all(np.array_equal(before[k], now[k]) for k in before), 'changed in place'


@pytest.mark.parametrize('name', FAULTS)
def test_a_fault_arrives_as_the_sense_it_is_of(iiwa, readings, name):
    shapes = {m.name: m for m in iiwa.modalities}
    for values in arriving(iiwa, readings, name):
        for sense, value in values.items():
            assert value.shape == shapes[sense].shape
            assert (value.dtype == np.uint8) == (sense == 'camera')


@pytest.mark.parametrize('name', FAULTS)
def test_the_same_seed_draws_the_same_fault_and_another_seed_another(iiwa, readings, name):
    def flat(seed):
        found = arriving(iiwa, readings, name, seed=seed)
        return [sorted((k, v.tobytes()) for k, v in values.items()) for values in found]

    assert flat(3) == flat(3)
    if DRAWN & set(name.split('+')):
        assert any(flat(3) != flat(seed) for seed in range(4, 8))


def test_a_fault_begins_with_the_first_reading_at_a_moment_or_comes_and_goes():
    assert all(Schedule(Start.BEGINNING).active(ns) for ns in (0, NS))
    midway = Schedule(Start.MIDWAY)
    assert [midway.active(round(s * NS)) for s in (0, 0.299, 0.3, 9)] == [0, 0, 1, 1]
    often = Schedule(Start.INTERMITTENT)
    seconds = (0, 0.299, 0.3, 0.699, 0.7, 1.299, 1.3, 1.699, 1.7)
    assert [often.active(round(s * NS)) for s in seconds] == [0, 0, 1, 1, 0, 0, 1, 1, 0]
    assert midway.begin_ns == often.begin_ns == round(0.3 * NS)
    assert Schedule(Start.BEGINNING).begin_ns == 0
    with pytest.raises(SimulationError, match='on_s 0'):
        Schedule(Start.INTERMITTENT, on_s=0)


def test_a_black_picture_has_the_noise_of_the_dark_sensor_and_no_zeros_alone(iiwa, readings):
    for values in arriving(iiwa, readings, 'camera_black'):
        assert 3 < values['camera'].mean() < 5
        assert 1 < values['camera'].std() < 2


def test_a_frozen_picture_is_the_last_one_before_and_moves_again_when_the_fault_goes(
    iiwa, readings
):
    found = [v['camera'] for v in arriving(iiwa, readings, 'camera_frozen', Start.INTERMITTENT)]
    for index in range(6, 14):  # 0.3 to 0.65 s
        assert np.array_equal(found[index], readings[5]['camera'])
    assert np.array_equal(found[14], readings[14]['camera'])
    first = [v['camera'] for v in arriving(iiwa, readings, 'camera_frozen')]
    assert all(np.array_equal(picture, readings[0]['camera']) for picture in first)


def test_delayed_pictures_come_late_and_at_the_beginning_not_at_all(iiwa, readings):
    late = round(DELAY_S / PERIOD_S)
    for start in (Start.BEGINNING, Start.MIDWAY):
        found = arriving(iiwa, readings, 'camera_delayed', start)
        for index in range(late, len(found)):
            assert np.array_equal(found[index]['camera'], readings[index - late]['camera'])
        early = found[:late]
        assert all(('camera' in values) == (start is Start.MIDWAY) for values in early)


def test_the_block_hides_a_quarter_to_a_third_and_always_the_middle(iiwa):
    places = set()
    for seed in range(30):
        white = [{'camera': np.full((64, 64, 3), 255, dtype=np.uint8)}] * 2
        first, second = (v['camera'] for v in arriving(iiwa, white, 'camera_occluded', seed=seed))
        assert np.array_equal(first, second)
        hidden = (first != 255).any(axis=2)
        # Within the rounding of its two sides to whole pixels.
        assert 0.23 < hidden.mean() < 0.35
        assert hidden[30:34, 30:34].all()
        places.add(hidden.tobytes())
    assert len(places) > 20


def test_one_joint_is_biased_and_which_one_is_drawn(iiwa, readings):
    joints = set()
    for seed in range(20):
        found = arriving(iiwa, readings, 'joints_bias', seed=seed)
        biases = [f['joints'] - r['joints'] for f, r in zip(found, readings, strict=True)]
        np.testing.assert_allclose(biases, np.tile(biases[0], (20, 1)), atol=1e-12)
        (joint,) = np.flatnonzero(np.abs(biases[0]) > 1e-9)
        assert abs(biases[0][joint]) == pytest.approx(JOINT_BIAS_RAD)
        joints.add(joint)
    assert len(joints) > 3


def test_permuted_joints_all_bear_another_name_and_their_speeds_the_same_one(iiwa):
    speeds = replace(iiwa.sources['joints'], part='velocity')
    modality = next(m for m in iiwa.modalities if m.name == 'joints')
    robot = replace(
        iiwa,
        modalities=(*iiwa.modalities, replace(modality, name='speeds')),
        sources=iiwa.sources | {'speeds': speeds},
    )
    for seed in range(20):
        sent = {'joints': np.arange(7.0), 'speeds': np.arange(7.0)}
        (found,) = arriving(robot, [sent], 'joints_permuted', seed=seed)
        assert sorted(found['joints']) == list(range(7))
        assert np.all(found['joints'] != np.arange(7))
        assert np.array_equal(found['joints'], found['speeds'])
    (found,) = arriving(robot, [sent], 'joints_bias')
    assert np.array_equal(found['speeds'], np.arange(7.0)), 'an offset changes no speed'
    (found,) = arriving(robot, [sent], 'joints_absent')
    assert not found


def test_touch_is_dead_or_pressed_upwards_all_the_time(iiwa, readings):
    for values in arriving(iiwa, readings, 'touch_dead'):
        assert not values['touch'].any()
    for values in arriving(iiwa, readings, 'touch_stuck_on'):
        assert values['touch'].tolist() == [0, 0, TOUCH_RANGE_N]


def test_what_is_absent_sends_nothing_and_a_pair_does_both(iiwa, readings):
    for values in arriving(iiwa, readings, 'camera_absent+touch_dead'):
        assert set(values) == {'joints', 'touch'}
        assert not values['touch'].any()


def test_faults_of_a_sense_that_the_robot_lacks_are_left_out_and_said_so(iiwa):
    sources = {n: s for n, s in iiwa.sources.items() if n != 'touch'}
    possible, left_out = faults_for(replace(iiwa, sources=sources), list(FAULTS))
    assert all(Sense.TOUCH not in [p.sense for p in f.parts] for f in possible)
    assert len(possible) + len(left_out) == len(FAULTS)
    assert left_out['camera_absent+touch_dead'] == 'iiwa_sim has no touch'
    assert faults_for(iiwa, list(FAULTS))[1] == {}


def test_an_unknown_fault_is_refused_with_those_that_there_are(iiwa):
    with pytest.raises(SimulationError, match=r"no fault 'camera_blue', there are camera_black"):
        faults_for(iiwa, ['camera_blue'])
