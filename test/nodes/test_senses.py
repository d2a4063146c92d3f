"""What the diagnostics node says of a sense and of the model, with time given as an argument."""

from __future__ import annotations

from mmvae_controller.nodes.reporting.hysteresis import Hysteresis
from mmvae_controller.nodes.reporting.status import HELD, Level, Status
from mmvae_controller.nodes.watch.evaluations import ModelHealth
from mmvae_controller.nodes.watch.senses import SenseHealth
from mmvae_controller.nodes.watch.watched import Told
import pytest

KNOWN, BEFORE, MISSING = (True, True), (True, False), (False, False)
MEASURES = {'precision_loss_own': 2.0, 'precision_loss_command': 1.0}


@pytest.fixture
def camera() -> SenseHealth:
    return SenseHealth('camera', True, error_after_s=3.0)


@pytest.fixture
def model() -> ModelHealth:
    return ModelHealth('small', 'abc', period_s=0.1, stale_s=1.0)


def test_a_known_sense_tells_its_state_its_age_and_its_measures_in_this_order(
    camera: SenseHealth,
):
    camera.observe(KNOWN, 0.05, 1.0)
    status = camera.status(MEASURES, 1.1)
    assert (status.name, status.level, status.message) == ('sense camera', Level.OK, 'known')
    assert list(status.values.items()) == [
        ('state', 'known'),
        ('age_s', 0.05),
        ('rate_hz', 'unknown'),
        ('health', 'unknown'),
        ('precision_loss_own nats', 2.0),
        ('precision_loss_command nats', 1.0),
    ]


@pytest.mark.parametrize(('known', 'state'), [(BEFORE, 'known at t-1 only'), (MISSING, 'masked')])
def test_a_sense_that_is_missing_at_t_warns_and_says_since_when(
    camera: SenseHealth, known: tuple[bool, bool], state: str
):
    camera.observe(known, 0.5, 1.0)
    status = camera.status({}, 1.5)
    assert (status.level, status.message) == (Level.WARN, f'missing at t for 0.5 s, {state}')
    assert status.values['state'] == state


def test_a_sense_of_which_the_model_has_old_samples_is_predicted_and_not_known():
    camera = SenseHealth('camera', True, 3.0, max_age_s=0.2)
    camera.observe(KNOWN, 0.2, 1.0)
    assert camera.status({}, 1.0).values['state'] == 'known'
    camera.observe(KNOWN, 0.7, 1.5)
    status = camera.status(MEASURES, 1.6)
    assert (status.level, status.message) == (Level.WARN, 'missing at t for 0.1 s, predicted')
    assert status.values['precision_loss_command nats'] == 1.0


def test_a_change_of_state_is_noticed(camera: SenseHealth):
    seen = (MISSING, KNOWN, KNOWN, BEFORE, BEFORE, MISSING, KNOWN)
    changes = [camera.observe(known, 0.0, now_s) for now_s, known in enumerate(seen)]
    assert changes == [False, True, False, True, False, True, True]


def test_a_sense_that_is_missing_for_too_long_is_an_error_until_it_is_back(camera: SenseHealth):
    for now_s in (1.0, 2.0, 3.9):
        camera.observe(MISSING, 9.0, now_s)
    assert camera.status({}, 4.0).level is Level.WARN
    assert camera.status({}, 4.01).level is Level.ERROR
    for now_s in (4.1, 5.1):
        camera.observe(KNOWN, 0.0, now_s)
        assert camera.status({}, now_s).level is Level.OK
    camera.observe(MISSING, 9.0, 5.2)
    status = camera.status({}, 5.3)
    assert (status.level, status.message) == (Level.WARN, 'missing at t for 0.1 s, masked')


def test_a_sense_that_is_back_for_a_moment_only_is_still_the_one_that_was_missing(
    camera: SenseHealth,
):
    for now_s, known in ((1.0, MISSING), (2.0, KNOWN), (2.9, KNOWN), (3.0, MISSING)):
        camera.observe(known, 0.0, now_s)
    status = camera.status({}, 4.5)
    assert status.message == 'missing at t on and off for 3.5 s, masked'
    assert status.level is Level.ERROR
    camera.forget()
    camera.observe(KNOWN, 0.0, 10.0)
    camera.observe(MISSING, 0.0, 10.1)
    assert camera.status({}, 10.1).message == 'missing at t for 0.0 s, masked'


@pytest.mark.parametrize('known_one_in', [2, 20])
def test_a_sense_that_comes_and_goes_is_a_warning_and_then_an_error_all_the_time(
    camera: SenseHealth, known_one_in: int
):
    hysteresis = Hysteresis(0.0, 1.0)
    levels = []
    for i in range(200):
        now_s = i / 10
        camera.observe(MISSING if i % known_one_in else KNOWN, 0.0, now_s)
        levels.append(hysteresis.show(camera.status({}, now_s), now_s).level)
    assert set(levels[1:30]) == {Level.WARN}
    assert set(levels[35:]) == {Level.ERROR}


def test_after_a_time_without_observations_missing_counts_from_the_beginning(
    camera: SenseHealth,
):
    camera.observe(MISSING, 9.0, 1.0)
    camera.forget()
    camera.observe(MISSING, 9.0, 10.0)
    assert camera.status({}, 10.1).level is Level.WARN


def test_what_the_controller_says_of_its_input_is_told_with_its_rate(camera: SenseHealth):
    camera.observe(KNOWN, 0.0, 1.0)
    camera.hear(Told(Level.OK, 'known', {'rate_hz': '20'}, 1.0))
    status = camera.status({}, 1.1)
    assert (status.level, status.message) == (Level.OK, 'known')
    assert (status.values['rate_hz'], status.values['health']) == ('20', 'OK: known')


def test_the_controllers_warning_is_a_warning_here_too(camera: SenseHealth):
    camera.observe(KNOWN, 0.0, 1.0)
    camera.hear(Told(Level.WARN, 'no contrast: masked', {'rate_hz': '20'}, 1.0))
    status = camera.status({}, 1.1)
    assert (status.level, status.message) == (
        Level.WARN,
        'known; controller: no contrast: masked',
    )
    assert status.values['health'] == 'WARN: no contrast: masked'


def test_a_warning_that_the_controller_only_holds_up_is_not_held_up_once_more(
    camera: SenseHealth,
):
    controller = Hysteresis(0.0, 1.0)
    controller.show(Status('input camera', Level.WARN, 'masked'), 0.0)
    held = controller.show(Status('input camera', Level.OK, 'known'), 1.0)
    assert held.level is Level.WARN
    camera.observe(KNOWN, 0.0, 1.0)
    camera.hear(Told(held.level, held.message, {HELD: 'True'}, 1.0))
    assert camera.status({}, 1.1).level is Level.OK
    # Whatever an operator reads, it is not by the words that it is known.
    camera.hear(Told(held.level, held.message, {}, 1.0))
    assert camera.status({}, 1.1).level is Level.WARN


def test_what_the_controller_said_long_ago_is_unknown(camera: SenseHealth):
    camera.observe(KNOWN, 0.0, 1.0)
    camera.hear(Told(Level.WARN, 'masked', {'rate_hz': '20'}, 1.0))
    status = camera.status({}, 3.1)
    assert (status.level, status.values['health']) == (Level.OK, 'unknown')


def test_the_command_has_no_input():
    motor = SenseHealth('motor', False, 3.0)
    motor.observe(KNOWN, 0.0, 1.0)
    values = motor.status({}, 1.0).values
    assert (values['rate_hz'], values['health']) == ('no input', 'no input')


def test_a_stale_sense_tells_nothing_that_would_be_old(camera: SenseHealth):
    camera.observe(KNOWN, 0.05, 1.0)
    camera.hear(Told(Level.OK, 'received', {'rate_hz': '20'}, 5.0))
    status = camera.stale('no observation for 1 s', 5.0)
    assert (status.level, status.message) == (Level.STALE, 'no observation for 1 s')
    assert dict(status.values) == {'rate_hz': '20', 'health': 'OK: received'}


def test_the_model_tells_what_it_carries_and_how_long_an_evaluation_takes(model: ModelHealth):
    for i in range(11):
        model.hear(i / 20)
        model.read(i / 20)
        model.evaluate(3.5, 2, 0.01 if i else 0.09)
    status = model.status(0.5)
    assert (status.level, status.message) == (Level.OK, 'small')
    assert list(status.values) == [
        'name',
        'sha256',
        'latent_kl nats',
        'active units',
        'evaluation p50 ms',
        'evaluation p99 ms',
        'observations hz',
    ]
    assert status.values['evaluation p50 ms'] == pytest.approx(10)
    assert status.values['evaluation p99 ms'] == pytest.approx(82)
    assert status.values['observations hz'] == pytest.approx(20)


def test_an_evaluation_longer_than_its_period_warns(model: ModelHealth):
    model.hear(0.0)
    model.evaluate(3.5, 2, 0.15)
    assert model.status(0.0).line() == 'an evaluation took 150 ms, its period is 100'
    model.evaluate(3.5, 2, 0.05)
    assert model.status(0.0).level is Level.OK


def test_a_latent_without_an_active_unit_says_nothing(model: ModelHealth):
    model.hear(0.0)
    model.evaluate(0.003, 0, 0.01)
    status = model.status(0.0)
    assert (status.level, status.message) == (
        Level.WARN,
        'no active unit: the latent says nothing',
    )


def test_a_latent_that_was_told_nothing_is_well(model: ModelHealth):
    model.hear(0.0)
    model.evaluate(0.0, 0, 0.01)
    assert model.status(0.0).level is Level.OK


def test_a_failure_is_told_without_the_figures_of_the_last_success(model: ModelHealth):
    model.hear(0.0)
    model.evaluate(3.5, 2, 0.01)
    model.fail(Level.ERROR, 'camera: standard deviation nan')
    status = model.status(0.0)
    assert (status.level, status.message) == (Level.ERROR, 'camera: standard deviation nan')
    assert list(status.values) == ['name', 'sha256', 'observations hz']


def test_a_model_that_fails_every_other_time_is_an_error_all_the_time(model: ModelHealth):
    hysteresis = Hysteresis(0.0, 1.0)
    levels = set()
    for i in range(100):
        model.hear(i / 10)
        if i % 2:
            model.evaluate(3.5, 2, 0.01)
        else:
            model.fail(Level.ERROR, 'camera: standard deviation nan')
        levels.add(hysteresis.show(model.status(i / 10), i / 10).level)
    assert levels == {Level.ERROR}


def test_the_rate_of_observations_is_the_present_one(model: ModelHealth):
    for i in range(100):
        model.hear(i / 20)
    assert model.status(4.95).values['observations hz'] == pytest.approx(20)
    assert model.status(5.95).values['observations hz'] < 18
    for i in range(5):
        model.hear(120 + i / 20)
    assert model.status(120.2).values['observations hz'] == pytest.approx(20)


def test_without_observations_the_model_is_stale_whatever_it_said_before(model: ModelHealth):
    assert model.status(0.0).line() == 'no observation yet; mmvae explain no-observation'
    model.hear(0.0)
    model.read(0.0)
    model.evaluate(3.5, 2, 0.01)
    assert model.status(1.0).level is Level.OK
    assert model.why_stale(1.0) == ''
    status = model.status(1.01)
    assert (status.level, status.message) == (Level.STALE, 'no observation for 1 s')
    assert list(status.values) == ['name', 'sha256']


def test_observations_that_cannot_be_read_make_the_senses_stale_and_the_model_says_why(
    model: ModelHealth,
):
    model.hear(0.0)
    model.fail(Level.WARN, 'observation rejected: fields')
    assert model.status(0.0).level is Level.WARN
    assert model.why_stale(0.0) == 'observation rejected: fields'
