"""What test is fitted to sound running: how often it is wrong, and what it finds."""

import math

from mmvae_controller.control.cusum import Cusum
from mmvae_controller.control.errors import ControlError
from mmvae_controller.control.listening import fit
from mmvae_controller.control.rota import Channel
import numpy as np
import pytest


def sound_runs(random, runs, length=200):
    """Return surprises whose logarithm has an exponential tail, as is assumed, and a memory."""
    noise = random.exponential(0.3, (runs, length + 1))
    return np.exp(0.5 + np.maximum(noise[:, 1:], 0.7 * noise[:, :-1]))


def test_the_fitted_test_raises_about_as_many_false_alarms_as_allowed(random):
    hours, allowed = 300 * 200 / 13 / 3600, 2.0
    sound = fit(Channel.PAST, sound_runs(random, 300).tolist(), hours, allowed)
    alarms, others = 0, sound_runs(random, 3000)
    for run in others:
        cusum = Cusum(sound)
        alarms += any(cusum.add(surprise, 0) for surprise in run.tolist())
    per_hour = alarms / (others.size / 13 / 3600)
    assert per_hour <= 2 * allowed


def test_the_fitted_test_finds_what_surprises_five_times_as_much(random):
    sound = fit(Channel.PAST, sound_runs(random, 300).tolist(), 1.0, 1.0)
    cusum, needed = Cusum(sound), []
    for run in 5 * sound_runs(random, 50):
        cusum.clear()
        needed.append(next(n for n, s in enumerate(run.tolist()) if cusum.add(s, n)))
    assert np.median(needed) <= 12


def test_one_odd_run_does_not_hide_faults(random):
    runs = sound_runs(random, 300)
    runs[7] = np.quantile(runs, 0.985)
    sound = fit(Channel.PAST, runs.tolist(), 1.0, 1.0)
    cusum = Cusum(sound)
    assert not any(cusum.add(surprise, 0) for surprise in runs[7].tolist())
    cusum.clear()
    assert any(cusum.add(3 * float(runs.max()), 0) for _ in range(6))


@pytest.mark.parametrize(
    'runs', [[[1.0] * 5] * 3, [[1.0] * 50] * 9, [[math.nan] * 50] * 10, [[math.inf] * 50] * 10]
)
def test_too_little_is_not_fitted_to(runs):
    with pytest.raises(ControlError, match='expected at least'):
        fit(Channel.PAST, runs, 1.0, 1.0)
