"""The loop answers a sense at once, and goes on by itself while it is silent."""

from mmvae_controller.control.driving import Driver
from mmvae_controller.control.pace import AtMost
import numpy as np
import pytest

MS = 1_000_000
RATE_HZ = 200.0
PERIOD_MS = 5.0


def ticks(driver, samples_ms, timer_ms):
    """Return when the loop ticks, in ms, and by what."""
    events = sorted([(t, 'sample') for t in samples_ms] + [(t, 'timer') for t in timer_ms])
    return [
        (at, by)
        for at, by in events
        if (
            driver.on_sample('joints', round(at * MS))
            if by == 'sample'
            else driver.on_timer(round(at * MS))
        )
    ]


def timer(until_ms, phase_ms=0.0):
    return np.arange(phase_ms, until_ms, PERIOD_MS).tolist()


def test_without_a_trigger_the_timer_drives_and_no_sample_is_answered():
    found = ticks(Driver(RATE_HZ, ''), timer(100, 2.0), timer(100))
    assert found == [(t, 'timer') for t in timer(100)]


@pytest.mark.parametrize('phase_ms', np.arange(0.1, 5, 0.35).tolist())
def test_whatever_its_phase_a_sense_that_begins_to_speak_takes_over_within_two_periods(phase_ms):
    samples = timer(600, 100 + phase_ms)
    found = ticks(Driver(RATE_HZ, 'joints'), samples, timer(600))
    assert [by for _, by in found[:20]] == ['timer'] * 20
    later = [(at, by) for at, by in found if at > 110 + phase_ms]
    assert later == [(t, 'sample') for t in samples if t > 110 + phase_ms]


def test_a_sense_that_jitters_by_a_quarter_of_a_period_is_answered_every_time():
    random = np.random.default_rng(3)
    samples = [t + random.uniform(-1.2, 1.2) for t in timer(2000, 2.5)]
    found = ticks(Driver(RATE_HZ, 'joints'), samples, timer(2000))
    assert [by for _, by in found[2:]] == ['sample'] * (len(found) - 2)
    assert len(found) >= len(samples) - 2


@pytest.mark.parametrize('period_ms', [1.0, 0.7, 2.0])
def test_a_sense_that_is_faster_than_the_loop_makes_it_no_faster(period_ms):
    samples = np.arange(0, 2000, period_ms).tolist()
    found = ticks(Driver(RATE_HZ, 'joints'), samples, timer(2000))
    assert len(found) == pytest.approx(400, abs=3)


def test_when_the_sense_falls_silent_the_timer_goes_on_after_less_than_three_periods():
    samples = timer(100, 2.5)
    found = ticks(Driver(RATE_HZ, 'joints'), samples, timer(300))
    after = [at for at, by in found if by == 'timer' and at > samples[-1]]
    assert after[0] - samples[-1] < 3 * PERIOD_MS
    assert np.diff(after).tolist() == [PERIOD_MS] * (len(after) - 1)


def test_other_senses_drive_nothing():
    driver = Driver(RATE_HZ, 'joints')
    assert not any(driver.on_sample('camera', t * MS) for t in range(100))


def test_what_happens_now_and_then_goes_on_after_the_clock_was_set_back():
    it = AtMost(20, 50)
    assert it.due(10_000 * MS)
    assert it.due(10 * MS)
    assert [it.due(t * MS) for t in (20, 60, 70)] == [False, True, False]
