"""Following a path that is shown in two pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mmvae_controller.control.controller import Controller
from mmvae_controller.control.network import Network
from mmvae_controller.control.policy import Estimate
from mmvae_controller.datasets.store import Dataset
from mmvae_controller.modality.robot_file import load_robot
from mmvae_controller.simulation.babbling import Babbler, MARGIN_M
from mmvae_controller.simulation.collect import collect, CollectSettings
from mmvae_controller.simulation.episode import ticks, wire
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.simulation.expert import Expert
from mmvae_controller.simulation.following import Follower, standstill
from mmvae_controller.simulation.projected import projected
from mmvae_controller.simulation.projection import project, triangulate
from mmvae_controller.simulation.rollout import (
    EpisodeResult,
    kinds_of,
    rollout,
    RolloutReport,
)
from mmvae_controller.simulation.simulator import RESET_EVERY_NS, Simulator
from mmvae_controller.simulation.tasks.imitate import GOAL_AHEAD_S, Imitate, LOOKED_AT_M, VIEWS
from mmvae_controller.simulation.tasks.trajectories import (
    draw_path,
    Kind,
    RAMP_S,
    recorded,
    Trajectory,
)
from mmvae_controller.vision.hand import find_hand
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
ROBOT_FILE = ROOT / 'config' / 'robots' / 'iiwa_imitate.yaml'
MODEL = ROOT / 'models' / 'imitate'
# The tracker and the projection agree: in the mean of a dozen postures to this, and in each, px.
TRACKER_MEAN_PX = 0.15
TRACKER_MOST_PX = 0.8


@pytest.fixture(scope='module')
def imitate():
    return load_robot(ROBOT_FILE)


@pytest.fixture(scope='module')
def simulator(iiwa_arm):
    simulator = Simulator(Imitate(duration_s=1.5, radius_m=(0.02, 0.03)), iiwa_arm)
    yield simulator
    simulator.close()


@pytest.fixture
def unseen(simulator):
    """Return the simulator without its cameras, which nobody needs who knows everything."""
    views, simulator.views = simulator.views, {}
    yield simulator
    simulator.views = views


def run(simulator, robot, policy, seed, **how):
    controller = Controller(robot, robot.modalities, robot.step_s, policy)
    yield from ticks(simulator, controller, wire(robot, simulator), seed, **how)


class Still:
    """Wants to stay."""

    def decide(self, observation):
        return Estimate(np.zeros(7), np.zeros(7))


def test_a_trajectory_begins_and_ends_at_rest_and_is_as_fast_all_the_way_between():
    path = recorded(np.array([[0.0, 0.0], [1.0, 0.0]]), 3.0)
    moments = np.linspace(0, 3, 301)
    places = np.array([path.at(t)[0] for t in moments])
    speed = np.diff(places) / 0.01
    assert places[0] == 0
    assert places[-1] == pytest.approx(1)
    assert speed[0] < 0.02
    assert speed[-1] < 0.02
    between = (moments[:-1] > RAMP_S) & (moments[1:] < 3 - RAMP_S)
    np.testing.assert_allclose(speed[between], 1 / 2.5, rtol=1e-6)
    assert path.at(-1.0).tolist() == path.at(0.0).tolist()
    assert path.at(9.0).tolist() == path.at(3.0).tolist()


def test_how_unevenly_a_path_was_recorded_does_not_matter():
    corner = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]
    uneven = [[0.0, 0.0], [0.1, 0.0], [0.1, 0.0], [0.9, 0.0], [1.0, 0.0], [1.0, 1.0]]
    one, other = recorded(np.array(corner), 4.0), recorded(np.array(uneven), 4.0)
    for t in np.linspace(0, 4, 9):
        np.testing.assert_allclose(one.at(t), other.at(t), atol=1e-9)


@pytest.mark.parametrize(
    ('points', 'duration_s', 'why'),
    [
        (np.zeros((1, 2)), 2.0, 'two or more'),
        (np.zeros(4), 2.0, 'two or more'),
        (np.array([[0.0], [np.nan]]), 2.0, 'finite'),
        (np.ones((3, 2)), 2.0, 'all the same place'),
        (np.eye(2), 2 * RAMP_S, 'begins and ends at rest'),
        (np.eye(2), float('nan'), 'begins and ends at rest'),
    ],
)
def test_what_is_no_path_is_refused(points, duration_s, why):
    with pytest.raises(SimulationError, match=why):
        recorded(points, duration_s)
    if 'same place' not in why:
        with pytest.raises(SimulationError, match=why):
            Trajectory(points, duration_s)


@pytest.mark.parametrize('kind', Kind)
def test_a_drawn_path_is_closed_and_fills_its_radius_in_any_plane(kind, random):
    paths = [draw_path(kind, 0.08, random) for _ in range(20)]
    for path in paths:
        np.testing.assert_allclose(path[0], path[-1], atol=1e-9)
        assert np.linalg.norm(path, axis=1).max() == pytest.approx(0.08)
    assert np.std([np.ptp(p[:, 2]) for p in paths]) > 0.01
    assert not np.allclose(paths[0], paths[1])


def test_a_place_is_found_again_from_where_both_cameras_see_it(random):
    for place in LOOKED_AT_M + random.uniform(-0.15, 0.15, (20, 3)):
        np.testing.assert_allclose(triangulate(VIEWS, project(VIEWS, place)), place, atol=1e-9)


def test_the_whole_box_is_inside_both_pictures():
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    seen = project(VIEWS, LOOKED_AT_M + corners * (np.array(Imitate().half_size_m) + MARGIN_M))
    for first, view in ((0, VIEWS['left']), (2, VIEWS['right'])):
        assert seen[:, first].min() > 5
        assert seen[:, first].max() < view.width - 6
        assert seen[:, first + 1].min() > 5
        assert seen[:, first + 1].max() < view.height - 6


def test_the_tracker_finds_the_fingertip_where_it_is(simulator):
    apart = []
    for seed in range(12):
        simulator.reset(seed)
        hand = find_hand(simulator.readings().views)
        assert hand is not None
        apart.append(hand - project(VIEWS, simulator.arm.fingertip_position()))
    assert np.abs(np.mean(apart, axis=0)).max() < TRACKER_MEAN_PX
    assert np.abs(apart).max() < TRACKER_MOST_PX


def test_the_same_seed_is_the_same_path_and_another_seed_another(unseen):
    def goal(seed):
        unseen.reset(seed)
        return unseen.task.goal().tolist()

    first = goal(1)
    assert goal(2) != first
    assert goal(1) == first


def test_the_hand_starts_where_the_path_does(unseen):
    for seed in range(5):
        unseen.reset(seed)
        assert unseen.task.distance_m(unseen.arm) < 0.005


def test_a_goal_is_where_the_hand_should_be_one_step_later(unseen):
    unseen.reset(3)
    task, arm = unseen.task, unseen.arm
    for _ in range(40):
        task.advance(arm, 0.01)
    ahead = task.goal()
    for _ in range(round(GOAL_AHEAD_S / 0.01)):
        task.advance(arm, 0.01)
    now = project(VIEWS, task.place_m())
    np.testing.assert_allclose(ahead, now, atol=1e-6)


def test_the_expert_follows_and_is_measured(unseen, imitate):
    robot = replace(imitate, required=('joints',))
    for tick in run(unseen, robot, Expert(unseen), 4):
        assert not tick.missing
    outcome, measures = unseen.outcome(), unseen.task.measures()
    assert outcome.success
    assert outcome.elapsed_s == pytest.approx(1.5, abs=0.01)
    assert 0 < measures['image_error_px'] < unseen.task.tolerance_px / 2
    assert 0 < measures['path_error_m'] < 0.01


def test_who_stays_is_lost_at_the_end_and_not_before(unseen, imitate):
    robot = replace(imitate, required=('joints',))
    for _ in run(unseen, robot, Still(), 4):
        assert not (unseen.outcome().success or unseen.lost) or unseen.outcome().elapsed_s > 1.4
    assert unseen.lost
    assert not unseen.outcome().success
    assert unseen.task.measures()['image_error_px'] > unseen.task.tolerance_px


def test_a_new_episode_forgets_how_the_last_one_went(unseen, imitate):
    robot = replace(imitate, required=('joints',))
    for _ in run(unseen, robot, Still(), 4):
        pass
    unseen.reset(4)
    assert unseen.task.measures() == {'image_error_px': 0, 'path_error_m': 0}


def test_a_recorded_stroke_is_shown_as_it_was_recorded(random, iiwa_arm):
    path = LOOKED_AT_M + draw_path(Kind.EIGHT, 0.06, random)
    simulator = Simulator(Imitate(duration_s=1.5, stroke_px=project(VIEWS, path)), iiwa_arm)
    try:
        simulator.reset(1)
        task = simulator.task
        np.testing.assert_allclose(task.place_m(), path[0], atol=1e-6)
        np.testing.assert_allclose(task.place_m(1.5), path[-1], atol=1e-6)
        middle = np.linalg.norm(path - task.place_m(0.75), axis=1).min()
        assert middle < 0.001
    finally:
        simulator.close()


def test_the_robot_is_told_of_the_hand_as_often_as_there_are_pictures(simulator, imitate):
    seen = [t for t, _ in zip(run(simulator, imitate, Still(), 2), range(8), strict=False)]
    hand = [m.name for m in imitate.modalities].index('hand')
    assert all(t.observation.known[hand, 1] for t in seen)
    assert all(not t.missing for t in seen)
    truth = project(VIEWS, simulator.arm.fingertip_position())
    np.testing.assert_allclose(seen[-1].observation.values['hand'][1], truth, atol=1.0)


def test_a_hand_that_is_not_seen_is_missing_and_the_arm_holds(simulator, imitate):
    tick = next(
        run(simulator, imitate, Still(), 2, distort=lambda values, now_ns: without(values))
    )
    assert tick.missing == ('hand',)


def without(values):
    return {name: value for name, value in values.items() if name != 'hand'}


class Contract:
    name, step_s = 'tiny', 0.2


class Tiny:
    contract = Contract()


def test_a_model_of_another_step_is_refused(simulator):
    with pytest.raises(SimulationError, match=r'step of 0.2 s, the goals are 0.1 s ahead'):
        Follower(Tiny(), simulator.task, False)


def test_a_standstill_shows_the_first_hand_for_ever_and_changes_nothing_else():
    still = standstill('hand')
    first, later = np.ones(4), np.full(4, 2.0)
    assert still({'joints': first}, 0).keys() == {'joints'}
    assert still({'hand': first, 'joints': first}, 1)['hand'] is first
    found = still({'hand': later, 'joints': later}, 2)
    assert found['hand'] is first
    assert found['joints'] is later


def test_a_projected_hand_is_as_far_from_the_fingertip_as_a_tracked_one(unseen, imitate, random):
    robot = replace(imitate, required=('joints',))
    wiring, distort = projected(unseen, wire(robot, unseen), random)
    assert wiring.hand is None
    unseen.reset(1)
    truth = project(VIEWS, unseen.arm.fingertip_position())
    hands = np.array([distort({}, 0)['hand'] for _ in range(400)])
    np.testing.assert_allclose(hands.mean(axis=0) - truth, 0, atol=0.03)
    np.testing.assert_allclose(hands.std(axis=0), [0.09, 0.13, 0.09, 0.13], atol=0.02)
    joints = {'joints': np.zeros(7)}
    assert distort(joints, 1).keys() == {'joints'}
    assert distort(joints, 2 * RESET_EVERY_NS).keys() == {'joints', 'hand'}


def test_babbling_stays_in_its_room_and_changes_its_mind(unseen, imitate, random):
    babbler = Babbler(unseen, unseen.task, 0.6, imitate.rate_hz, random)
    robot = replace(imitate, required=('joints',))
    wanted, places = [], []
    for seed in range(4):
        for tick in run(unseen, robot, babbler, seed):
            wanted.append(tick.estimate.mean)
            places.append(unseen.arm.fingertip_position())
    beyond = np.abs(np.array(places) - LOOKED_AT_M) - unseen.task.half_size_m
    assert beyond.max() < 2 * MARGIN_M
    assert np.array(wanted).std(axis=0).min() > 0.05


def test_a_rollout_runs_the_expert_where_the_task_measures():
    assert kinds_of('touch_target', True) == ('seeing', 'blind')
    assert kinds_of('imitate', True) == ('seeing', 'blind', 'expert')
    assert kinds_of('imitate', False) == ('seeing', 'expert')


def test_a_report_holds_the_means_beside_those_of_the_expert():
    def episode(px):
        return EpisodeResult(1, True, 6.0, 0.0, 0.0, {'image_error_px': px})

    plain = RolloutReport('m', 'c', 'r', 't', (episode(1.0),), ())
    assert 'means' not in plain.data()
    both = replace(plain, seeing=(episode(1.0), episode(2.0)), expert=(episode(0.5),))
    assert both.data()['means'] == {
        'seeing': {'image_error_px': 1.5},
        'expert': {'image_error_px': 0.5},
    }
    assert both.data()['expert_success_rate'] == 1.0


@pytest.mark.slow
@pytest.mark.parametrize('drawn', [False, True])
def test_collecting_records_where_the_hand_was_found(tmp_path, drawn):
    folder = tmp_path / 'data'
    settings = CollectSettings(str(ROBOT_FILE), 'imitate', 1, 5, drawn=drawn)
    (done,) = collect(settings, folder, 1)
    data = Dataset(folder)
    assert done.rows == len(data) > 100
    rows = np.arange(len(data), dtype=np.int64)
    hand = data.column('hand', rows)
    assert data.known[rows][:, 0].all()
    assert np.ptp(hand, axis=0).min() > 1
    # Nobody shows anything: the right command is the one that was wanted.
    limited = np.abs(data.column('label', rows) - data.column('motor', rows))
    assert np.median(limited) < 1e-6


@pytest.mark.slow
def test_the_shipped_model_follows_what_it_sees_nearly_as_well_as_the_expert(imitate):
    report = rollout(Network(MODEL), imitate, 'imitate', 2, 500, True, lambda kind, result: None)
    means = report.data()['means']
    assert all(r.success for r in report.seeing)
    assert not any(r.success for r in report.blind)
    # Over 100 seeds it is 1.7 times the expert's.
    assert means['seeing']['image_error_px'] < 3 * means['expert']['image_error_px']
    assert max(r.held_share for r in report.blind) < 0.5
