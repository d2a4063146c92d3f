"""The fault benchmark: what is counted, what fills a peer's gaps, and how a cell is put down."""

from dataclasses import replace
from types import SimpleNamespace

from mmvae_controller.control.controller import Controller
from mmvae_controller.control.gate import Reason
from mmvae_controller.control.policy import Estimate
from mmvae_controller.control.window import NS, SenseState
from mmvae_controller.modality.limits import JointLimits
from mmvae_controller.modality.observation import (
    CURRENT,
    empty_values,
    everything_known,
    Observation,
    PREVIOUS,
)
from mmvae_controller.simulation.errors import SimulationError
from mmvae_controller.simulation.expert import Expert
from mmvae_controller.simulation.faults import document as fault_document
from mmvae_controller.simulation.faults.bench import (
    BenchSettings,
    Case,
    CaseDone,
    Driver,
    Episode,
    run_case,
    run_episode,
)
from mmvae_controller.simulation.faults.cells import cell_data
from mmvae_controller.simulation.faults.figures import figures
from mmvae_controller.simulation.faults.kinds import FAULTS
from mmvae_controller.simulation.faults.peer import Fill, PeerPolicy, robot_for_peers
from mmvae_controller.simulation.faults.report import page
from mmvae_controller.simulation.faults.schedule import Start
from mmvae_controller.simulation.faults.watch import CommandWatch, SenseWatch
from mmvae_controller.simulation.simulator import Simulator
from mmvae_controller.simulation.tasks.task import make_task
import numpy as np
import pytest

PERIOD_NS = NS // 40
PERIOD_S = PERIOD_NS / NS
LIMITS = JointLimits(
    ('one', 'two'),
    np.array([-1.0, -1.0]),
    np.array([1.0, 1.0]),
    np.array([1.5, 1.5]),
    np.array([15.0, 15.0]),
)
REST = np.zeros(2)


def watched(*positions, truth=REST, period_ns=PERIOD_NS):
    """Return what a watch says of positions that were sent, one each period."""
    watch = CommandWatch(LIMITS)
    for number, position in enumerate(positions):
        sent = None if position is None else np.array(position, dtype=float)
        watch.see(number * period_ns, sent, truth)
    return watch


def ramp(speed, steps, change=15 * PERIOD_S):
    """Return positions that reach a speed as fast as allowed, within its rounding."""
    speeds = np.minimum(change * np.arange(steps), speed)
    return [[p, 0.0] for p in np.cumsum(speeds * PERIOD_S)]


def test_commands_at_every_limit_are_safe_and_a_hold_may_stop_at_once():
    fast = ramp(1.5, 20)
    assert watched(*fast).unsafe == 0
    assert watched(*fast, fast[-1], fast[-1]).unsafe == 0
    assert watched([1.0, -1.0], [1.0, -1.0]).unsafe == 0


@pytest.mark.parametrize(
    'position', [[np.nan, 0], [np.inf, 0], [0, 1.0000001], [-1.0000001, 0]], ids=str
)
def test_a_command_that_is_not_finite_or_outside_the_limits_is_unsafe(position):
    assert watched(position).unsafe == 1
    assert watched(REST, position).unsafe == 1


def test_what_follows_a_command_that_is_not_finite_is_counted_from_the_one_before_it():
    assert watched(REST, [np.nan, 0], [0.01, 0.0]).unsafe == 1
    assert watched(REST, [np.nan, 0], [0.1, 0.0]).unsafe == 2


def test_a_command_that_is_too_fast_is_unsafe():
    fast = ramp(1.5, 20)
    step = fast[-1][0] - fast[-2][0]
    assert watched(*fast, [fast[-1][0] + step * 1.00001, 0.0]).unsafe == 1


def test_a_command_that_changes_its_speed_too_fast_is_unsafe_from_rest_and_back():
    step = 15 * PERIOD_S**2
    assert watched(REST, REST, [step, 0]).unsafe == 0
    assert watched(REST, REST, [step * 1.00001, 0]).unsafe == 1
    fast = ramp(1.0, 20)
    turned = fast[-1][0] - (fast[-1][0] - fast[-2][0])
    assert watched(*fast, [turned, 0.0]).unsafe == 1


def test_a_late_command_may_go_as_far_as_the_time_that_passed_allows():
    slow = [[0.0, 0.0], [0.0, 0.0], [0.1, 0.0]]
    assert watched(*slow, period_ns=4 * PERIOD_NS).unsafe == 0
    assert watched(*slow).unsafe == 1


def test_after_silence_a_command_is_no_step_but_a_jump_from_where_the_joints_are():
    watch = watched(REST, None, [0.9, 0.0], truth=np.array([0.5, 0.0]))
    assert watch.unsafe == 0
    assert watch.largest_jump_rad == pytest.approx(0.5)
    assert watched(REST, [0.01, 0.0]).largest_jump_rad == 0


def tick_of(number, **states):
    senses = dict.fromkeys(('camera', 'joints', 'touch'), SenseState.MEASURED) | states
    return SimpleNamespace(
        observation=SimpleNamespace(stamp_ns=5 * NS + number * PERIOD_NS), senses=senses
    )


@pytest.mark.parametrize('state', [SenseState.MASKED, SenseState.PREDICTED])
def test_a_fault_is_noticed_at_the_first_tick_that_does_not_take_its_sense_for_measured(state):
    senses = SenseWatch({'camera': 2 * PERIOD_NS, 'touch': 0})
    for number in range(4):
        senses.see(tick_of(number))
    senses.see(tick_of(4, camera=state))
    senses.see(tick_of(5, camera=state))
    assert senses.delay_s == {'camera': pytest.approx(2 * PERIOD_S), 'touch': None}
    assert senses.false_alarms == 0


def test_a_sense_without_a_fault_that_is_given_up_is_a_false_alarm_each_time_anew():
    senses = SenseWatch({'camera': 3 * PERIOD_NS})
    lost = SenseState.MASKED
    for number, names in enumerate([(), ('touch',), ('touch',), (), ('touch', 'camera')]):
        senses.see(tick_of(number, **dict.fromkeys(names, lost)))
    assert senses.false_alarms == 2
    early = SenseWatch({'camera': 3 * PERIOD_NS})
    early.see(tick_of(0, camera=lost))
    assert (early.false_alarms, early.delay_s) == (1, {'camera': None})


class Recorder:
    """A peer that notes what it is given."""

    def __init__(self, modalities):
        self.contract = SimpleNamespace(modalities=modalities)
        self.given = []

    def command(self, values):
        self.given.append({n: v[:, 0].copy() for n, v in values.items() if n != 'camera'})
        return np.zeros(2)


def given(robot, fill, masks):
    """Return the joints and the command that a peer is given at t-1 and t; each tick counts up."""
    peer = Recorder(robot.modalities)
    policy = PeerPolicy(peer, fill)
    names = [m.name for m in robot.modalities]
    for number, masked in enumerate(masks, start=1):
        values = empty_values(robot.modalities)
        values['joints'][:] = [[number], [number + 0.5]]
        values['motor'][PREVIOUS] = number
        known = everything_known(robot.modalities)
        known[names.index('motor'), CURRENT] = False
        for name, slot in masked:
            known[names.index(name), slot] = False
            values[name][slot] = np.nan  # What a masked slot holds is never read.
        policy.decide(Observation(number, values, known, np.zeros(known.shape, np.float32)))
    return [(p['joints'].tolist(), p['motor'].tolist()) for p in peer.given]


def test_what_is_missing_is_zero_for_one_peer_and_the_last_value_for_the_other(robot):
    masks = [[], [('joints', CURRENT)], [('joints', CURRENT), ('joints', PREVIOUS)], []]
    zero = [j for j, _ in given(robot, Fill.ZERO, masks)]
    assert zero == [[1, 1.5], [2, 0], [0, 0], [4, 4.5]]
    held = [j for j, _ in given(robot, Fill.HOLD, masks)]
    assert held == [[1, 1.5], [2, 1.5], [2, 1.5], [4, 4.5]]


@pytest.mark.parametrize('fill', Fill)
def test_before_the_first_step_has_passed_a_peer_is_told_of_an_arm_at_rest(robot, fill):
    young = [('joints', PREVIOUS), ('motor', PREVIOUS)]
    found = given(robot, fill, [young, young, []])
    assert found == [([1.5, 1.5], [0, 0]), ([2.5, 2.5], [0, 0]), ([3, 3.5], [3, 0])]
    nothing = given(robot, fill, [[*young, ('joints', CURRENT)]])
    assert nothing == [([0, 0], [0, 0])]


def test_no_sense_is_required_of_a_peer_and_its_joints_must_still_be_measured(robot):
    class Still:
        def decide(self, observation):
            return Estimate(np.zeros(2), np.zeros(2))

    configured = robot_for_peers(robot)
    controller = Controller(configured, robot.modalities, 0.1, Still())
    assert controller.tick(0).decision is None
    controller.push('joints', np.zeros(3), PERIOD_NS)
    assert Reason.STALE not in controller.tick(PERIOD_NS).decision.reasons
    assert controller.tick(3 * NS).decision is None
    assert configured.min_contrast == robot.min_contrast


def episode(**changes):
    return replace(Episode(True, 1.5, 0.1, 0, 0.01, {}, 0), **changes)


def test_a_cell_counts_the_model_beside_the_better_peer():
    done = CaseDone(
        Case('camera_absent+touch_dead', Start.MIDWAY),
        {
            Driver.MODEL: (
                episode(delay_s={'camera': 0.2, 'touch': 0.4}, unsafe=2, false_alarms=3),
                episode(delay_s={'camera': 0.2, 'touch': None}, elapsed_s=2.5),
                episode(delay_s={'camera': 0.3, 'touch': 0.1}, success=False, held_share=0.7),
            ),
            Driver.PEER_ZERO: (episode(success=False), episode(), episode(success=False)),
            Driver.PEER_HOLD: (episode(), episode(), episode(success=False, unsafe=5)),
            Driver.EXPERT: (episode(),) * 3,
        },
    )
    cell = cell_data(done)
    assert (cell['fault'], cell['start']) == ('camera_absent+touch_dead', 'midway')
    assert cell['success_rate'] == pytest.approx(2 / 3)
    assert cell['peer_zero_success_rate'] == pytest.approx(1 / 3)
    assert cell['peer_success_rate'] == cell['peer_hold_success_rate'] == pytest.approx(2 / 3)
    assert cell['expert_success_rate'] == 1
    assert cell['unsafe_commands'] == 2
    assert cell['others_unsafe_commands'] == {'peer_zero': 0, 'peer_hold': 5, 'expert': 0}
    assert cell['detection_s'] == pytest.approx(0.4), 'of two senses the later, never counts last'
    assert cell['detection_by_sense_s'] == {'camera': 0.2, 'touch': 0.4}
    assert cell['detected_share'] == pytest.approx(2 / 3)
    assert cell['false_alarms'] == 3
    assert cell['held_share'] == pytest.approx(0.3)
    assert cell['median_success_time_s'] == 2.0


def test_a_fault_that_half_of_the_episodes_never_notice_has_no_time_to_be_noticed():
    delays = ({'touch': 0.2}, {'touch': None})
    model = tuple(episode(delay_s=delay) for delay in delays)
    cell = cell_data(CaseDone(Case('touch_dead', Start.BEGINNING), {Driver.MODEL: model}))
    assert cell['detection_s'] is None
    assert cell['detected_share'] == 0.5
    assert cell['peer_success_rate'] is None


def document(iiwa_file, model_settings, names=tuple(FAULTS), starts=tuple(Start)):
    return fault_document.begin(model_settings, names, starts, 'mmvae faults')


@pytest.fixture
def settings(iiwa_file):
    model = iiwa_file.parents[2] / 'models' / 'touch_target'
    return BenchSettings(str(model), None, str(iiwa_file), 'touch_target', 2, 10000)


def done_case(case):
    delay = {'camera': 0.2} if case.fault else {}
    drivers = (Driver.MODEL, Driver.EXPERT)
    return CaseDone(case, {d: (episode(delay_s=delay),) * 2 for d in drivers})


def test_cells_lie_in_the_order_of_the_faults_and_what_is_done_is_not_run_again(
    iiwa_file, settings
):
    names = ['camera_black', 'camera_frozen']
    found = document(iiwa_file, settings, names)
    cases = fault_document.missing_cases(found)
    assert len(cases) == 1 + 2 * 3
    for case in reversed(cases):
        assert fault_document.missing_cases(found)
        found = fault_document.with_case(found, done_case(case))
    assert fault_document.missing_cases(found) == []
    assert [(c['fault'], c['start']) for c in found['cells']] == [
        (f, s.value) for f in names for s in Start
    ]
    assert found['clean']['detection_s'] is None


def test_a_benchmark_goes_on_only_with_what_it_was_begun_with(iiwa_file, settings):
    begun = document(iiwa_file, settings, ['camera_black'])
    begun = fault_document.with_case(begun, done_case(Case('camera_black', Start.MIDWAY)))
    again = document(iiwa_file, settings, ['camera_black'])
    assert fault_document.go_on(again, begun, 'x')['cells'] == begun['cells']
    other = document(iiwa_file, replace(settings, seed=1), ['camera_black'])
    with pytest.raises(SimulationError, match='seed 10000, now 1'):
        fault_document.go_on(other, begun, 'x')
    with pytest.raises(SimulationError, match='choose another place'):
        fault_document.go_on(again, {}, 'x')


def test_page_and_figures_show_every_cell_also_of_an_unfinished_benchmark(iiwa_file, settings):
    found = document(iiwa_file, settings, ['camera_black', 'camera_absent+touch_dead'])
    for case in fault_document.missing_cases(found)[:3]:
        found = fault_document.with_case(found, done_case(case))
    text = page(found, 'faults')
    assert '| camera_black | midway | 1.00 | – | – | 1.00 | 0.20 |' in text
    assert '| none | – | 1.00 |' in text
    assert 'No peer was given' in text
    assert max(len(line) for line in text.splitlines() if not line.startswith('|')) < 200
    drawn = figures(found)
    for name, figure in drawn.items():
        assert f'images/faults_{name}.png' in text
        figure.canvas.draw()


@pytest.mark.slow
def test_an_episode_under_a_fault_is_the_same_again_and_counts_what_happened(
    iiwa, iiwa_arm, settings, monkeypatch
):
    simulator = Simulator(make_task('touch_target'), iiwa_arm)
    picture = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    monkeypatch.setattr(simulator.camera, 'picture', lambda: picture)

    def run(fault, start):
        controller = Controller(iiwa, iiwa.modalities, iiwa.step_s, Expert(simulator))
        return run_episode(settings, Case(fault, start), simulator, iiwa, controller, 10000)

    try:
        clean = run(None, None)
        assert (clean.success, clean.unsafe, clean.false_alarms) == (True, 0, 0)
        absent = run('camera_absent', Start.MIDWAY)
        # The last picture came at 0.25 s and may be 0.2 s old.
        assert absent.delay_s == {'camera': pytest.approx(0.175, abs=PERIOD_S)}
        assert (absent.unsafe, absent.false_alarms) == (0, 0)
        noisy = run('joints_noise', Start.MIDWAY)
        assert noisy == run('joints_noise', Start.MIDWAY)
        permuted = run('joints_permuted', Start.BEGINNING)
        assert permuted.largest_jump_rad > 0.3
        assert permuted.unsafe == 0
    finally:
        simulator.close()


@pytest.mark.slow
def test_a_cell_runs_the_shipped_model_beside_the_expert(settings):
    done = run_case(replace(settings, episodes=1), Case('touch_dead', Start.BEGINNING))
    assert set(done.episodes) == {Driver.MODEL, Driver.EXPERT}
    cell = cell_data(done)
    assert cell['success_rate'] == cell['expert_success_rate'] == 1
    assert cell['unsafe_commands'] == 0
