"""Measuring the senses where nothing is wrong, and where nothing can be measured."""

from dataclasses import replace

from mmvae_controller.control.comparison import Comparison
from mmvae_controller.control.cusum import SoundRunning
from mmvae_controller.control.rota import Channel
from mmvae_controller.control.surprise import Surprise
from mmvae_controller.modality.robot import Certainty
from mmvae_controller.simulation.calibrate import count_alarms, fit_sound, listen
from mmvae_controller.simulation.errors import SimulationError
import pytest


def test_an_arm_that_is_always_held_is_told_why_after_ten_episodes(touch_network, iiwa):
    strict = replace(iiwa, output=replace(iiwa.output, certainty=Certainty(1e-6, 2e-6)))
    done = []
    with pytest.raises(SimulationError, match=r'held 100% of the time, mostly for.*uncertain'):
        listen(touch_network, strict, 'touch_target', range(40), lambda: done.append(1))
    assert len(done) == 9


@pytest.mark.slow
def test_an_arm_that_moves_is_measured_and_finds_nothing_wrong(touch_network, iiwa):
    runs, hours = listen(touch_network, iiwa, 'touch_target', range(20), lambda: None)
    sound = fit_sound(runs, hours, 0.1)
    assert sound.keys() == iiwa.sources.keys()
    comparison = Comparison(Surprise(touch_network), sound, {})
    found = count_alarms(touch_network, iiwa, 'touch_target', comparison, range(2), lambda: None)
    assert sum(found.alarms.values()) == 0


def test_who_fails_because_of_a_false_alarm_does_not_fail_anyway(touch_network, iiwa):
    # Whatever joints say is too much, so they are distrusted and nothing moves.
    never = {Channel.FOLLOWING: SoundRunning(-20.0, 0.1, 0.5, 0.6)}
    comparison = Comparison(Surprise(touch_network), {'joints': never}, {})
    found = count_alarms(touch_network, iiwa, 'touch_target', comparison, range(2), lambda: None)
    assert (found.failed, found.alarmed, found.lost_anyway) == (2, 2, 0)
